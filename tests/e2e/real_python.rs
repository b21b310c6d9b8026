//! Real suites that nobody here wrote: offload says of every test what plain pytest says.

use std::time::Duration;

use offload_tests::{DefaultProvider, Finished, Project, compare, plain_pytest, suite, suite_python};

/// The configuration of one suite; `python_path` as plain pytest gets it.
fn config(provider: &str, python_path: &str, retries: u32) -> String {
    format!(
        "[offload]\nmax_parallel = 2\nretry_count = {retries}\n{provider}\n[provider.env]\nPYTHONPATH = \"{python_path}\"\n\n\
         [groups.suite]\ntype = \"pytest\"\npython = {:?}\npaths = [\"tests\"]\nextra_args = [\"-p\", \"no:cacheprovider\"]\n",
        suite_python()
    )
}

/// Local provider, then default provider, each against plain pytest in the same directory.
#[track_caller]
fn check(name: &str, python_path: &str, arguments: &[&str], retries: u32, code: i32) -> Finished {
    let project = Project::new().copy_of(&suite(&format!("py/{name}")));
    let mut plain = plain_pytest(&suite_python(), &project, python_path, arguments);
    // Plain pytest gets as many chances as offload takes.
    for _ in 0..retries {
        let passed_now = plain_pytest(&suite_python(), &project, python_path, arguments).into_iter();
        plain.extend(passed_now.filter(|(_, status)| status == "passed"));
    }

    let project = project.config(&config("[provider]\ntype = \"local\"\n", python_path, retries));
    // Discovery on this machine has this machine's environment, whatever a provider's sandboxes get.
    let run = |project: &Project| {
        let offload = project.offload(&["run"]).env("PYTHONPATH", python_path);
        offload.patience(Duration::from_secs(400)).finish().exits(code)
    };
    let local = run(&project);
    if let Some(differences) = compare(&plain, &local.results(), str::to_owned) {
        panic!("{name} with the local provider: {differences}");
    }

    let provider = DefaultProvider::default();
    let table = provider.install(&project);
    std::fs::remove_dir_all(project.path().join("test-results")).expect("results can be removed");
    let project = project.config(&config(&table, python_path, retries));
    let default = run(&project);
    provider.check_nothing_left(&project);
    if let Some(differences) = compare(&plain, &default.results(), str::to_owned) {
        panic!("{name} with the default provider: {differences}");
    }
    default
}

#[test]
fn packaging() {
    let done = check("packaging-25.0", "src", &["tests"], 0, 0);
    assert_eq!(done.results().tests.len(), 26_948);
}

#[test]
fn attrs() {
    check("attrs-25.3.0", "src", &["tests"], 0, 1);
}

#[test]
fn more_itertools() {
    check("more_itertools-10.7.0", ".", &["tests"], 0, 0);
}

/// The tests of its pager race with the pager on a busy machine, and meet in a file of a fixed name in the temporary
/// directory, with and without offload: hence the retries.
#[test]
fn click() {
    let done = check("click-8.2.1", "src", &["--continue-on-collection-errors", "tests"], 5, 1);
    assert_eq!(done.verdict("tests/test_basic.py"), "error");
}
