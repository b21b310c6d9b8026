//! The commands that discover and that run.

use std::collections::{BTreeMap, BTreeSet};

use offload_plugin::framework::RunPlan;
use offload_plugin::types::{Command, Context, Failure, Test};
use offload_plugin::worker::Launch;
use serde::Serialize;

use crate::settings::Settings;

const TASKS: &str = include_str!("javascript/tasks.mjs");
const RUNNER: &str = include_str!("javascript/runner.mjs");
/// Vitest loads one file as a reporter: this is what stands in it behind the tasks.
const REPORTER: &str = concat!(
    include_str!("javascript/configuration.mjs"),
    "\n",
    include_str!("javascript/session.mjs"),
    "\n",
    include_str!("javascript/reporter.mjs"),
);

/// Writes our files beside each other, and where paths start from: the command may change its directory. What is asked for is
/// the first line of standard input where more follows for vitest, and else all of it, which is faster. Then come the test files and the command, which change
/// places; the directory is put in front of each file, since vitest takes anything else for a part of a path. `eval` sees
/// positions and nothing of what stands there, and is fast where there are thousands. A test may end the vitest that was to say
/// what became of it: then the journal is said by the shell.
const SCRIPT: &str = r#"scratch=$1 count=$5 input=$6
printf "%s\n" "$2" "$3" >"${scratch}reporter.mjs" && printf "%s\n" "$2" "$4" >"${scratch}runner.mjs" &&
if [ "$input" = line ]; then IFS= read -r request && printf "%s\n" "$request"; else cat; fi >"${scratch}request.json" &&
here=$(pwd -P) && printf "%s" "$here" >"${scratch}base.txt" || exit
shift 6; number=$count words=
while [ "$number" -lt $# ]; do number=$((number + 1)); words="$words \"\${$number}\""; done
number=0
while [ "$number" -lt "$count" ]; do number=$((number + 1)); words="$words \"\$here/\${$number}\""; done
[ "$input" = line ] || eval "exec $words"
eval "$words"
code=$?
if [ -f "${scratch}again.txt" ]; then cat "${scratch}again.txt" "${scratch}journal.jsonl"; fi
exit "$code""#;

/// Finds all tests: each file is loaded as for a run, and none of its tests is run. `narrowed` replaces the configured paths
/// where it names any.
///
/// # Errors
/// Where the settings name no command.
pub fn discovery(settings: &Settings, context: &Context, narrowed: &[String]) -> Result<RunPlan, Failure> {
    let filters = if narrowed.is_empty() { &settings.paths } else { narrowed };
    plan(settings, context, &Request { filters, ..Request::new(context) }, &[])
}

/// A process that takes tests while it runs; one that is to `discover` finds all of them first.
///
/// # Errors
/// Where the settings name no command.
pub fn work(settings: &Settings, context: &Context, discover: bool) -> Result<Launch, Failure> {
    let request = Request { work: true, discover, filters: &settings.paths, ..Request::new(context) };
    let RunPlan { command, stdin, .. } = plan(settings, context, &request, &[])?;
    Ok(Launch { command, greeting: stdin })
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
    plan(settings, context, &Request { units: Some(units), ..Request::new(context) }, &files)
}

/// What is asked of our JavaScript.
#[derive(Serialize)]
struct Request<'a> {
    /// Stands in front of every line of the journal.
    nonce: &'a str,
    /// The tests to run by their files, in a batch.
    units: Option<BTreeMap<&'a str, Vec<&'a str>>>,
    /// Whether it takes tests while it runs, and if it does, whether it is to find all of them first.
    work: bool,
    discover: bool,
    /// Which files to look for tests in, as vitest filters by.
    filters: &'a [String],
}

impl<'a> Request<'a> {
    fn new(context: &'a Context) -> Self {
        Self { nonce: &context.nonce, units: None, work: false, discover: false, filters: &[] }
    }
}

fn plan(settings: &Settings, context: &Context, request: &Request<'_>, files: &[&str]) -> Result<RunPlan, Failure> {
    let Context { scratch, .. } = context;
    let count = files.len().to_string();
    let stdin = if request.work { "line" } else { "all" };
    let mut command = Command::script(SCRIPT, [scratch.as_str(), TASKS, REPORTER, RUNNER, &count, stdin]);
    command.argv.extend(files.iter().map(|&file| file.to_owned()));
    command.argv.extend(vitest(settings)?);
    command.argv.push("run".to_owned());
    command.argv.extend(settings.options());
    // Coverage of a part of the tests is that of nothing.
    command.argv.push("--coverage.enabled=false".to_owned());
    // Last: the value of an option of the group that takes one or none must not be a file.
    command.argv.extend(["--reporter".to_owned(), format!("{scratch}reporter.mjs")]);
    let mut stdin = serde_json::to_vec(request).expect("strings are JSON");
    stdin.push(b'\n');
    Ok(RunPlan { command, stdin, result_files: vec![journal_path(context)] })
}

/// What npx would find is started without it where that is easily seen: npx takes as long as vitest itself does.
const WITHOUT_NPX: &str = r#"if [ -x node_modules/.bin/vitest ]; then
PATH=$PWD/node_modules/.bin:$PATH && export PATH && exec node_modules/.bin/vitest "$@"
fi
exec npx --no-install vitest "$@""#;

/// The words that start vitest.
fn vitest(settings: &Settings) -> Result<Vec<String>, Failure> {
    if settings.is_default_command() {
        return Ok(["sh", "-c", WITHOUT_NPX, "vitest"].map(str::to_owned).to_vec());
    }
    settings.command_words()
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
        assert!(sources.len() < 40 * 1024, "{} bytes", sources.len());
        assert!(sources.is_ascii(), "they must survive every locale");
    }

    #[test]
    fn discovery_takes_filters_and_the_narrower_ones_count() {
        let settings = settings(r#"{"command": "my vitest", "paths": ["src"], "extra_args": ["--dom"]}"#);
        for (narrowed, expected) in [(&[][..], "src"), (&["a.test.ts".to_owned()], "a.test.ts")] {
            let plan = discovery(&settings, &context(), narrowed).expect("a plan");
            let words = ["my", "vitest", "run", "--dom", "--coverage.enabled=false", "--reporter", "/s/1-reporter.mjs"];
            assert_eq!(plan.command.argv[8..], [&["0", "all"][..], &words].concat());
            let stdin = String::from_utf8(plan.stdin).expect("UTF-8");
            let expected =
                format!(r#"{{"nonce":"n","units":null,"work":false,"discover":false,"filters":["{expected}"]}}"#);
            assert_eq!(stdin, expected + "\n");
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
        let stdin = String::from_utf8(plan.stdin).expect("UTF-8");
        let asked = r#"{"nonce":"n","units":{"[p] a":["[p] a > x"],"b":["b > x","b > y"]},"work":false"#;
        assert!(stdin.starts_with(asked), "{stdin}");
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
        assert!(words.starts_with("run\n--coverage") && words.ends_with(&expected), "{words}");
    }
}
