//! Groups of `type = "default"`: any command that lists, any command that runs.

use offload_tests::{DefaultProvider, Project};

/// Runs the tests named on its command line: those with "bad" in their names fail. Writes JUnit where it is told.
const RUNNER: &str = r#"
import os, sys, time
from xml.sax.saxutils import quoteattr

target, names = sys.argv[1], sys.argv[2:]
with open("ran.log", "a") as log:
    log.write(f"{len(names)}\n")
cases = []
for name in names:
    body = '<failure message="it is bad">trace</failure>' if "bad" in name else ""
    cases.append(f"<testcase classname={quoteattr('suite')} name={quoteattr(name)} time='0.01'>{body}</testcase>")
time.sleep(float(os.environ.get("PAUSE", "0")))
with open(target, "w") as file:
    file.write(f"<testsuites><testsuite name='s' tests='{len(cases)}'>{''.join(cases)}</testsuite></testsuites>")
sys.exit(any("bad" in name for name in names))
"#;

fn local(offload: &str, group: &str) -> Project {
    Project::new().file("runner.py", RUNNER).config(&format!(
        "[offload]\n{offload}\n[provider]\ntype = \"local\"\n[groups.custom]\ntype = \"default\"\n{group}\n"
    ))
}

const IDS: &str =
    "discover_command = \"for n in 1 2 3 4 5 6 7 8 9; do echo ok $n; done; echo bad one; echo; echo bad two\"\n";

#[test]
fn result_file_placeholder() {
    let project = local(
        "max_parallel = 2\nretry_count = 0",
        &format!("{IDS}run_command = \"{{python}} runner.py {{result_file}} {{tests}}\"\nresult_file = \"junit.xml\""),
    );
    let done = project.run(&[]).exits(1).says("it is bad");
    let results = done.results();
    assert_eq!((results.count("passed"), results.count("failed")), (9, 2), "{:?}", results.summary);
    assert_eq!(results.verdict("bad one"), "failed");
    assert_eq!(done.junit().case("ok 3").classname.as_deref(), Some("suite"));
    // The placeholder's path is unique to the attempt, so nothing is written over in the project.
    assert!(!project.exists("junit.xml"));
}

/// As the documented jest example does: the command always writes the same file, so each sandbox gets its own directory.
#[test]
fn a_fixed_result_file_with_four_sandboxes() {
    let ids = "discover_command = \"seq 1 60; echo bad one; echo bad two\"\n";
    let project = local(
        "max_parallel = 4\nretry_count = 1",
        &format!(
            "{ids}run_command = \"PAUSE=0.2 {{python}} runner.py junit.xml {{tests}}\"\nresult_file = \"junit.xml\""
        ),
    );
    let done = project.run(&[]).exits(1);
    let results = done.results();
    assert_eq!((results.count("passed"), results.count("failed")), (60, 2), "{:?}", results.summary);
    assert_eq!(results.test("bad one").statuses(), ["failed", "failed"]);
    assert!(done.events_of("sandbox-up").len() >= 2);
    assert!(!project.exists("junit.xml"), "the project itself is not written to");
    assert!(done.said().contains("cop"), "that each sandbox has a copy is said:\n{}", done.said());
}

#[test]
fn a_fixed_result_file_without_isolation() {
    let project = Project::new().file("runner.py", RUNNER).config(&format!(
        "[offload]\nmax_parallel = 1\nretry_count = 0\n[provider]\ntype = \"local\"\nisolation = \"none\"\n[groups.custom]\n\
         type = \"default\"\n{IDS}run_command = \"{{python}} runner.py junit.xml {{tests}}\"\nresult_file = \"junit.xml\"\n"
    ));
    let done = project.run(&[]).exits(1);
    assert_eq!(done.results().count("passed"), 9, "{:?}", done.results().summary);
    assert!(project.exists("junit.xml"));
}

#[test]
fn with_the_default_provider() {
    for without_download in [false, true] {
        let provider = DefaultProvider { without_download, empty: false };
        let project = Project::new().file("runner.py", RUNNER);
        let table = provider.install(&project);
        let project = project.config(&format!(
            "[offload]\nmax_parallel = 2\nretry_count = 0\n{table}\n[groups.custom]\ntype = \"default\"\n{IDS}\
             run_command = \"{{python}} runner.py junit.xml {{tests}}\"\nresult_file = \"junit.xml\"\n"
        ));
        let done = project.run(&[]).exits(1);
        let results = done.results();
        assert_eq!((results.count("passed"), results.count("failed")), (9, 2), "{:?}", results.summary);
        provider.check_nothing_left(&project);
    }
}

/// Without a result file, the exit code judges one test at a time.
#[test]
fn the_exit_code_judges() {
    let project = local(
        "max_parallel = 2\nretry_count = 1",
        "discover_command = \"printf 'one\\\\ntwo\\\\nthree bad\\\\n'\"\nrun_command = \"echo running {tests}; case {tests} in *bad*) exit 5;; esac\"",
    );
    let done = project.run(&[]).exits(1);
    let results = done.results();
    assert_eq!(results.verdict("one"), "passed");
    assert_eq!(results.verdict("two"), "passed");
    assert_eq!(results.test("three bad").statuses(), ["failed", "failed"]);
    assert!(results.test("three bad").message().contains('5'), "{}", results.test("three bad").message());
}

#[test]
fn a_json_array_of_ids() {
    let project = local(
        "retry_count = 0",
        "discover_command = \"echo '[\\\"a b\\\", \\\"c\\\"]'\"\nrun_command = \"{python} runner.py {result_file} {tests}\"\nresult_file = \"r.xml\"",
    );
    assert_eq!(project.run(&[]).exits(0).results().ids(), ["a b", "c"]);
}

/// Case names that are titles, files that are the ids: what belongs to nobody is run again id by id.
#[test]
fn files_as_ids_and_titles_as_cases() {
    let runner = r#"
import sys
cases = []
for name in sys.argv[2:]:
    cases.append(f"<testcase classname='Cart adds' name='Cart adds {len(name)}'/>")
    body = "<failure message='wrong'/>" if "bad" in name else ""
    cases.append(f"<testcase classname='Cart removes' name='Cart removes {len(name)}'>{body}</testcase>")
with open(sys.argv[1], "w") as file:
    file.write(f"<testsuites><testsuite name='s'>{''.join(cases)}</testsuite></testsuites>")
"#;
    let done = Project::new()
        .file("runner.py", runner)
        .config(
            "[offload]\nmax_parallel = 2\nretry_count = 0\n[provider]\ntype = \"local\"\n[groups.jest]\ntype = \"default\"\n\
             discover_command = \"printf 'src/cart.test.js\\\\nsrc/bad.test.js\\\\nsrc/list.test.js\\\\n'\"\n\
             run_command = \"{python} runner.py junit.xml {tests}\"\nresult_file = \"junit.xml\"\n",
        )
        .run(&[])
        .exits(1);
    let results = done.results();
    assert_eq!(results.tests.len(), 3);
    assert_eq!(results.verdict("src/bad.test.js"), "failed");
    assert_eq!(results.count("passed"), 2, "{:?}", results.summary);
}

#[test]
fn several_cases_of_one_id_fold_to_the_worst() {
    let runner = r#"
import sys
cases = {
    "a.js": "<testcase name='x' file='a.js'/><testcase name='y' file='a.js'><failure message='second'/></testcase>"
            "<testcase name='z' file='a.js'><skipped/></testcase>",
    "b.js": "<testcase name='only' file='b.js'/>",
}
with open(sys.argv[1], "w") as file:
    file.write(f"<testsuite>{''.join(cases[name] for name in sys.argv[2:])}</testsuite>")
"#;
    let done = Project::new()
        .file("runner.py", runner)
        .config(
            "[offload]\nmax_parallel = 1\nretry_count = 0\n[provider]\ntype = \"local\"\n[groups.g]\ntype = \"default\"\n\
             discover_command = \"printf 'a.js\\\\nb.js\\\\n'\"\nrun_command = \"{python} runner.py {result_file} {tests}\"\nresult_file = \"r.xml\"\n",
        )
        .run(&[])
        .exits(1);
    assert_eq!(done.results().verdict("a.js"), "failed");
    assert_eq!(done.results().verdict("b.js"), "passed");
    // One case keeps the name that the framework gave it; several are one test, called by its id.
    assert_eq!(done.junit().case("only").file.as_deref(), Some("b.js"));
    assert_eq!(done.junit().case("a.js").file.as_deref(), Some("a.js"));
}

/// Long argument lists stay under the system's limits.
#[test]
fn twenty_thousand_long_ids() {
    let project = local(
        "max_parallel = 2\nretry_count = 0",
        "discover_command = \"{python} -c 'for n in range(20000): print(n, chr(120) * 100)'\"\n\
         run_command = \"{python} runner.py {result_file} {tests}\"\nresult_file = \"r.xml\"",
    );
    let done = project.run(&[]).exits(0);
    assert_eq!(done.results().count("passed"), 20_000);
}

#[test]
fn groups_of_two_types_are_refused_by_name_and_line() {
    let done = Project::new()
        .config("[provider]\ntype = \"local\"\n\n[groups.one]\ntype = \"pytest\"\n\n[groups.two]\ntype = \"cargo\"\n")
        .run(&[])
        .exits(3)
        .says("two");
    assert!(done.said().contains('7') || done.said().contains('6'), "the line is shown: {}", done.said());
}

#[test]
fn several_groups_of_one_type() {
    let done = Project::new()
        .config(
            "[offload]\nmax_parallel = 2\nretry_count = 0\n[provider]\ntype = \"local\"\n\
             [groups.left]\ntype = \"default\"\ndiscover_command = \"echo same; echo l\"\nrun_command = \"true {tests}\"\n\
             [groups.right]\ntype = \"default\"\ndiscover_command = \"echo same; echo r\"\nrun_command = \"test r = {tests}\"\n",
        )
        .run(&[])
        .exits(1);
    let results = done.results();
    assert_eq!(results.tests.len(), 4);
    let same: Vec<_> =
        results.tests.iter().filter(|test| test.id == "same").map(|test| (&*test.group, &*test.verdict)).collect();
    assert!(same.contains(&("left", "passed")) && same.contains(&("right", "failed")), "{same:?}");
}
