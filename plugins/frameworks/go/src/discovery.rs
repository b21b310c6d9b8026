//! The command that lists tests, and what it listed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use offload_plugin::framework::{FinishedRun, RunPlan};
use offload_plugin::types::{Command, Context, Exit, Failure, Found, Outcome, Test};

use crate::compiler;
use crate::event::{self, Event};
use crate::known::Known;
use crate::name::{self, TestName};
use crate::printed::Printed;
use crate::settings::Settings;
use crate::story;
use crate::test::TWICE;
use crate::trouble;

/// The list goes through a file, since only so much of standard output is kept; and go builds below a directory that goes
/// with everything else, even if go is killed.
const SCRIPT: &str = r#"if [ -z "$GOTMPDIR" ]; then mkdir -p "$2" && export GOTMPDIR="$2"; fi
list=$1; shift 2
exec "$@" >"$list""#;

const TESTS: &str = "-list=^(Test|Example|Fuzz)";

/// What packages print besides is all that is left.
const NOTHING: &str = "-list=^$";

/// Lists the tests.
///
/// # Errors
/// `go` is no command.
pub fn plan(settings: &Settings, context: &Context, paths: &[String]) -> Result<RunPlan, Failure> {
    list(settings, context, paths, TESTS)
}

/// Lists nothing, where a list alone [does not tell](is_doubtful) tests from what packages print.
///
/// # Errors
/// `go` is no command.
pub fn plan_without_tests(settings: &Settings, context: &Context, paths: &[String]) -> Result<RunPlan, Failure> {
    list(settings, context, paths, NOTHING)
}

fn list(settings: &Settings, context: &Context, paths: &[String], what: &str) -> Result<RunPlan, Failure> {
    let packages = if paths.is_empty() { settings.packages.clone() } else { packages_of(paths) };
    let list = format!("{}list.json", context.scratch);
    let directory = format!("{}go-build", context.scratch);
    let argv = settings.test_command(&[what], &packages)?;
    let arguments = [list.as_str(), &directory].into_iter().chain(argv.iter().map(String::as_str));
    Ok(RunPlan { result_files: vec![list.clone()], ..RunPlan::new(Command::script(SCRIPT, arguments)) })
}

/// What go is to list for these: packages as they are, for a file the directory that it is in, for a test its package.
fn packages_of(paths: &[String]) -> Vec<String> {
    let packages: BTreeSet<_> = paths.iter().map(|path| package_of(path)).collect();
    packages.into_iter().collect()
}

fn package_of(path: &str) -> String {
    if path.ends_with(".go") {
        let directory = path.rsplit_once('/').map_or(".", |(directory, _)| directory);
        let is_rooted = directory.starts_with('/') || directory.starts_with('.');
        return if is_rooted { directory.to_owned() } else { format!("./{directory}") };
    }
    TestName::of_id(path).map_or(path, |test| test.package).to_owned()
}

/// Whether a list has lines that may be tests and may be what packages print: names with something before them, and names
/// that are there twice.
pub fn is_doubtful(run: &FinishedRun) -> bool {
    let Listing { packages, .. } = Listing::of(run);
    packages.values().any(|listed| {
        let mut seen = HashSet::new();
        listed.lines.iter().any(|line| !name::is_name(line) || !seen.insert(line))
    })
}

/// The tests that go listed, less what packages print without any being listed, and what it could not build. With `paths` that
/// are all tests, those; a test beside others stands for its package.
///
/// # Errors
/// go failed, and does not say of which package.
pub fn read(run: &FinishedRun, without_tests: Option<&FinishedRun>, paths: &[String]) -> Result<Found, Failure> {
    let Listing { mut packages, mut said } = Listing::of(run);
    said.push_str(&String::from_utf8_lossy(&run.output.stderr));
    for (package, printed) in without_tests.map(Listing::of).unwrap_or_default().packages {
        if let Some(listed) = packages.get_mut(&package) {
            listed.leave_out(&printed.lines);
        }
    }
    let mut found = Found::new(Vec::new());
    for (package, listed) in &packages {
        found.tests.extend(listed.tests(package));
        found.problems.extend(listed.problem(package, &said));
    }
    if run.output.exit != Exit::Code(0) && found.problems.is_empty() {
        return Err(trouble::explain(&run.output, "discovery-failed"));
    }
    // Of all that there is, also where less is wanted.
    found.memo = serde_json::to_string(&Known::of(&found.tests)).ok();
    if !paths.is_empty() && paths.iter().all(|path| TestName::of_id(path).is_some()) {
        found.tests.retain(|test| paths.contains(&test.id));
    }
    Ok(found)
}

/// What go said of each package, and of builds.
#[derive(Default)]
struct Listing {
    packages: BTreeMap<String, Listed>,
    said: String,
}

#[derive(Default)]
struct Listed {
    /// Those that end in the name of a test.
    lines: Vec<String>,
    /// A line of which the end has not come yet.
    unfinished: String,
    printed: Printed,
    is_unbuilt: bool,
    has_failed: bool,
    /// How go itself says that the process ended. Before Go 1.20 the event at the end follows what was printed last.
    said: Option<bool>,
    is_framed: bool,
    failed_build: String,
}

impl Listing {
    fn of(run: &FinishedRun) -> Self {
        let text = run.files.first().and_then(|file| file.contents.as_deref()).unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        let mut listing = Self::default();
        let mut packages: HashMap<String, Listed> = HashMap::new();
        for event in text.lines().filter_map(event::read) {
            if event.action == "build-output" {
                listing.said.push_str(&event.output);
            } else if !event.package.is_empty() {
                packages.entry(event.package.clone()).or_default().take(event);
            }
        }
        listing.packages = packages.into_iter().collect();
        listing
    }
}

impl Listed {
    fn take(&mut self, event: Event) {
        match event.action.as_str() {
            "start" => self.is_framed = true,
            "output" => {
                self.is_unbuilt |= event::unbuilt(&event.output).is_some();
                self.said = event::verdict(&event.output, &event.package).or(self.said);
                self.printed.push(&event.output);
                self.unfinished.push_str(&event.output);
                while let Some((line, rest)) = self.unfinished.split_once('\n') {
                    if named(line).is_some() {
                        self.lines.push(line.to_owned());
                    }
                    self.unfinished = rest.to_owned();
                }
            }
            "fail" => {
                self.has_failed = true;
                self.failed_build = event.failed_build;
            }
            _ => {}
        }
    }

    /// Takes lines away that the package prints without listing anything, as often as it does.
    fn leave_out(&mut self, printed: &[String]) {
        for line in printed {
            if let Some(position) = self.lines.iter().position(|listed| listed == line) {
                self.lines.remove(position);
            }
        }
    }

    fn tests(&self, package: &str) -> impl Iterator<Item = Test> {
        // A package and its external test package may have tests of one name.
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for name in self.lines.iter().filter_map(|line| named(line)) {
            *names.entry(name).or_default() += 1;
        }
        // What a process listed that then failed may not be all: its problem says so.
        names.into_iter().map(move |(name, count)| Test {
            unit: Some(package.to_owned()),
            name: Some(name.to_owned()),
            classname: Some(package.to_owned()),
            tags: if count > 1 { vec![TWICE.to_owned()] } else { Vec::new() },
            ..Test::new(TestName { package, name }.to_string())
        })
    }

    fn problem(&self, package: &str, said: &str) -> Option<Outcome> {
        if self.is_unbuilt {
            return Some(compiler::error(package, package, &self.failed_build, said));
        }
        if !self.has_failed || (!self.is_framed && self.said == Some(true)) {
            return None;
        }
        let text = self.printed.text();
        let reason = story::panic(&text).or_else(|| story::ending(&text)).or_else(|| story::last_line(&text));
        let reason = reason.unwrap_or_else(|| "go does not say why".to_owned());
        let mut outcome = Outcome::new(package, "error");
        outcome.message = Some(format!("the tests of {package} could not be listed: {reason}"));
        outcome.details = Some(text);
        Some(outcome)
    }
}

/// The test that a line of the list names. What the package itself printed may stand before it, if that has no line of its
/// own: better a test that is missed when it is to run than one that nobody knows of.
fn named(line: &str) -> Option<&str> {
    line.char_indices().map(|(at, _)| &line[at..]).find(|rest| name::is_name(rest))
}

#[cfg(test)]
mod tests {
    use offload_plugin::framework::ResultFile;
    use offload_plugin::types::Captured;

    use super::*;

    fn output(package: &str, text: &str) -> String {
        format!("{}\n", serde_json::json!({"Action": "output", "Package": package, "Output": text}))
    }

    fn ended(action: &str, package: &str) -> String {
        format!("{}\n", serde_json::json!({"Action": action, "Package": package, "Elapsed": 0.1}))
    }

    fn run(exit: i32, stderr: &str, listed: &str) -> FinishedRun {
        FinishedRun {
            output: Captured { exit: Exit::Code(exit), stdout: Vec::new(), stderr: stderr.as_bytes().to_vec() },
            files: vec![ResultFile { path: "list.json".to_owned(), contents: Some(listed.as_bytes().to_vec()) }],
        }
    }

    fn listing() -> String {
        [
            output("m", "hello\n"),
            output("m", "unendedTestA\n"),
            output("m", "Test"),
            output("m", "B\nExampleC\nFuzzD\nTesting\nBenchmarkE\n"),
            output("m", "ok  \tm\t0.002s\n"),
            ended("pass", "m"),
            output("m/none", "?   \tm/none\t[no test files]\n"),
            ended("skip", "m/none"),
            output("m/two", "TestA\nTestB\nTestA\nok  \tm/two\t(cached)\n"),
            ended("pass", "m/two"),
        ]
        .concat()
    }

    #[track_caller]
    fn check(paths: &[&str], expected: &[&str]) {
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        let found = read(&run(0, "", &listing()), None, &paths).expect("discovery works");
        assert!(found.problems.is_empty());
        assert_eq!(found.tests.iter().map(|test| test.id.as_str()).collect::<Vec<_>>(), expected);
        let twice: Vec<_> =
            found.tests.iter().filter(|test| test.tags == [TWICE]).map(|test| test.id.as_str()).collect();
        assert!(twice.iter().all(|id| *id == "m/two.TestA"), "{twice:?}");
    }

    #[test]
    fn finds_what_go_lists() {
        check(&[], &["m.ExampleC", "m.FuzzD", "m.TestA", "m.TestB", "m/two.TestA", "m/two.TestB"]);
        check(&["m.TestA", "m/two.TestB"], &["m.TestA", "m/two.TestB"]);
        check(&["m.FuzzD", "./two"], &["m.ExampleC", "m.FuzzD", "m.TestA", "m.TestB", "m/two.TestA", "m/two.TestB"]);
    }

    /// Before Go 1.20 what a package prints last makes the event at the end.
    #[test]
    fn what_packages_print_is_no_failure() {
        let printed =
            |end: &str| [output("m", "TestA\n"), output("m", "FAIL\n"), output("m", end), ended("fail", "m")].concat();
        let found = read(&run(0, "", &printed("ok  \tm\t0.1s\n")), None, &[]).expect("discovery works");
        assert_eq!((found.tests.len(), found.problems.len()), (1, 0));
        let found = read(&run(1, "", &printed("FAIL\tm\t0.1s\n")), None, &[]).expect("discovery works");
        assert_eq!(found.problems.len(), 1);
    }

    /// Whatever a package prints in any case is no test, though it looks like one.
    #[test]
    fn what_packages_print_is_left_out() {
        let noise = ["env=Test\n", "TestA\n", "setting up"].map(|text| output("m", text)).concat();
        let listed = [noise.clone(), output("m", "TestA\nTestB\nok  \tm\t0.002s\n"), ended("pass", "m")].concat();
        let nothing = [noise, output("m", "ok  \tm\t0.002s\n"), ended("pass", "m")].concat();
        let [listed, nothing] = [listed, nothing].map(|text| run(0, "", &text));
        assert!(is_doubtful(&listed) && is_doubtful(&run(0, "", &listing())));
        let found = read(&listed, Some(&nothing), &[]).expect("discovery works");
        assert_eq!(found.tests.iter().map(|test| test.id.as_str()).collect::<Vec<_>>(), ["m.TestA", "m.TestB"]);
        assert!(found.tests.iter().all(|test| test.tags.is_empty()));
        let plain = run(0, "", &[output("m", "hello\nTestA\nTestB\nok  \tm\n"), ended("pass", "m")].concat());
        assert!(!is_doubtful(&plain));
    }

    #[test]
    fn paths_become_packages() {
        let paths = ["m/v2.TestA", "./a/b_test.go", "b/b_test.go", "c_test.go", "./...", "m.v2"].map(str::to_owned);
        assert_eq!(packages_of(&paths), [".", "./...", "./a", "./b", "m.v2", "m/v2"]);
    }

    #[test]
    fn a_package_that_cannot_be_listed_is_a_problem_and_costs_no_other() {
        let listed = [
            listing(),
            "FAIL\tm/old [build failed]\n".to_owned(),
            format!(
                "{}\n",
                serde_json::json!({"Action": "build-output", "ImportPath": "m/new", "Output": "# m/new\nn.go:1: no\n"})
            ),
            output("m/new", "FAIL\tm/new [build failed]\n"),
            format!("{}\n", serde_json::json!({"Action": "fail", "Package": "m/new", "FailedBuild": "m/new"})),
            output("m/dies", "panic: init\n\ngoroutine 1 [running]:\nexit status 2\n"),
            ended("fail", "m/dies"),
        ];
        let found =
            read(&run(1, "# m/old\no.go:2: bad\n", &listed.concat()), None, &[]).expect("the others were listed");
        let problems: Vec<_> = found
            .problems
            .iter()
            .map(|problem| (problem.id.as_str(), problem.message.as_deref().unwrap_or_default()))
            .collect();
        assert_eq!(
            problems,
            [
                ("m/dies", "the tests of m/dies could not be listed: panic: init"),
                ("m/new", "m/new could not be built: n.go:1: no"),
                ("m/old", "m/old could not be built: o.go:2: bad"),
            ]
        );
        assert_eq!(found.tests.len(), 6);
    }

    #[test]
    fn says_why_nothing_was_found() {
        let failure = read(&run(1, "go: go.mod file not found", ""), None, &[]).expect_err("there is no module");
        assert_eq!(failure.code, "discovery-failed");
        assert!(failure.message.ends_with("go.mod file not found"), "{}", failure.message);
    }
}
