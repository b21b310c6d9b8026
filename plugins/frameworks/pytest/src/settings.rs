//! What a group of type `pytest` can be told.

use offload_plugin::shell;
use offload_plugin::types::Failure;
use serde::Deserialize;

/// The JSON Schema of the group's table.
pub const SCHEMA: &str = include_str!("settings.schema.json");

/// The group's table, as far as it is this component's business.
#[derive(Debug, Deserialize)]
pub struct Settings {
    /// Files and directories to collect from; without any, pytest follows its own configuration.
    #[serde(default)]
    pub paths: Vec<String>,
    /// An expression for `-m`.
    pub markers: Option<String>,
    /// The command that is Python, with arguments, quoted as in a shell.
    #[serde(default = "default_python")]
    python: String,
    /// More arguments for pytest.
    #[serde(default)]
    pub extra_args: Vec<String>,
}

fn default_python() -> String {
    "python3".into()
}

impl Settings {
    /// # Errors
    /// Where the table is not what [`SCHEMA`] describes.
    pub fn parse(table: &str) -> Result<Self, Failure> {
        serde_json::from_str(table).map_err(|error| {
            unusable(format!("the group's settings cannot be read: {error}"), "compare them with the documented keys")
        })
    }

    /// The words of the command that is Python: at least one.
    ///
    /// # Errors
    /// Where `python` is empty or its quotes are not balanced.
    pub fn python_words(&self) -> Result<Vec<String>, Failure> {
        let example = "set it to a command such as \"python3\" or \"uv run python\", or leave it out";
        let words = shell::split(&self.python)
            .map_err(|error| unusable(format!("`python` of the group, {:?}, has {error}", self.python), example))?;
        if words.first().is_none_or(|program| program.is_empty()) {
            return Err(unusable("`python` of the group is empty".into(), example));
        }
        if words.iter().any(|word| word.contains('\0')) {
            return Err(unusable("`python` of the group contains a NUL character".into(), example));
        }
        Ok(words)
    }

    /// What pytest is called with, the same in discovery and in runs, so that its root directory, its configuration file
    /// and thus its node ids are the same. `narrowed` takes the place of the configured paths where it names any.
    pub fn pytest_arguments(&self, narrowed: &[String]) -> Vec<String> {
        let paths = if narrowed.is_empty() { &self.paths } else { narrowed };
        // In front: an option with an optional value at the end of `extra_args` would take a path for it.
        let mut arguments: Vec<String> = paths.iter().map(|path| as_operand(path)).collect();
        if let Some(markers) = self.markers.as_deref().filter(|markers| !markers.trim().is_empty()) {
            arguments.extend(["-m".into(), markers.into()]);
        }
        arguments.extend(self.extra_args.iter().cloned());
        arguments
    }

    /// A command line that shows a person the same as ours, for messages.
    pub fn by_hand(&self, narrowed: &[String], more: &[&str]) -> String {
        let arguments =
            shell::join(self.pytest_arguments(narrowed).iter().map(String::as_str).chain(more.iter().copied()));
        format!("{} -m pytest {arguments}", self.python).trim_end().to_owned()
    }
}

/// A path that no parser takes for an option.
fn as_operand(path: &str) -> String {
    if path.starts_with('-') { format!("./{path}") } else { path.to_owned() }
}

fn unusable(message: String, help: &str) -> Failure {
    Failure { code: "invalid-settings".into(), message, help: Some(help.into()), retryable: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(table: &str) -> Settings {
        Settings::parse(table).expect("settings")
    }

    #[track_caller]
    fn check_python(python: &str, expected: Result<&[&str], &str>) {
        let table = serde_json::json!({ "python": python }).to_string();
        match (settings(&table).python_words(), expected) {
            (Ok(words), Ok(expected)) => assert_eq!(words, expected),
            (Err(failure), Err(expected)) => {
                assert_eq!(failure.code, "invalid-settings");
                assert!(failure.message.contains(expected), "{}", failure.message);
            }
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn python_is_a_command_with_arguments() {
        check_python("python3", Ok(&["python3"]));
        check_python("uv run python -X dev", Ok(&["uv", "run", "python", "-X", "dev"]));
        check_python("'/opt/my python/bin/python'", Ok(&["/opt/my python/bin/python"]));
    }

    #[test]
    fn python_that_is_no_command_is_refused() {
        check_python("", Err("is empty"));
        check_python("  ", Err("is empty"));
        check_python("''", Err("is empty"));
        check_python("uv run 'python", Err("\"uv run 'python\", has "));
    }

    #[test]
    fn python_is_python3_unless_said_otherwise() {
        assert_eq!(settings("{}").python_words().expect("words"), ["python3"]);
    }

    #[track_caller]
    fn check_arguments(table: &str, narrowed: &[&str], expected: &[&str]) {
        let narrowed: Vec<String> = narrowed.iter().map(|&path| path.into()).collect();
        assert_eq!(settings(table).pytest_arguments(&narrowed), expected);
    }

    #[test]
    fn arguments_are_paths_then_markers_then_the_rest() {
        check_arguments("{}", &[], &[]);
        check_arguments(
            r#"{"paths": ["tests", "-odd"], "markers": "not slow", "extra_args": ["-x", "--cov"], "working_dir": "."}"#,
            &[],
            &["tests", "./-odd", "-m", "not slow", "-x", "--cov"],
        );
        check_arguments(r#"{"paths": ["tests"], "markers": " "}"#, &["tests/a.py"], &["tests/a.py"]);
    }

    #[test]
    fn a_wrong_table_is_a_failure() {
        let failure = Settings::parse(r#"{"paths": 3}"#).expect_err("no list");
        assert!(failure.message.contains("invalid type"), "{}", failure.message);
    }

    #[test]
    fn the_schema_is_json_and_describes_every_key() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).expect("JSON");
        assert_eq!(schema["additionalProperties"], false);
        let properties = schema["properties"].as_object().expect("properties");
        let mut keys: Vec<_> = properties.keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(
            keys,
            ["extra_args", "markers", "paths", "per_test_timeout_secs", "python", "worker", "working_dir"]
        );
        assert!(properties.values().all(|property| property["description"].is_string()));
    }
}
