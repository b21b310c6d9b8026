//! What a group of type `vitest` can be told.

use offload_plugin::prelude::*;
use offload_plugin::shell;

/// A group of vitest tests.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// Test files, or parts of their paths, as vitest filters by. Without any, vitest follows its own configuration (include).
    #[serde(default)]
    #[schemars(inner(length(min = 1)))]
    pub paths: Vec<String>,
    /// The command that runs vitest, possibly with arguments, e.g. "pnpm exec vitest".
    #[serde(default = "default_command")]
    #[schemars(length(min = 1))]
    pub command: String,
    /// The configuration file, as vitest's --config. Without, vitest looks for one in the working directory.
    #[schemars(length(min = 1))]
    pub config: Option<String>,
    /// Only projects of this name, as vitest's --project: with `*` for anything, or with `!` in front for all others.
    #[schemars(length(min = 1))]
    pub project: Option<String>,
    /// More arguments for vitest, in discovery and in every run.
    #[serde(default)]
    pub extra_args: Vec<String>,
    /// Whether each sandbox runs its tests in one warm vitest, which is handed whole files; without, in one vitest a batch.
    // The host acts on this and on what follows.
    #[serde(default = "default_worker")]
    pub worker: bool,
    /// How long one test may take in a warm vitest; without, as long as `test_timeout_secs` of `[offload]`.
    #[schemars(range(min = 1))]
    pub per_test_timeout_secs: Option<u64>,
    /// The directory that vitest is started in.
    #[schemars(length(min = 1))]
    pub working_dir: Option<String>,
}

/// Never what npm would install on the way: that may be any version, and takes its time in each sandbox.
fn default_command() -> String {
    "npx --no-install vitest".into()
}

fn default_worker() -> bool {
    true
}

impl Settings {
    /// Whether vitest is the project's own, as far as the group says.
    pub fn is_default_command(&self) -> bool {
        self.command == default_command()
    }

    /// The words of the command that is vitest: at least one.
    ///
    /// # Errors
    /// Where `command` is empty or its quotes are not balanced.
    pub fn command_words(&self) -> Result<Vec<String>, Failure> {
        let words = shell::split(&self.command)
            .map_err(|error| unusable(format!("`command` of the group, {:?}, has {error}", self.command)))?;
        if words.first().is_none_or(|program| program.is_empty()) {
            return Err(unusable("`command` of the group is empty".into()));
        }
        if words.iter().any(|word| word.contains('\0')) {
            return Err(unusable("`command` of the group contains a NUL character".into()));
        }
        Ok(words)
    }

    /// The options that say which tests there are: the same for finding and for running them.
    pub fn options(&self) -> Vec<String> {
        let mut options = self.extra_args.clone();
        for (option, value) in [("--config", &self.config), ("--project", &self.project)] {
            if let Some(value) = value {
                options.extend([option.to_owned(), value.clone()]);
            }
        }
        options
    }

    /// A command line that shows a person the same as ours, for messages.
    pub fn by_hand(&self) -> String {
        let words = self.options();
        let words = words.iter().chain(&self.paths).map(String::as_str);
        format!("{} run {}", self.command, shell::join(words)).trim_end().to_owned()
    }
}

fn unusable(message: String) -> Failure {
    Failure::new("invalid-settings", message)
        .with_help("set it to a command such as \"npx vitest\" or \"pnpm exec vitest\", or leave it out")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(table: &str) -> Settings {
        offload_plugin::settings::parse(table).expect("settings")
    }

    #[track_caller]
    fn check_command(command: &str, expected: Result<&[&str], &str>) {
        let table = serde_json::json!({ "command": command }).to_string();
        match (settings(&table).command_words(), expected) {
            (Ok(words), Ok(expected)) => assert_eq!(words, expected),
            (Err(failure), Err(expected)) => assert!(failure.message.contains(expected), "{}", failure.message),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn the_command_is_words() {
        check_command("yarn run 'my vitest'", Ok(&["yarn", "run", "my vitest"]));
        check_command("", Err("is empty"));
        check_command("''", Err("is empty"));
        check_command("npx 'vitest", Err("\"npx 'vitest\", has "));
        assert_eq!(settings("{}").command_words().expect("words"), ["npx", "--no-install", "vitest"]);
    }

    #[track_caller]
    fn check_by_hand(table: &str, expected: &str) {
        assert_eq!(settings(table).by_hand(), expected);
    }

    #[test]
    fn the_same_can_be_done_by_hand() {
        check_by_hand("{}", "npx --no-install vitest run");
        check_by_hand(
            r#"{"command": "vitest", "paths": ["a b"], "config": "c.ts", "project": "!p", "extra_args": ["--dom"], "working_dir": "."}"#,
            "vitest run --dom --config c.ts --project '!p' 'a b'",
        );
    }
}
