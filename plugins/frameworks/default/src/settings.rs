//! The group's table in the configuration.

use offload_plugin::prelude::*;
use offload_plugin::template;

/// Stands for the tests to run in `run_command`.
pub const TESTS: &str = "tests";
/// Stands for a result file that no other attempt has.
pub const RESULT_FILE: &str = "result_file";

/// A group of tests that commands find and run.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// Shell command that prints the tests, one id a line or a JSON array of strings.
    #[schemars(length(min = 1))]
    pub discover_command: String,
    /// Shell command that runs {tests}; {result_file} stands for a JUnit file of the attempt's own.
    #[schemars(regex(pattern = r"\{tests\}"))]
    pub run_command: String,
    /// JUnit file that the command always writes, relative to the directory that it runs in; without it and {result_file}
    /// the exit code decides.
    #[schemars(length(min = 1))]
    pub result_file: Option<String>,
    /// Directory that the group's commands run in.
    // The host acts on this.
    #[schemars(length(min = 1))]
    pub working_dir: Option<String>,
}

/// What tells how tests went.
#[derive(Debug, PartialEq)]
pub enum Judge {
    /// A JUnit file.
    Report {
        path: String,
        /// Whether an earlier attempt may have left its own in the same place.
        may_be_stale: bool,
    },
    /// The exit code of each test's own command.
    ExitCode {
        /// Where it is noted when the command began and ended.
        record: String,
    },
}

impl Settings {
    /// # Errors
    /// Settings that cannot work, with what to change.
    pub fn check(&self) -> Result<(), Failure> {
        if template::mentions(&self.run_command, TESTS) {
            return Ok(());
        }
        Err(Failure::new("invalid-settings", "`run_command` has no {tests}, so that it cannot be told what to run")
            .with_help("write {tests} where the tests belong, such as: run_command = \"jest {tests} --ci\""))
    }

    pub fn judge(&self, context: &Context) -> Judge {
        if template::mentions(&self.run_command, RESULT_FILE) {
            return Judge::Report { path: format!("{}result.xml", context.scratch), may_be_stale: false };
        }
        match &self.result_file {
            Some(path) => Judge::Report { path: path.clone(), may_be_stale: true },
            None => Judge::ExitCode { record: format!("{}times", context.scratch) },
        }
    }

    /// Two sandboxes that share a working directory would read each other's result file, if it is always the same.
    pub fn needs(&self) -> Vec<String> {
        let shares_a_file = self.result_file.is_some() && !template::mentions(&self.run_command, RESULT_FILE);
        if shares_a_file { vec!["private-directory".to_owned()] } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(json: &str) -> Settings {
        offload_plugin::settings::parse(json).expect("the settings can be read")
    }

    fn context() -> Context {
        Context { scratch: "/s/1-".to_owned(), nonce: String::new(), attempt: 1, memo: None }
    }

    #[track_caller]
    fn check_judge(run_command: &str, result_file: Option<&str>, expected: Judge, expected_needs: &[&str]) {
        let json = json!({ "discover_command": "d", "run_command": run_command, "result_file": result_file });
        let settings = settings(&json.to_string());
        assert_eq!(settings.check(), Ok(()));
        assert_eq!(settings.judge(&context()), expected);
        assert_eq!(settings.needs(), expected_needs);
    }

    #[test]
    fn knows_what_judges() {
        let own_file = || Judge::Report { path: "/s/1-result.xml".to_owned(), may_be_stale: false };
        check_judge("run {tests}", None, Judge::ExitCode { record: "/s/1-times".to_owned() }, &[]);
        check_judge("run {tests} {result_file}", None, own_file(), &[]);
        check_judge("run {tests} {result_file}", Some("junit.xml"), own_file(), &[]);
        check_judge(
            "run {tests} ${result_file}",
            Some("junit.xml"),
            Judge::Report { path: "junit.xml".to_owned(), may_be_stale: true },
            &["private-directory"],
        );
    }

    #[test]
    fn refuses_a_command_that_cannot_be_told_what_to_run() {
        let failure = settings(r#"{"discover_command": "d", "run_command": "jest"}"#).check().expect_err("no {tests}");
        assert_eq!(failure.message, "`run_command` has no {tests}, so that it cannot be told what to run");
        assert!(failure.help.is_some());
    }
}
