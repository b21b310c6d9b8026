//! The group's table in the configuration.

use offload_plugin::types::Failure;
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Settings {
    package: Option<String>,
    features: Vec<String>,
    include_ignored: bool,
}

impl Settings {
    /// # Errors
    /// Settings that are not what the schema asks for.
    pub fn parse(json: &str) -> Result<Self, Failure> {
        serde_json::from_str(json)
            .map_err(|error| Failure::new("bad-settings", format!("the group's settings cannot be read: {error}")))
    }

    /// What tells nextest which tests there are: the same for finding and for running them.
    pub fn selection(&self) -> Vec<String> {
        let mut arguments = self.run_options();
        arguments.extend(self.build_options());
        arguments
    }

    /// What is built, for which nextest has no use once that is done.
    pub fn build_options(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        if let Some(package) = &self.package {
            arguments.extend(["--package".to_owned(), package.clone()]);
        }
        if !self.features.is_empty() {
            arguments.extend(["--features".to_owned(), self.features.join(",")]);
        }
        arguments
    }

    /// What is run of that, and how.
    pub fn run_options(&self) -> Vec<String> {
        let mut arguments = vec!["--color".to_owned(), "never".to_owned()];
        if self.include_ignored {
            arguments.extend(["--run-ignored", "all"].map(str::to_owned));
        }
        arguments
    }
}

/// The JSON Schema of the table.
pub fn schema() -> String {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "package": {
                "type": "string",
                "minLength": 1,
                "description": "The package to test; without it what cargo tests by default in the working directory",
            },
            "features": {
                "type": "array",
                "items": { "type": "string", "minLength": 1 },
                "description": "Features to enable",
            },
            "include_ignored": {
                "type": "boolean",
                "default": false,
                "description": "Whether to run tests marked #[ignore] as well",
            },
            "working_dir": {
                "type": "string",
                "description": "Directory that the group's commands run in",
            },
        },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        let settings = Settings::parse(json).expect("the settings are good");
        assert_eq!(settings.selection().join(" "), expected);
    }

    #[test]
    fn selects_what_is_configured() {
        check("{}", "--color never");
        check(r#"{"package": "p", "working_dir": "w"}"#, "--color never --package p");
        check(
            r#"{"features": ["a", "b/c"], "include_ignored": true}"#,
            "--color never --run-ignored all --features a,b/c",
        );
    }

    #[test]
    fn the_schema_is_an_object() {
        let schema: serde_json::Value = serde_json::from_str(&schema()).expect("the schema is JSON");
        assert_eq!(schema["additionalProperties"], false);
    }
}
