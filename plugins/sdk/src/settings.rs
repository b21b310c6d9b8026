//! A plugin's own table of offload.toml as a type.
//!
//! The type says three things at once: how the table is read, what the host holds it against before anything runs, and what
//! people read when it is wrong.
//!
//! ```
//! use offload_plugin::prelude::*;
//!
//! /// A group of tests of tiny.
//! #[derive(Deserialize, JsonSchema)]
//! struct Settings {
//!     /// The program that runs the tests.
//!     #[serde(default = "default_program")]
//!     #[schemars(length(min = 1))]
//!     program: String,
//!     /// Files to look for tests in; without any, all below the working directory.
//!     #[serde(default)]
//!     #[schemars(inner(length(min = 1)))]
//!     paths: Vec<String>,
//!     /// How many seconds the program may take to say what it can do.
//!     #[schemars(range(min = 1))]
//!     patience_secs: Option<u32>,
//! }
//!
//! fn default_program() -> String {
//!     "tiny".to_owned()
//! }
//!
//! let settings: Settings = offload_plugin::settings::parse(r#"{"paths": ["a.tiny"]}"#)?;
//! assert_eq!(settings.program, "tiny");
//!
//! let schema = offload_plugin::settings::schema::<Settings>("tiny");
//! assert!(schema.contains("The program that runs the tests."));
//! # Ok::<(), Failure>(())
//! ```
//!
//! Keys that the host acts on by itself belong into the type as well, or they would be unknown: `working_dir` of a group,
//! for example.

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::types::Failure;

/// Reads the table from the JSON that the host gives.
///
/// # Errors
/// `invalid-settings`, where the table does not have the type's shape. Since the host holds it against the schema first, that
/// is a mistake in the type: a rule that its schema does not tell.
pub fn parse<S: DeserializeOwned>(json: &str) -> Result<S, Failure> {
    serde_json::from_str(json)
        .map_err(|error| Failure::new("invalid-settings", format!("the settings could not be read: {error}")))
}

/// The JSON Schema of the table, as JSON. Keys that the type does not have are not allowed in it.
pub fn schema<S: JsonSchema>(title: &str) -> String {
    // Without references, so that the place of a rule is also the place of its description.
    let generator = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = generator.into_generator().into_root_schema_for::<S>();
    schema.insert("title".to_owned(), title.into());
    schema.ensure_object().entry("additionalProperties").or_insert(false.into());
    as_people_write(&mut schema);
    schema.to_value().to_string()
}

/// Takes away what comes from Rust rather than from the table: TOML has no null, comments are wrapped for the editor, and
/// that a value is none of some strings says all.
fn as_people_write(schema: &mut Schema) {
    if schema.get("enum").or(schema.get("const")).is_some() {
        schema.remove("type");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.split("\n\n").map(|part| part.replace('\n', " ")).collect::<Vec<_>>().join("\n\n");
    }
    transform_subschemas(&mut as_people_write, schema);
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;

    /// A table
    /// of settings.
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Settings {
        /// Wrapped
        /// here.
        ///
        /// And again.
        #[schemars(length(min = 1))]
        name: String,
        /// Maybe a number.
        #[serde(default)]
        #[schemars(range(min = 1, max = 9))]
        number: Option<u32>,
        /// A word.
        #[serde(default)]
        word: Word,
        #[serde(default)]
        #[schemars(inner(length(min = 1)))]
        list: Vec<String>,
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        /// The first.
        #[default]
        One,
        Two,
        Three,
    }

    #[test]
    fn the_schema_says_what_the_type_does() {
        let schema: Value = serde_json::from_str(&schema::<Settings>("mine")).expect("the schema is JSON");
        assert_eq!(
            schema,
            json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "title": "mine",
                "description": "A table of settings.",
                "type": "object",
                "additionalProperties": false,
                "required": ["name"],
                "properties": {
                    "name": { "type": "string", "minLength": 1, "description": "Wrapped here.\n\nAnd again." },
                    "number": {
                        "type": "integer",
                        "format": "uint32",
                        "minimum": 1,
                        "maximum": 9,
                        "description": "Maybe a number.",
                    },
                    "word": {
                        "default": "one",
                        "description": "A word.",
                        "oneOf": [{ "enum": ["two", "three"] }, { "const": "one", "description": "The first." }],
                    },
                    "list": { "type": "array", "items": { "type": "string", "minLength": 1 }, "default": [] },
                },
            })
        );
    }

    #[test]
    fn a_table_that_is_wrong_is_a_failure_that_says_where() {
        let settings: Settings = parse(r#"{"name": "n"}"#).expect("the rest has defaults");
        assert_eq!((settings.name.as_str(), settings.number, settings.word), ("n", None, Word::One));
        assert!(settings.list.is_empty());
        let failure = parse::<Settings>("{}").expect_err("there is no name");
        assert_eq!(failure.code, "invalid-settings");
        assert!(failure.message.contains("missing field `name`"), "{}", failure.message);
    }
}
