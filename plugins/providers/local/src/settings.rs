//! What `[provider]` may say with `type = "local"`.

use offload_plugin::types::Failure;
use serde::Deserialize;

use crate::isolation::Isolation;

/// The keys that this provider acts on. The host applies `env` itself: it comes back with every command.
#[derive(Debug, Deserialize)]
pub struct Settings {
    /// Absolute, as the host resolved it; absent means the host's own directory.
    #[serde(default)]
    pub working_dir: Option<String>,
    #[serde(default = "default_shell")]
    pub shell: String,
    #[serde(default)]
    pub isolation: Isolation,
}

fn default_shell() -> String {
    "/bin/sh".to_owned()
}

impl Settings {
    /// Reads the table as the host gives it.
    ///
    /// # Errors
    /// `invalid-settings`, where the table does not have the shape that [`SCHEMA`] describes.
    pub fn parse(json: &str) -> Result<Self, Failure> {
        serde_json::from_str(json).map_err(|error| {
            Failure::new("invalid-settings", format!("the settings of the local provider could not be read: {error}"))
        })
    }
}

/// JSON Schema of the table.
pub const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "local provider",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "working_dir": {
      "type": "string",
      "description": "Directory in which the tests run; relative to the working directory of [offload], and by default the same."
    },
    "shell": {
      "type": "string",
      "minLength": 1,
      "default": "/bin/sh",
      "description": "Shell that runs each command, as <shell> -c <command line>."
    },
    "env": {
      "type": "object",
      "additionalProperties": { "type": "string" },
      "description": "Environment variables of the tests, on top of those that offload itself was started with."
    },
    "isolation": {
      "enum": ["auto", "copy", "none"],
      "default": "auto",
      "description": "Whether each sandbox works in a private copy of the working directory: only where a group would write the same result file from several sandboxes (auto), always (copy), or never (none)."
    }
  }
}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_a_default() {
        let settings = Settings::parse("{}").expect("an empty table is complete");
        assert_eq!(settings.shell, "/bin/sh");
        assert_eq!(settings.working_dir, None);
        assert_eq!(settings.isolation, Isolation::Auto);
    }

    #[test]
    fn reads_what_is_set() {
        let settings = Settings::parse(r#"{"shell": "/bin/bash", "isolation": "copy", "env": {"A": "1"}}"#);
        let settings = settings.expect("the table is valid");
        assert_eq!(settings.shell, "/bin/bash");
        assert_eq!(settings.isolation, Isolation::Copy);
    }

    #[test]
    fn the_schema_is_json_and_describes_every_key() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
        let properties = schema["properties"].as_object().expect("the schema has properties");
        assert!(properties.values().all(|property| property["description"].is_string()));
        assert_eq!(schema["additionalProperties"], false);
    }
}
