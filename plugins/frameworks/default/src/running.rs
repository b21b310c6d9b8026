//! The command that runs a batch.

use offload_plugin::framework::RunPlan;
use offload_plugin::types::{Command, Context, Failure, Test};
use offload_plugin::{shell, template};

use crate::place::{self, KNOW_PLACE};
use crate::settings::{Judge, RESULT_FILE, Settings, TESTS};

/// Runs one command line with nothing left over from an earlier attempt.
const FRESH_FILE_SCRIPT: &str = r#"rm -f -- "$1" || exit; exec sh -c "$2""#;

/// Runs one command line and notes when it begins and ends.
const TIMED_SCRIPT: &str = r#"date +%s.%N >"$1" || exit; sh -c "$2"; code=$?; date +%s.%N >>"$1"; exit $code"#;

/// # Errors
/// The code "run-singly" for several tests where the exit code judges: it can speak of one alone.
pub fn plan(settings: &Settings, context: &Context, tests: &[Test]) -> Result<RunPlan, Failure> {
    let (script, result_file) = match settings.judge(context) {
        Judge::Report { path, may_be_stale: true } => (Some(FRESH_FILE_SCRIPT), path),
        Judge::Report { path, may_be_stale: false } => (None, path),
        Judge::ExitCode { .. } if tests.len() > 1 => {
            return Err(Failure::new("run-singly", "the exit code of one command cannot judge several tests")
                .with_help("set `result_file` to the JUnit file that the command writes, to have tests run together"));
        }
        Judge::ExitCode { record } => (Some(TIMED_SCRIPT), record),
    };
    let mut line = command_line(&settings.run_command, tests, &result_file);
    let mut result_files = vec![result_file.clone()];
    if let Some(place) = place(context, tests) {
        line = format!("{KNOW_PLACE}; printf %s \"$OFFLOAD_WORKING_DIR\" >{}; {line}", shell::quote(&place));
        result_files.push(place);
    }
    let mut argv = vec!["sh".to_owned(), "-c".to_owned()];
    match script {
        Some(script) => argv.extend([script.to_owned(), "sh".to_owned(), result_file, line]),
        None => argv.push(line),
    }
    Ok(RunPlan { result_files, ..RunPlan::new(Command::new(argv)) })
}

/// The file in which the command notes where it runs, if any test is handed over as a path of that directory.
pub fn place(context: &Context, tests: &[Test]) -> Option<String> {
    tests.iter().any(place::is_path).then(|| format!("{}place", context.scratch))
}

fn command_line(template: &str, tests: &[Test], result_file: &str) -> String {
    let tests = tests.iter().map(place::word).collect::<Vec<_>>().join(" ");
    template::expand(template, &[(TESTS, &tests), (RESULT_FILE, &shell::quote(result_file))])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TESTS: [&str; 2] = ["a.js", "it's $HOME"];

    fn context() -> Context {
        Context { scratch: "/my scratch/".to_owned(), nonce: String::new(), attempt: 1, memo: None }
    }

    fn planned(settings: &str, tests: &[&str]) -> Result<RunPlan, Failure> {
        let settings = offload_plugin::settings::parse::<Settings>(settings).expect("the settings are good");
        plan(&settings, &context(), &tests.iter().map(|id| Test::new(*id)).collect::<Vec<_>>())
    }

    #[track_caller]
    fn check(settings: &str, tests: &[&str], expected_argv: &[&str], expected_file: &str) {
        let plan = planned(settings, tests).expect("the tests can run");
        assert_eq!(plan.command.argv, expected_argv);
        assert_eq!(plan.result_files, [expected_file]);
    }

    #[test]
    fn hands_over_tests_and_file() {
        check(
            r#"{"discover_command": "d", "run_command": "x=${HOME} jest {tests} --out={result_file}"}"#,
            &TESTS,
            &["sh", "-c", r"x=${HOME} jest a.js 'it'\''s $HOME' --out='/my scratch/result.xml'"],
            "/my scratch/result.xml",
        );
    }

    #[test]
    fn removes_what_an_earlier_attempt_left() {
        check(
            r#"{"discover_command": "d", "run_command": "jest {tests}", "result_file": "junit.xml"}"#,
            &TESTS,
            &["sh", "-c", FRESH_FILE_SCRIPT, "sh", "junit.xml", r"jest a.js 'it'\''s $HOME'"],
            "junit.xml",
        );
    }

    #[test]
    fn paths_are_handed_over_as_those_of_the_place() {
        let settings = r#"{"discover_command": "d", "run_command": "jest {tests}", "result_file": "junit.xml"}"#;
        let settings = offload_plugin::settings::parse::<Settings>(settings).expect("the settings are good");
        let path = Test { tags: vec![place::TAG.to_owned()], ..Test::new("a.js") };
        let plan = plan(&settings, &context(), &[path, Test::new("b")]).expect("the tests can run");
        assert_eq!(
            plan.command.argv[5],
            "OFFLOAD_WORKING_DIR=$(pwd -P); export OFFLOAD_WORKING_DIR; printf %s \"$OFFLOAD_WORKING_DIR\" >'/my scratch/place'; \
             jest \"$OFFLOAD_WORKING_DIR\"/a.js b"
        );
        assert_eq!(plan.result_files, ["junit.xml", "/my scratch/place"]);
    }

    #[test]
    fn an_exit_code_judges_one_test() {
        let settings = r#"{"discover_command": "d", "run_command": "check {tests}"}"#;
        let argv = ["sh", "-c", TIMED_SCRIPT, "sh", "/my scratch/times", "check a.js"];
        check(settings, &["a.js"], &argv, "/my scratch/times");
        assert_eq!(planned(settings, &TESTS).expect_err("they are two").code, "run-singly");
    }
}
