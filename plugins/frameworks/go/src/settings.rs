//! The group's table in the configuration.

use offload_plugin::prelude::*;
use offload_plugin::shell;

/// A group of Go tests.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// The command that is Go, possibly with arguments.
    #[serde(default = "default_go")]
    #[schemars(length(min = 1))]
    pub go: String,
    /// Packages to test, as `go test` takes them: import paths, directories such as "./store", patterns such as "./...".
    #[serde(default = "default_packages")]
    #[schemars(length(min = 1), inner(length(min = 1)))]
    pub packages: Vec<String>,
    /// Build tags that are set.
    #[serde(default)]
    #[schemars(inner(length(min = 1)))]
    pub tags: Vec<String>,
    /// More arguments for `go test`, in discovery and in every run, e.g. "-race" or "-short".
    #[serde(default)]
    pub extra_args: Vec<String>,
    /// Directory that the group's commands run in.
    // The host acts on this.
    #[schemars(length(min = 1))]
    pub working_dir: Option<String>,
}

fn default_go() -> String {
    "go".to_owned()
}

fn default_packages() -> Vec<String> {
    vec!["./...".to_owned()]
}

/// What a test is told by must be its own run and nothing else: these would have other tests run, none, or be told
/// otherwise.
const NOT_OURS: [&str; 10] = ["run", "skip", "list", "bench", "fuzz", "json", "c", "i", "n", "o"];

/// Each test that is run was asked for in this run, so no earlier result stands for it; and how long that may take is for
/// the host to say, not for Go's own limit of ten minutes. `extra_args` may change both.
const OPTIONS: [&str; 3] = ["-json", "-count=1", "-timeout=0"];

impl Settings {
    /// # Errors
    /// Settings that cannot work.
    pub fn check(&self) -> Result<(), Failure> {
        self.go_words()?;
        if let Some(flag) = self.flags().find(|flag| NOT_OURS.contains(flag)) {
            let message = format!("`-{flag}` in `extra_args` of the group is for offload to say");
            return Err(unusable(message, "leave it out; `packages` and `tags` choose which tests there are"));
        }
        if let Some(file) = self.packages.iter().find(|package| package.ends_with(".go")) {
            let message = format!("`packages` of the group names a file, {file}");
            return Err(unusable(message, "name its package, by import path or by a directory such as \"./store\""));
        }
        Ok(())
    }

    /// Whether `go test` may run a test more than once: its result is only known at the end.
    pub fn repeats(&self) -> bool {
        self.flags().any(|flag| flag == "count" || flag == "cpu")
    }

    /// `go test` on these packages, with `more` options; the same in discovery and in runs, so that what one has built serves
    /// the other.
    ///
    /// # Errors
    /// `go` is no command.
    pub fn test_command(&self, more: &[&str], packages: &[String]) -> Result<Vec<String>, Failure> {
        let mut argv = self.go_words()?;
        argv.push("test".to_owned());
        argv.extend(OPTIONS.map(str::to_owned));
        if !self.tags.is_empty() {
            argv.push(format!("-tags={}", self.tags.join(",")));
        }
        argv.extend(more.iter().map(|&option| option.to_owned()));
        argv.extend_from_slice(packages);
        // Behind the packages, where go passes on what it does not know, and `-args` with all that follows.
        argv.extend_from_slice(&self.extra_args);
        Ok(argv)
    }

    fn go_words(&self) -> Result<Vec<String>, Failure> {
        let example = "set it to a command such as \"go\" or \"go1.22.0\", or leave it out";
        let words = shell::split(&self.go)
            .map_err(|error| unusable(format!("`go` of the group, {:?}, cannot be read: {error}", self.go), example))?;
        if words.first().is_none_or(|program| program.is_empty()) {
            return Err(unusable("`go` of the group is empty".to_owned(), example));
        }
        Ok(words)
    }

    /// The names of the flags in `extra_args` that are meant for `go test`.
    fn flags(&self) -> impl Iterator<Item = &str> {
        let own = self.extra_args.iter().take_while(|argument| !["-args", "--args"].contains(&argument.as_str()));
        own.filter_map(|argument| {
            let flag = argument.strip_prefix('-')?;
            let flag = flag.strip_prefix('-').unwrap_or(flag);
            let name = flag.split_once('=').map_or(flag, |(name, _)| name);
            Some(name.strip_prefix("test.").unwrap_or(name))
        })
    }
}

fn unusable(message: String, help: &str) -> Failure {
    Failure::new("invalid-settings", message).with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: &str) -> Settings {
        offload_plugin::settings::parse(json).expect("the settings can be read")
    }

    #[track_caller]
    fn check_command(json: &str, expected: &str) {
        let settings = settings(json);
        settings.check().expect("the settings are good");
        let argv = settings.test_command(&["-run=^A$"], &settings.packages).expect("go is a command");
        assert_eq!(argv.join(" "), expected);
    }

    #[test]
    fn commands_have_what_is_configured() {
        check_command("{}", "go test -json -count=1 -timeout=0 -run=^A$ ./...");
        check_command(
            r#"{"go": "nice go", "packages": ["a", "b"], "tags": ["x", "y"], "extra_args": ["-race"], "working_dir": "w"}"#,
            "nice go test -json -count=1 -timeout=0 -tags=x,y -run=^A$ a b -race",
        );
    }

    #[track_caller]
    fn check_refused(json: &str, expected: &str) {
        let failure = settings(json).check().expect_err("the settings are bad");
        assert_eq!(failure.code, "invalid-settings");
        assert!(failure.message.contains(expected), "{}", failure.message);
    }

    #[test]
    fn what_would_change_which_tests_run_is_refused() {
        check_refused(r#"{"extra_args": ["-short", "--run=TestA"]}"#, "`-run` in `extra_args`");
        check_refused(r#"{"extra_args": ["-test.skip", "TestA"]}"#, "`-skip` in `extra_args`");
        check_refused(r#"{"packages": ["./a", "a_test.go"]}"#, "names a file, a_test.go");
        check_refused(r#"{"go": "''"}"#, "is empty");
        check_refused(r#"{"go": "go '"}"#, "is never closed");
        settings(r#"{"extra_args": ["-args", "-run"]}"#).check().expect("what follows is the test's own");
    }

    #[test]
    fn knows_when_tests_are_repeated() {
        assert!(!settings(r#"{"extra_args": ["-race", "-args", "-count"]}"#).repeats());
        assert!(settings(r#"{"extra_args": ["-count=2"]}"#).repeats());
        assert!(settings(r#"{"extra_args": ["-cpu", "1,2"]}"#).repeats());
    }
}
