//! Tests that don't end.

use std::time::Duration;

use offload_tests::{DefaultProvider, Project};

const HANGS: &str = r#"
import subprocess, sys, time, pytest

@pytest.mark.parametrize("number", range(10))
def test_before(number):
    pass

def test_hangs():
    # A child that would not end with its parent, in a session of its own.
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    subprocess.Popen(["sleep", "600"])
    time.sleep(600)

@pytest.mark.parametrize("number", range(10))
def test_after(number):
    pass
"#;

#[track_caller]
fn check(project: &Project) {
    let done = project.offload(&["run"]).finish().exits(1).says("test_hangs");
    let results = done.results();
    assert_eq!(results.test("test_it.py::test_hangs").statuses(), ["timed-out"], "timeouts are not retried");
    assert_eq!(results.verdict("test_it.py::test_hangs"), "timed-out");
    assert_eq!(results.count("passed"), 20, "{:?}", results.summary);
    assert!(done.took < Duration::from_secs(25), "about one timeout, not {:?}", done.took);
    let case = done.junit().case("test_hangs").clone();
    assert!(case.has("failure") || case.has("error"), "{case:?}");
}

/// That its children are gone is checked after every run.
#[test]
fn local() {
    check(&Project::pytest_with("test_timeout_secs = 4\nretry_count = 2", "").file("test_it.py", HANGS));
}

#[test]
fn default_provider() {
    let project = Project::new().file("test_it.py", HANGS);
    let table = DefaultProvider::default().install(&project);
    let config = format!(
        "[offload]\nmax_parallel = 2\nretry_count = 2\ntest_timeout_secs = 4\n\n{table}\n\n\
         [groups.python]\ntype = \"pytest\"\npython = \"{{python}}\"\n"
    );
    let project = project.config(&config);
    check(&project);
    DefaultProvider::default().check_nothing_left(&project);
}

/// A command that says nothing about its single tests is split until the one that hangs stands alone.
#[test]
fn custom_group() {
    let run = "for t in {tests}; do if [ $t = hang ]; then sleep 600; fi; done; \
               printf '<testsuite>' > {result_file}; for t in {tests}; do printf '<testcase name=\\\"%s\\\"/>' $t >> {result_file}; done; \
               printf '</testsuite>' >> {result_file}";
    let done = Project::new()
        .config(&format!(
            "[offload]\nmax_parallel = 2\nretry_count = 0\ntest_timeout_secs = 2\n[provider]\ntype = \"local\"\n\
             [groups.g]\ntype = \"default\"\ndiscover_command = \"printf 'a\\\\nb\\\\nhang\\\\nc\\\\nd\\\\n'\"\n\
             run_command = \"{run}\"\nresult_file = \"junit.xml\"\n"
        ))
        .run(&[])
        .exits(1);
    let results = done.results();
    assert_eq!(results.verdict("hang"), "timed-out");
    assert_eq!(results.count("passed"), 4, "{:?}", results.summary);
}
