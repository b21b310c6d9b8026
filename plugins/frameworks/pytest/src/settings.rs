//! What a group of type `pytest` can be told.

use offload_plugin::prelude::*;
use offload_plugin::shell;

/// A group of pytest tests.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// Files and directories to collect tests from. Without any, pytest follows its own configuration (testpaths).
    #[serde(default)]
    #[schemars(inner(length(min = 1)))]
    pub paths: Vec<String>,
    /// Only tests that match this marker expression, as with pytest's -m.
    pub markers: Option<String>,
    /// The command that runs Python, possibly with arguments, e.g. "uv run python".
    #[serde(default = "default_python")]
    #[schemars(length(min = 1))]
    pub python: String,
    /// More arguments for pytest, in discovery and in every run.
    #[serde(default)]
    pub extra_args: Vec<String>,
    /// Whether each sandbox runs its tests in one warm pytest process; without, in one process a batch.
    // The host acts on this and on what follows.
    #[serde(default = "default_worker")]
    pub worker: bool,
    /// How long one test may take in a warm process; without, as long as `test_timeout_secs` of `[offload]`.
    #[schemars(range(min = 1))]
    pub per_test_timeout_secs: Option<u64>,
    /// How long a process may take to end after its last test: a thread or an exit handler that keeps it for longer is named
    /// in a warning, and the process is ended.
    #[serde(default = "default_exit_grace")]
    #[schemars(range(min = 1))]
    pub exit_grace_secs: u64,
    /// The directory that pytest is started in.
    #[schemars(length(min = 1))]
    pub working_dir: Option<String>,
}

fn default_python() -> String {
    "python3".into()
}

fn default_worker() -> bool {
    true
}

fn default_exit_grace() -> u64 {
    5
}

impl Settings {
    /// Short text that tells this group from another one, the same in every sandbox (FNV-1a, 32 bits).
    pub(crate) fn digest(&self) -> String {
        let directory = self.working_dir.as_deref().unwrap_or_default();
        let mut told = vec![self.python.as_str(), directory, self.markers.as_deref().unwrap_or_default()];
        told.extend(self.paths.iter().chain(&self.extra_args).map(String::as_str));
        let bytes = told.iter().flat_map(|text| text.bytes().chain([0]));
        let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        format!("{hash:08x}")
    }

    /// The words of the command that is Python: at least one.
    ///
    /// # Errors
    /// Where `python` is empty or its quotes are not balanced.
    pub fn python_words(&self) -> Result<Vec<String>, Failure> {
        let example = "set it to a command such as \"python3\" or \"uv run python\", or leave it out";
        let words = shell::split(&self.python).map_err(|error| {
            unusable(format!("`python` of the group, {:?}, is no command: {error}", self.python), example)
        })?;
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
        offload_plugin::settings::parse(table).expect("settings")
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
        check_python("uv run 'python", Err("\"uv run 'python\", is no command: "));
    }

    #[test]
    fn python_is_python3_unless_said_otherwise() {
        assert_eq!(settings("{}").python_words().expect("words"), ["python3"]);
    }

    #[test]
    fn groups_are_told_apart() {
        let digests = ["{}", r#"{"paths": ["a"]}"#, r#"{"extra_args": ["a"]}"#, r#"{"working_dir": "a"}"#]
            .map(|table| settings(table).digest());
        assert_eq!(settings("{}").digest(), digests[0]);
        assert!(digests.iter().all(|digest| digest.len() == 8));
        assert!(digests[1..].iter().all(|digest| *digest != digests[0]), "{digests:?}");
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
}
