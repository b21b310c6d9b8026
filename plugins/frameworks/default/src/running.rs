//! The command that runs a batch.

use offload_plugin::types::{Command, Context, Test};
use offload_plugin::{shell, template};

use crate::bindings::exports::offload::plugin::framework::RunPlan;
use crate::settings::{Judge, RESULT_FILE, Settings, TESTS};

/// Runs one command line with nothing left over from an earlier attempt.
const FRESH_FILE_SCRIPT: &str = r#"rm -f -- "$1" || exit; exec sh -c "$2""#;

/// Runs one command line for each test, and notes when each begins and how it ends while it goes on, so that what was done
/// is known even if this is killed.
const ONE_BY_ONE_SCRIPT: &str = r#"
record=$1
shift
: >"$record" || exit
index=0
for line do
    echo "begin $index $(date +%s.%N)" >>"$record"
    sh -c "$line"
    code=$?
    echo "end $index $(date +%s.%N) $code" >>"$record"
    index=$((index + 1))
done
exit 0
"#;

pub fn plan(settings: &Settings, context: &Context, tests: &[Test]) -> RunPlan {
    let (argv, result_file) = match settings.judge(context) {
        Judge::Report { path, may_be_stale } => {
            let line = command_line(&settings.run_command, tests, Some(&path));
            let argv = if may_be_stale {
                vec![
                    "sh".to_owned(),
                    "-c".to_owned(),
                    FRESH_FILE_SCRIPT.to_owned(),
                    "sh".to_owned(),
                    path.clone(),
                    line,
                ]
            } else {
                vec!["sh".to_owned(), "-c".to_owned(), line]
            };
            (argv, path)
        }
        Judge::ExitCode { record } => {
            let mut argv = ["sh", "-c", ONE_BY_ONE_SCRIPT, "sh", &record].map(str::to_owned).to_vec();
            argv.extend(tests.chunks(1).map(|test| command_line(&settings.run_command, test, None)));
            (argv, record)
        }
    };
    RunPlan {
        command: Command { argv, env: Vec::new(), cwd: None },
        stdin: Vec::new(),
        result_files: vec![result_file],
    }
}

fn command_line(template: &str, tests: &[Test], result_file: Option<&str>) -> String {
    let tests = shell::join(tests.iter().map(|test| &test.id));
    let result_file = result_file.map(shell::quote);
    let mut values = vec![(TESTS, tests.as_str())];
    values.extend(result_file.as_deref().map(|path| (RESULT_FILE, path)));
    template::expand(template, &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(settings: &str, expected_argv: &[&str], expected_file: &str) {
        let settings = Settings::parse(settings).expect("the settings are good");
        let context = Context { scratch: "/my scratch/".to_owned(), nonce: String::new(), attempt: 1 };
        let plan = plan(&settings, &context, &["a.js", "it's $HOME"].map(Test::new));
        assert_eq!(plan.command.argv, expected_argv);
        assert_eq!(plan.result_files, [expected_file]);
    }

    #[test]
    fn hands_over_tests_and_file() {
        check(
            r#"{"discover_command": "d", "run_command": "x=${HOME} jest {tests} --out={result_file}"}"#,
            &["sh", "-c", r"x=${HOME} jest a.js 'it'\''s $HOME' --out='/my scratch/result.xml'"],
            "/my scratch/result.xml",
        );
    }

    #[test]
    fn removes_what_an_earlier_attempt_left() {
        check(
            r#"{"discover_command": "d", "run_command": "jest {tests}", "result_file": "junit.xml"}"#,
            &["sh", "-c", FRESH_FILE_SCRIPT, "sh", "junit.xml", r"jest a.js 'it'\''s $HOME'"],
            "junit.xml",
        );
    }

    #[test]
    fn gives_each_test_a_command_where_the_exit_code_judges() {
        check(
            r#"{"discover_command": "d", "run_command": "check {tests}"}"#,
            &["sh", "-c", ONE_BY_ONE_SCRIPT, "sh", "/my scratch/exits", "check a.js", r"check 'it'\''s $HOME'"],
            "/my scratch/exits",
        );
    }
}
