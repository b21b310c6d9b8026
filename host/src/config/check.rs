//! Holds a table against a JSON Schema: the host's own, or the one that a plugin carries.

use jsonschema::ValidationError;
use serde_json::{Map, Value};

use super::{
    document::Document,
    error::{ConfigError, Problem},
    explain::Explain,
    pointer,
    schema::Config,
    suggestion::{all_of, nearest, one_of},
    tables::{HOST_KEYS, SCHEMA},
};

/// Everything in `value`, which is at `base` of the document, that `schema` does not allow.
pub(super) fn problems(
    value: &Value,
    base: &str,
    schema: &Value,
    document: Option<&Document>,
) -> Result<Vec<Problem>, ValidationError<'static>> {
    let validator = jsonschema::draft202012::new(schema)?;
    let explain = Explain { base, schema, document };
    Ok(validator.iter_errors(value).flat_map(|error| explain.error(&error)).collect())
}

/// Holds a table that stands in no file against the JSON Schema that a plugin carries.
///
/// # Errors
/// What is wrong with the table, or that the schema is none.
pub fn check_table(table: &Value, schema: &Value) -> Result<(), ConfigError> {
    let problems = problems(table, "", schema, None)
        .map_err(|error| ConfigError::new(Problem::new(format!("the settings schema is not valid: {error}"))))?;
    ConfigError::unless_none(problems)
}

/// A framework's schema that also names what the host reads itself, so that a misspelled key finds its likeness.
fn with_host_keys(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let own = &SCHEMA["properties"]["groups"]["additionalProperties"]["properties"];
        properties.extend(HOST_KEYS.map(|key| (key.to_owned(), own[key].clone())));
    }
    schema
}

impl Config {
    /// Holds the provider's table against the JSON Schema that its component carries.
    pub fn check_provider(&self, schema: &Value) -> Result<(), ConfigError> {
        let owner = format!("the provider `{}`", self.provider.kind);
        self.check_settings(&self.provider.settings, "/provider", schema, &owner)
    }

    /// Holds a group's table against the JSON Schema that its framework's component carries.
    pub fn check_group(&self, name: &str, schema: &Value) -> Result<(), ConfigError> {
        let Some(group) = self.groups.get(name) else {
            let known = all_of(self.groups.keys().map(String::as_str));
            let problem = Problem::new(format!("there is no group `{name}`"));
            return Err(ConfigError::new(problem.with_help(format!("the groups are {known}"))));
        };
        let owner = format!("the framework `{}`", group.kind);
        self.check_settings(&group.settings, &pointer::child("/groups", name), &with_host_keys(schema), &owner)
    }

    /// No plugin of the configuration may have the name of one that comes with offload: nobody could tell which is meant.
    pub fn check_plugin_names(&self, built_in: &[&str]) -> Result<(), ConfigError> {
        let Some(name) = self.plugins.keys().find(|name| built_in.contains(&name.as_str())) else { return Ok(()) };
        let at = pointer::child("/plugins", name);
        let place = self.document.as_deref().and_then(|document| document.key(&at));
        let problem = Problem::new(format!("{} has the name of a plugin that comes with offload", pointer::table(&at)))
            .at(place, "is taken")
            .with_help("give it another name, and use that as `type`".to_owned());
        Err(self.placed(ConfigError::new(problem)))
    }

    /// The configured provider is none of `known`.
    pub fn unknown_provider(&self, known: &[&str]) -> ConfigError {
        self.unknown_type("provider", &self.provider.kind, "/provider", known)
    }

    /// The configured framework of a group is none of `known`.
    pub fn unknown_framework(&self, group: &str, known: &[&str]) -> ConfigError {
        let kind = self.groups.get(group).map_or("", |group| group.kind.as_str());
        self.unknown_type("framework", kind, &pointer::child("/groups", group), known)
    }

    fn unknown_type(&self, role: &str, kind: &str, table: &str, known: &[&str]) -> ConfigError {
        let place = self.document.as_deref().and_then(|document| document.value(&pointer::child(table, "type")));
        let mut help = match nearest(kind, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? "),
            None => String::new(),
        };
        help += &format!("`type` may be {}", one_of(known.iter().copied()));
        let problem = Problem::new(format!("there is no {role} `{kind}`, which {} names", pointer::table(table)))
            .at(place, format!("no such {role}"));
        self.placed(ConfigError::new(problem.with_help(help)))
    }

    fn check_settings(
        &self,
        settings: &Map<String, Value>,
        base: &str,
        schema: &Value,
        owner: &str,
    ) -> Result<(), ConfigError> {
        let settings = Value::Object(settings.clone());
        let problems = problems(&settings, base, schema, self.document.as_deref()).map_err(|error| {
            let problem = Problem::new(format!("{owner} carries a settings schema that is not valid: {error}"));
            ConfigError::new(problem.with_help("this is a mistake in the plugin: tell its author".to_owned()))
        })?;
        ConfigError::unless_none(problems).map_err(|error| self.placed(error))
    }

    fn placed(&self, error: ConfigError) -> ConfigError {
        match &self.document {
            Some(document) => document.error(error),
            None => error,
        }
    }
}
