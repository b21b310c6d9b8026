//! What the commands of this framework do in a real shell.

use std::fs;
use std::process;

use offload_plugin::framework::{FinishedRun, ResultFile, RunPlan};
use offload_plugin::types::{Captured, Context, Exit, Outcome, Test};
use tempfile::TempDir;

use crate::settings::{Judge, Settings};
use crate::{by_exit_code, by_report, discovery, running};

struct Place {
    directory: TempDir,
    context: Context,
}

impl Place {
    fn new() -> Self {
        let directory = TempDir::with_prefix("it's a place").expect("there is room for a directory");
        let scratch = format!("{}/1-", directory.path().display());
        Self { directory, context: Context { scratch, nonce: String::new(), attempt: 1, memo: None } }
    }

    fn execute(&self, plan: &RunPlan) -> FinishedRun {
        let (program, arguments) = plan.command.argv.split_first().expect("a program is named");
        let output = process::Command::new(program)
            .args(arguments)
            .current_dir(self.directory.path())
            .output()
            .expect("the program starts");
        let read = |path: &String| ResultFile {
            path: path.clone(),
            contents: fs::read(self.directory.path().join(path)).ok(),
        };
        FinishedRun {
            output: Captured {
                exit: Exit::Code(output.status.code().expect("the shell is not killed")),
                stdout: output.stdout,
                stderr: output.stderr,
            },
            files: plan.result_files.iter().map(read).collect(),
        }
    }

    fn judge(&self, settings: &Settings, ids: &[&str]) -> Vec<Outcome> {
        let tests: Vec<_> = ids.iter().map(|id| Test::new(*id)).collect();
        let run = self.execute(&running::plan(settings, &self.context, &tests).expect("the tests can run"));
        match settings.judge(&self.context) {
            Judge::ExitCode { record } => tests.iter().map(|test| by_exit_code::outcome(test, &run, &record)).collect(),
            Judge::Report { path, .. } => {
                by_report::outcomes(&tests, &run, &path, None).expect("the run can be judged")
            }
        }
    }
}

fn settings(discover: &str, run: &str, result_file: Option<&str>) -> Settings {
    let json = serde_json::json!({ "discover_command": discover, "run_command": run, "result_file": result_file });
    offload_plugin::settings::parse(&json.to_string()).expect("the settings are good")
}

fn statuses(outcomes: &[Outcome]) -> Vec<(&str, &str)> {
    outcomes.iter().map(|outcome| (outcome.id.as_str(), outcome.status.as_str())).collect()
}

#[test]
fn discovers_what_the_command_prints() {
    let place = Place::new();
    let settings = settings("echo a; # } > nowhere\nprintf '%s\\n' \"b c\" '$HOME'", "run {tests}", None);
    let run = place.execute(&discovery::plan(&settings, &place.context));
    let found = discovery::read(&run, &[]).expect("discovery works");
    assert_eq!(found.tests.iter().map(|test| test.id.as_str()).collect::<Vec<_>>(), ["a", "b c", "$HOME"]);
    assert!(run.output.stdout.is_empty());
}

#[test]
fn an_exit_code_in_discovery_is_seen() {
    let place = Place::new();
    let run =
        place.execute(&discovery::plan(&settings("echo a; echo no >&2; exit 3", "{tests}", None), &place.context));
    let failure = discovery::read(&run, &[]).expect_err("discovery fails");
    assert_eq!(failure.message, "`discover_command` exited with code 3:\nstandard error:\nno\nstandard output:\na");
}

#[test]
fn judges_each_test_by_its_exit_code() {
    let place = Place::new();
    let settings = settings("", "case {tests} in kill*) kill -9 $$;; no*) exit 3;; slow) sleep 0.2;; esac", None);
    for (id, status) in [("yes; exit 1", "passed"), ("no `id`", "failed"), ("kill\n me", "running"), ("slow", "passed")]
    {
        let outcomes = place.judge(&settings, &[id]);
        assert_eq!(statuses(&outcomes), [(id, status)]);
        assert!(outcomes[0].duration < 10.0);
    }
}

#[test]
fn reads_the_file_of_the_attempt() {
    let place = Place::new();
    let run = "for t in {tests}; do echo \"<testcase name='$t'/>\"; done | \
               { echo '<testsuite>'; cat; echo '</testsuite>'; } > {result_file}";
    assert_eq!(statuses(&place.judge(&settings("", run, None), &["a", "b c"])), [("a", "passed"), ("b c", "passed")]);
}

#[test]
fn a_stale_file_is_not_read() {
    let place = Place::new();
    let stale = "<testsuite><testcase name='a'/></testsuite>";
    fs::write(place.directory.path().join("-junit.xml"), stale).expect("a file can be written");
    let outcomes = place.judge(&settings("", "true {tests}", Some("-junit.xml")), &["a"]);
    assert_eq!(statuses(&outcomes), [("a", "error")]);
}
