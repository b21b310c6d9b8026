//! The commands that discover and that run.

use std::collections::{BTreeMap, BTreeSet};

use offload_plugin::framework::RunPlan;
use offload_plugin::types::{Command, Context, Failure, Test};
use serde::Serialize;

use crate::settings::Settings;

const TASKS: &str = include_str!("javascript/tasks.mjs");
const REPORTER: &str = include_str!("javascript/reporter.mjs");
const RUNNER: &str = include_str!("javascript/runner.mjs");

/// Writes our files beside each other, and where paths start from: the command may change its directory. Then come the test files and the command, which change places; the directory is put
/// in front of each file, since vitest takes anything else for a part of a path. `eval` sees positions and nothing of what
/// stands there, and is fast where there are thousands.
const SCRIPT: &str = r#"scratch=$1 count=$5
printf "%s\n" "$2" "$3" >"${scratch}reporter.mjs" && printf "%s\n" "$2" "$4" >"${scratch}runner.mjs" &&
cat >"${scratch}request.json" && here=$(pwd -P) && printf "%s" "$here" >"${scratch}base.txt" || exit
shift 5; number=$count words=
while [ "$number" -lt $# ]; do number=$((number + 1)); words="$words \"\${$number}\""; done
number=0
while [ "$number" -lt "$count" ]; do number=$((number + 1)); words="$words \"\$here/\${$number}\""; done
eval "exec $words""#;

/// Finds all tests: each file is loaded as for a run, and none of its tests is run. `narrowed` replaces the configured paths
/// where it names any.
///
/// # Errors
/// Where the settings name no command.
pub fn discovery(settings: &Settings, context: &Context, narrowed: &[String]) -> Result<RunPlan, Failure> {
    let filters = if narrowed.is_empty() { &settings.paths } else { narrowed };
    plan(settings, context, None, &[], filters)
}

/// Runs exactly these tests.
///
/// # Errors
/// Where the settings name no command.
pub fn run(settings: &Settings, context: &Context, tests: &[Test]) -> Result<RunPlan, Failure> {
    let files: BTreeSet<&str> = tests.iter().filter_map(|test| test.file.as_deref()).collect();
    let files: Vec<&str> = files.into_iter().collect();
    let mut units: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for test in tests {
        units.entry(test.unit.as_deref().unwrap_or_default()).or_default().push(&test.id);
    }
    plan(settings, context, Some(units), &files, &[])
}

/// What is asked of our JavaScript.
#[derive(Serialize)]
struct Request<'a> {
    /// Stands in front of every line of the journal.
    nonce: &'a str,
    /// The tests to run by their files; absent where all are to be found.
    units: Option<BTreeMap<&'a str, Vec<&'a str>>>,
}

fn plan(
    settings: &Settings,
    context: &Context,
    units: Option<BTreeMap<&str, Vec<&str>>>,
    files: &[&str],
    filters: &[String],
) -> Result<RunPlan, Failure> {
    let Context { scratch, nonce, .. } = context;
    let count = files.len().to_string();
    let mut command = Command::script(SCRIPT, [scratch, TASKS, REPORTER, RUNNER, &count]);
    command.argv.extend(files.iter().map(|&file| file.to_owned()));
    command.argv.extend(settings.command_words()?);
    command.argv.push("run".to_owned());
    command.argv.extend(settings.options());
    // Of the tests under way when the command is ended there must be one. Coverage of a batch is that of nothing.
    command.argv.extend(["--no-file-parallelism", "--coverage.enabled=false"].map(str::to_owned));
    // Last: the value of an option of the group that takes one or none must not be a file.
    command.argv.extend(["--reporter".to_owned(), format!("{scratch}reporter.mjs")]);
    command.argv.extend(filters.iter().cloned());
    let stdin = serde_json::to_vec(&Request { nonce, units }).expect("strings are JSON");
    Ok(RunPlan { command, stdin, result_files: vec![journal_path(context)] })
}

/// Where the attempt's journal is written.
fn journal_path(context: &Context) -> String {
    format!("{}journal.jsonl", context.scratch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        Context { scratch: "/s/1-".into(), nonce: "n".into(), attempt: 1, memo: None }
    }

    fn settings(table: &str) -> Settings {
        offload_plugin::settings::parse(table).expect("settings")
    }

    #[test]
    fn the_sources_cost_little_on_a_command_line() {
        // Nested shells quote them again and again, each time with four characters for an apostrophe.
        let sources = [TASKS, REPORTER, RUNNER, SCRIPT].concat();
        assert!(!sources.contains('\''), "no apostrophes in javascript/");
        assert!(sources.len() < 24 * 1024, "{} bytes", sources.len());
        assert!(sources.is_ascii(), "they must survive every locale");
    }

    #[test]
    fn discovery_takes_filters_and_the_narrower_ones_count() {
        let settings = settings(r#"{"command": "my vitest", "paths": ["src"], "extra_args": ["--dom"]}"#);
        for (narrowed, expected) in [(&[][..], "src"), (&["a.test.ts".to_owned()], "a.test.ts")] {
            let plan = discovery(&settings, &context(), narrowed).expect("a plan");
            let expected = [
                "0",
                "my",
                "vitest",
                "run",
                "--dom",
                "--no-file-parallelism",
                "--coverage.enabled=false",
                "--reporter",
                "/s/1-reporter.mjs",
                expected,
            ];
            assert_eq!(plan.command.argv[8..], expected);
            assert_eq!(plan.stdin, br#"{"nonce":"n","units":null}"#);
            assert_eq!(plan.result_files, ["/s/1-journal.jsonl"]);
        }
    }

    /// The words of the command that the shell ends in: a program that prints its arguments stands in for vitest.
    #[test]
    fn a_run_names_its_files_by_absolute_paths() {
        let directory = std::env::temp_dir().join(format!("offload-vitest {}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory can be made");
        let directory = directory.canonicalize().expect("the directory is there");
        let scratch = format!("{}/1-", directory.display());
        let test = |id: &str, unit: &str, file: &str| Test {
            unit: Some(unit.into()),
            file: Some(file.into()),
            ..Test::new(id)
        };
        let tests = [test("b > x", "b", "b"), test("[p] a > x", "[p] a", "a c"), test("b > y", "b", "b")];
        let context = Context { scratch, ..context() };
        let plan = run(&settings(r#"{"command": "printf '%s\n'"}"#), &context, &tests).expect("a plan");
        assert_eq!(plan.stdin, br#"{"nonce":"n","units":{"[p] a":["[p] a > x"],"b":["b > x","b > y"]}}"#);
        let (program, arguments) = plan.command.argv.split_first().expect("a command");
        let output = std::process::Command::new(program)
            .args(arguments)
            .current_dir(&directory)
            .stdin(std::process::Stdio::null())
            .output()
            .expect("sh starts");
        let read = |name: &str| std::fs::read_to_string(directory.join(name)).expect("the file was written");
        let written = [read("1-reporter.mjs"), read("1-runner.mjs")];
        std::fs::remove_dir_all(&directory).expect("the directory can be removed");
        assert_eq!(written, [format!("{TASKS}\n{REPORTER}\n"), format!("{TASKS}\n{RUNNER}\n")]);
        let words = String::from_utf8_lossy(&output.stdout).into_owned();
        let expected = format!("reporter.mjs\n{0}/a c\n{0}/b\n", directory.display());
        assert!(words.starts_with("run\n--no-file") && words.ends_with(&expected), "{words}");
    }
}
