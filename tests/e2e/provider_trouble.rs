//! Sandboxes that don't come up, or come up late.

use std::time::Duration;

use offload_tests::{DefaultProvider, Project};

const SUITE: &str = "import pytest\n@pytest.mark.parametrize('number', range(6))\ndef test_it(number):\n    pass\n";

/// A project whose create command is preceded by some shell code.
fn project(before_create: &str, more: &str) -> Project {
    let project = Project::new().file("test_it.py", SUITE);
    let provider = DefaultProvider::default();
    let table = provider.install(&project);
    let project_file = project.beside().join("cloud-scripts/before.sh").display().to_string();
    project.write("../cloud-scripts/before.sh", before_create);
    let table = table.replace(
        "create_command = \"",
        &format!("create_command = \"export SEEN='{}'; . '{project_file}'; ", project.beside().display()),
    );
    project.config(&format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n{table}{more}\n[groups.g]\ntype = \"pytest\"\npython = \"{{python}}\"\n"
    ))
}

#[test]
fn a_failing_create_leaves_all_tests_unrun() {
    let project = project("echo no capacity in this region >&2; exit 9\n", "");
    let done = project.run(&[]).exits(1).says("no capacity in this region");
    let results = done.results();
    assert_eq!(results.count("not-run"), 6, "{:?}", results.summary);
    assert!(done.took < Duration::from_secs(60), "{:?}", done.took);
}

#[test]
fn a_create_that_fails_once_costs_nothing() {
    let project = project("if mkdir \"$SEEN/first\" 2>/dev/null; then echo try again later >&2; exit 9; fi\n", "");
    let done = project.run(&[]).exits(0);
    assert_eq!(done.results().count("passed"), 6);
    DefaultProvider::default().check_nothing_left(&project);
}

/// The first create hangs, the second does not: work starts, the run ends, and what hung is gone.
#[test]
fn one_hanging_create_holds_nobody_up() {
    let project = project("if mkdir \"$SEEN/first\" 2>/dev/null; then sleep 600; fi\n", "timeout_secs = 20\n");
    let done = project.run(&[]).exits(0);
    assert_eq!(done.results().count("passed"), 6);
    assert!(done.took < Duration::from_secs(60), "{:?}", done.took);
    DefaultProvider::default().check_nothing_left(&project);
}

#[test]
fn hanging_creates_end_with_their_deadline() {
    let project = project("sleep 600\n", "timeout_secs = 2\n");
    let done = project.run(&[]).exits(1);
    assert_eq!(done.results().count("not-run"), 6);
    assert!(done.took < Duration::from_secs(90), "{:?}", done.took);
}

#[test]
fn an_empty_sandbox_id_is_an_error_that_says_so() {
    let project = project("exit 0\n", "");
    let done = project.run(&[]).exits(1);
    assert_eq!(done.results().count("not-run"), 6);
    assert!(done.said().contains("create_command"), "{}", done.said());
}

#[test]
fn a_failing_prepare_is_explained() {
    let project = project("", "prepare_command = \"echo no such image >&2; exit 4\"\n");
    let done = project.run(&[]).exits(1).says("no such image");
    assert_eq!(done.results().count("not-run"), 6);
}

#[test]
fn a_failing_destroy_does_not_change_the_result() {
    let project = Project::new().file("test_it.py", SUITE);
    let provider = DefaultProvider::default();
    let table = provider
        .install(&project)
        .replace("destroy_command = \"", "destroy_command = \"echo still there >&2; exit 5; ");
    let project = project.config(&format!("{table}\n[groups.g]\ntype = \"pytest\"\npython = \"{{python}}\"\n"));
    project.run(&[]).exits(0).says("still there");
}
