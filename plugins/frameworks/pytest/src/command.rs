//! The commands that discover and that run.

use std::collections::BTreeSet;

use offload_plugin::types::{Command, Context, Failure, Test};
use serde::Serialize;

use crate::RunPlan;
use crate::settings::Settings;

/// What stands in for `python -m pytest`: pytest with a plugin of ours.
const SOURCE: &str = concat!(
    include_str!("python/journal.py"),
    "\n\n",
    include_str!("python/ground.py"),
    "\n",
    include_str!("python/outcome.py"),
    "\n\n",
    include_str!("python/neighbours.py"),
    "\n\n",
    include_str!("python/stages.py"),
    "\n",
    include_str!("python/plugins.py"),
    "\n\n",
    include_str!("python/worker.py"),
    "\n\n",
    include_str!("python/main.py"),
);

/// Finds all tests, as `pytest --collect-only` would. `narrowed` replaces the configured paths where it names any.
///
/// # Errors
/// Where the settings name no command.
pub fn discovery(settings: &Settings, context: &Context, narrowed: &[String]) -> Result<RunPlan, Failure> {
    plan(settings, context, "discover", narrowed, Vec::new())
}

/// Runs exactly these tests.
///
/// # Errors
/// Where the settings name no command.
pub fn run(settings: &Settings, context: &Context, tests: &[Test]) -> Result<RunPlan, Failure> {
    let request = Request {
        ids: tests.iter().map(|test| test.id.as_str()).collect(),
        files: tests.iter().map(|test| test.unit.as_deref()).collect(),
    };
    let mut stdin = serde_json::to_vec(&request).expect("lists of strings are JSON");
    stdin.push(b'\n');
    plan(settings, context, "run", &[], stdin)
}

/// A process that takes tests while it runs; one that is to `discover` collects everything first and says what it found.
///
/// # Errors
/// Where the settings name no command.
pub fn work(settings: &Settings, context: &Context, discover: bool) -> Result<Command, Failure> {
    let mode = if discover { "discover-and-work" } else { "work" };
    // Its nonce comes with the greeting.
    command(settings, mode, &context.scratch, "", &[])
}

/// What is asked of a run, on one line of its standard input.
#[derive(Serialize)]
struct Request<'a> {
    ids: Vec<&'a str>,
    /// The files that hold them, so that no other file is imported; absent where that is not known of every test.
    files: Option<BTreeSet<&'a str>>,
}

fn plan(
    settings: &Settings,
    context: &Context,
    mode: &str,
    narrowed: &[String],
    stdin: Vec<u8>,
) -> Result<RunPlan, Failure> {
    let journal = journal_path(context);
    let command = command(settings, mode, &journal, &context.nonce, narrowed)?;
    Ok(RunPlan { command, stdin, result_files: vec![journal] })
}

fn command(settings: &Settings, mode: &str, path: &str, nonce: &str, narrowed: &[String]) -> Result<Command, Failure> {
    let mut argv = settings.python_words()?;
    argv.extend(["-c", SOURCE, mode, path, nonce, "--"].map(String::from));
    argv.extend(settings.pytest_arguments(narrowed));
    Ok(Command { argv, env: Vec::new(), cwd: None })
}

/// Where the attempt's journal is written.
pub(crate) fn journal_path(context: &Context) -> String {
    format!("{}journal.jsonl", context.scratch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        Context { scratch: "/tmp/attempt-1-".into(), nonce: "n0nce".into(), attempt: 1, memo: None }
    }

    fn test(id: &str, unit: Option<&str>) -> Test {
        Test {
            id: id.into(),
            unit: unit.map(Into::into),
            file: None,
            line: None,
            name: None,
            classname: None,
            tags: Vec::new(),
            skipped: false,
            stage: 0,
        }
    }

    #[test]
    fn the_source_costs_little_on_a_command_line() {
        // Nested shells quote it again and again, each time with four characters for an apostrophe.
        assert!(!SOURCE.contains('\''), "no apostrophes in python/");
        assert!(SOURCE.len() < 48 * 1024, "{} bytes", SOURCE.len());
        assert!(SOURCE.is_ascii(), "it must survive every locale");
    }

    #[test]
    fn discovery_and_run_give_pytest_the_same_arguments() {
        let settings =
            offload_plugin::settings::parse(r#"{"python": "uv run python", "paths": ["tests"], "extra_args": ["-x"]}"#)
                .expect("settings");
        let discovery = discovery(&settings, &context(), &[]).expect("a plan");
        let run = run(&settings, &context(), &[]).expect("a plan");
        assert_eq!(discovery.command.argv[..4], ["uv", "run", "python", "-c"]);
        assert_eq!(
            discovery.command.argv[5..],
            ["discover", "/tmp/attempt-1-journal.jsonl", "n0nce", "--", "tests", "-x"]
        );
        assert_eq!(run.command.argv[5], "run");
        assert_eq!(run.command.argv[6..], discovery.command.argv[6..]);
        assert_eq!(run.result_files, ["/tmp/attempt-1-journal.jsonl"]);
        assert!(discovery.stdin.is_empty());
    }

    #[track_caller]
    fn check_request(tests: &[Test], expected: &str) {
        let settings = offload_plugin::settings::parse("{}").expect("settings");
        let plan = run(&settings, &context(), tests).expect("a plan");
        assert_eq!(String::from_utf8(plan.stdin).expect("UTF-8"), format!("{expected}\n"));
    }

    #[test]
    fn ids_and_their_files_go_to_standard_input() {
        check_request(
            &[test("a.py::b[\"\n]", Some("a.py")), test("a.py::c", Some("a.py"))],
            r#"{"ids":["a.py::b[\"\n]","a.py::c"],"files":["a.py"]}"#,
        );
    }

    #[test]
    fn files_are_left_out_unless_known_of_every_test() {
        check_request(&[test("a.py::b", Some("a.py")), test("c", None)], r#"{"ids":["a.py::b","c"],"files":null}"#);
    }
}
