//! The commands that discover and that run.

use std::collections::BTreeSet;

use offload_plugin::types::{Command, Context, Failure, Test};
use serde::Serialize;

use crate::RunPlan;
use crate::settings::Settings;

/// What stands in for `python -m pytest`: pytest with plugins of ours. Files in the order in which Python reads them.
const SOURCES: &[&str] = &[
    include_str!("python/journal.py"),
    include_str!("python/ground.py"),
    include_str!("python/outcome.py"),
    include_str!("python/options.py"),
    include_str!("python/neighbours.py"),
    include_str!("python/stages.py"),
    include_str!("python/bonds.py"),
    include_str!("python/collection.py"),
    include_str!("python/discovery.py"),
    include_str!("python/recording.py"),
    include_str!("python/batch.py"),
    include_str!("python/worker.py"),
    include_str!("python/verdict.py"),
    include_str!("python/ending.py"),
    include_str!("python/main.py"),
];

/// The files as one program, without what only people read: a command line has little room.
fn source() -> String {
    let mut source = String::new();
    for line in SOURCES.iter().flat_map(|file| file.lines()) {
        let code = line.trim_start();
        if code.is_empty() || code.starts_with('#') {
            continue;
        }
        let depth = (line.len() - code.len()) / INDENTATION;
        source.extend(std::iter::repeat_n(' ', depth));
        source.push_str(code);
        source.push('\n');
    }
    source
}

/// Spaces that a block of `python/` is indented by.
const INDENTATION: usize = 4;

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

/// What the program is told besides.
#[derive(Serialize)]
struct Options {
    /// The same in all sandboxes, and another one for another group.
    group: String,
    /// Seconds that the process may take to end after its last test.
    grace: u64,
}

fn command(settings: &Settings, mode: &str, path: &str, nonce: &str, narrowed: &[String]) -> Result<Command, Failure> {
    let mut argv = settings.python_words()?;
    let options = Options { group: settings.digest(), grace: settings.exit_grace_secs };
    let options = serde_json::to_string(&options).expect("text and a number are JSON");
    argv.extend(["-c", &source(), mode, path, nonce, &options].map(String::from));
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
        let source = source();
        assert!(!source.contains('\''), "no apostrophes in python/");
        assert!(source.len() < 56 * 1024, "{} bytes", source.len());
        assert!(source.is_ascii(), "it must survive every locale");
    }

    #[test]
    fn what_only_people_read_is_left_out() {
        let source = source();
        assert!(source.lines().all(|line| !line.is_empty() && !line.trim_start().starts_with('#')));
        for (number, line) in SOURCES.iter().flat_map(|file| file.lines()).enumerate() {
            let spaces = line.len() - line.trim_start().len();
            assert!(spaces.is_multiple_of(INDENTATION), "line {number}: {line}");
        }
    }

    #[test]
    fn discovery_and_run_give_pytest_the_same_arguments() {
        let settings =
            offload_plugin::settings::parse(r#"{"python": "uv run python", "paths": ["tests"], "extra_args": ["-x"]}"#)
                .expect("settings");
        let discovery = discovery(&settings, &context(), &[]).expect("a plan");
        let run = run(&settings, &context(), &[]).expect("a plan");
        assert_eq!(discovery.command.argv[..4], ["uv", "run", "python", "-c"]);
        let options = format!("{{\"group\":\"{}\",\"grace\":5}}", settings.digest());
        assert_eq!(
            discovery.command.argv[5..],
            ["discover", "/tmp/attempt-1-journal.jsonl", "n0nce", &options, "tests", "-x"]
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
