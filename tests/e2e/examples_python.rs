//! The example plugin in Python: what offload says through it is what unittest says.

use std::path::Path;
use std::time::Duration;

use offload_tests::{DefaultProvider, Finished, Project, compare, example, plain_unittest, python, suite};

const PATIENCE: Duration = Duration::from_secs(400);

/// The configuration of a group, with all that its plugin asks for.
fn config(provider: &str, group: &str) -> String {
    let (plugin, python) = (example("unittest"), python());
    format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\ntest_timeout_secs = 60\n\n{provider}\n\
         [plugins.unittest]\npath = {plugin:?}\n\n[plugins.unittest.allow]\nrun = [{python:?}]\n\n\
         [groups.suite]\ntype = \"unittest\"\npython = {python:?}\n{group}\n"
    )
}

fn local(group: &str) -> String {
    config("[provider]\ntype = \"local\"\n", group)
}

fn cases() -> Project {
    Project::new().copy_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("suites/unittest"))
}

fn run(project: &Project) -> Finished {
    project.offload(&["run"]).patience(PATIENCE).finish()
}

/// A test by the name that unittest has for it: where it was found is behind it.
fn plain_name(id: &str) -> String {
    id.split(" [").next().unwrap_or(id).to_owned()
}

/// A suite that nobody here wrote, a good part of it doctests.
#[test]
fn more_itertools() {
    let project = Project::new().copy_of(&suite("py/more_itertools-10.7.0")).config(&local(""));
    let plain = plain_unittest(&python(), &project, &["discover"]);
    let done = run(&project).exits(0);
    if let Some(differences) = compare(&plain, &done.results(), plain_name) {
        panic!("more-itertools: {differences}");
    }
    assert_eq!(done.results().tests.len(), 828);
}

/// Every outcome that unittest knows, in both kinds of sandboxes.
#[test]
fn every_outcome() {
    let project = cases();
    let mut plain = plain_unittest(&python(), &project, &["discover"]);
    // A module that skipped itself is a result here, too.
    assert_eq!(plain.get("cases.test_not_here").map(String::as_str), Some("skipped"));
    let imported: Vec<_> = plain.iter().filter(|(name, _)| name.contains(".SubTests.")).collect();
    let elsewhere: Vec<_> =
        imported.iter().map(|(name, status)| (format!("{name} [cases/test_classes.py]"), (*status).clone())).collect();
    plain.extend(elsewhere);
    let name = |id: &str| if id.contains(".SubTests.") { id.to_owned() } else { made_name(id) };

    let project = project.config(&local(""));
    let done = run(&project).exits(1);
    if let Some(differences) = compare(&plain, &done.results(), name) {
        panic!("with the local provider: {differences}");
    }
    check_reasons(&done);

    let provider = DefaultProvider::default();
    let table = provider.install(&project);
    let project = project.config(&config(&table, ""));
    let done = run(&project).exits(1);
    provider.check_nothing_left(&project);
    if let Some(differences) = compare(&plain, &done.results(), name) {
        panic!("with the default provider: {differences}");
    }
}

/// Only doctests have their file behind them: the name of a method may have anything in it.
fn made_name(id: &str) -> String {
    id.strip_suffix(" [cases/test_documentation.py]").unwrap_or(id).to_owned()
}

#[track_caller]
fn check_reasons(done: &Finished) {
    let results = done.results();
    for (id, reason) in [
        ("test_outcomes.Outcomes.test_error", "ValueError: one line"),
        ("test_outcomes.Outcomes.test_unexpected_success", "it was expected to fail, and passed"),
        ("test_outcomes.SubTests.test_failed", "[odd] (number=1): AssertionError: 1 != 0"),
        ("test_classes.ErrorInSetUp.test_two", "setUpClass (cases.test_classes.ErrorInSetUp): OSError: no room"),
        (
            "test_classes.ErrorInTearDown.test_only",
            "tearDownClass (cases.test_classes.ErrorInTearDown): OSError: still in use",
        ),
        ("test_not_loadable", "ModuleNotFoundError: No module named 'a_module_that_is_not_there'"),
        ("test_not_here", "not on this machine"),
    ] {
        assert_eq!(results.test(&format!("cases.{id}")).message(), reason, "{id}");
    }
    let junit = done.junit();
    let case = junit.cases().find(|case| case.name == "test_unexpected_success").expect("it has unittest's name");
    assert_eq!(case.classname.as_deref(), Some("cases.test_outcomes.Outcomes"));
}

/// What ends the process, or never ends, costs the tests that it is about. Their names say what becomes of them.
#[test]
fn crashes() {
    let config = local("pattern = \"crash*.py\"").replace("test_timeout_secs = 60", "test_timeout_secs = 5");
    let results = run(&cases().config(&config)).exits(1).results();
    assert_eq!(results.tests.len(), 8);
    for test in &results.tests {
        let expected = ["passed", "error", "crashed", "timed_out"].into_iter().find(|word| test.id.ends_with(word));
        assert_eq!(test.verdict.replace('-', "_"), expected.expect("the name says it"), "{test:?}");
    }
}

#[test]
fn it_needs_a_grant_and_says_which() {
    let granted = format!("run = [{:?}]", python());
    let project = cases().config(&local("").replace(&granted, "run = []"));
    project.offload(&["run"]).finish().exits(3).says("plugin `unittest` may not run").says(&granted);
    let project = project.config(&local("patern = \"x\""));
    project.offload(&["validate"]).finish().exits(3).says("unknown key `patern`").says("did you mean `pattern`?");
}

#[test]
fn failfast_holds_for_the_whole_run() {
    let config = local("failfast = true\nmax_parallel = 1");
    let results = run(&cases().config(&config)).exits(1).results();
    assert!(results.count("not-run") > 0, "{:?}", results.summary);
}
