//! Tests that pytest ends without a word on them: they have not passed, and that is said at once.

use offload_tests::{Finished, Project, plain_pytest, python};

/// A plugin with a way of its own of running tests: some it announces, of none it reports anything.
const SILENT: &str = r#"
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    if "silent" not in item.name:
        return None
    if "announced" in item.name:
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
"#;

const TESTS: &str = "def test_first():\n    pass\n\ndef test_silent():\n    pass\n\n\
                     def test_silent_though_announced():\n    pass\n\ndef test_last():\n    pass\n";

#[track_caller]
fn check_silent(mode: &str) {
    let project = Project::pytest_with("max_parallel = 1", mode).file("conftest.py", SILENT).file("test_it.py", TESTS);
    let plain = plain_pytest(&python(), &project, ".", &[]);
    assert_eq!(plain.into_keys().collect::<Vec<_>>(), ["test_it.py::test_first", "test_it.py::test_last"]);

    let done = project.run(&[]).exits(1);
    let results = done.results();
    for name in ["test_silent", "test_silent_though_announced"] {
        let test = results.test(&format!("test_it.py::{name}"));
        assert_eq!(test.statuses(), ["error"], "{name}");
        assert_eq!(test.message(), "pytest ended this test without a report of what became of it");
    }
    assert_eq!(results.count("passed"), 2);
    check_nothing_returned(&done);
}

/// Nothing was handed out again.
#[track_caller]
fn check_nothing_returned(done: &Finished) {
    let ended = done.events_of("batch-ended");
    assert!(!ended.is_empty() && ended.iter().all(|event| event["returned"] == 0), "{ended:#?}");
}

#[test]
fn a_worker_says_so() {
    check_silent("");
}

#[test]
fn a_batch_says_so() {
    check_silent("worker = false");
}

/// A plugin that runs something else instead leaves all tests unrun, and would do so every time.
#[test]
fn a_session_that_runs_nothing_is_no_success() {
    let conftest =
        "import pytest\n\n@pytest.hookimpl(tryfirst=True)\ndef pytest_runtestloop(session):\n    return True\n";
    let test = "import pytest\n\n@pytest.mark.parametrize('number', range(8))\ndef test_it(number):\n    pass\n";
    let done = Project::pytest_with("max_parallel = 1", "worker = false")
        .file("conftest.py", conftest)
        .file("test_it.py", test)
        .run(&[])
        .exits(1)
        .says("pytest came to its end without running this test");
    assert!(done.results().tests.iter().all(|test| test.statuses() == ["error"]));
    assert_eq!(done.results().count("error"), 8);
    check_nothing_returned(&done);
}

/// Two tests of one name: what the second of them does counts as much.
const NAMESAKES: &str = r#"
import pytest

def pytest_pycollect_makeitem(collector, name, obj):
    if name.startswith("twice_"):
        return [pytest.Function.from_parent(collector, name=name) for _ in range(2)]
"#;

#[track_caller]
fn check_namesakes(mode: &str) {
    let tests = "calls = 0\n\ndef twice_fails_later():\n    global calls\n    calls += 1\n    assert calls != 2\n\n\
                 def twice_passes():\n    pass\n";
    let project =
        Project::pytest_with("max_parallel = 1", mode).file("conftest.py", NAMESAKES).file("test_it.py", tests);
    let done = project.run(&[]).exits(1);
    assert_eq!(done.verdict("test_it.py::twice_fails_later"), "failed");
    assert_eq!(done.verdict("test_it.py::twice_passes"), "passed");
}

#[test]
fn tests_of_one_name_share_the_worse_verdict() {
    check_namesakes("");
    check_namesakes("worker = false");
}
