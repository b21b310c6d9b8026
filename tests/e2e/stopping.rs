//! A framework's own wish to stop early.

use offload_tests::Project;

const MANY: &str = r#"
import time, pytest

def test_a_failing_one():
    assert False, "first of all"

@pytest.mark.parametrize("number", range(60))
def test_later(number):
    time.sleep(0.2)
"#;

#[test]
fn dash_x_stops_the_whole_run() {
    let done = Project::pytest_with("", "extra_args = [\"-x\"]").file("test_it.py", MANY).run(&[]).exits(1);
    let results = done.results();
    assert_eq!(results.tests.len(), 61);
    assert_eq!(results.verdict("test_it.py::test_a_failing_one"), "failed");
    assert!(results.count("not-run") > 30, "{:?}", results.summary);
}

#[test]
fn dash_x_waits_for_retries() {
    let flaky = "import pathlib\n\ndef test_flaky():\n    file = pathlib.Path(__file__).parent / 'seen'\n    \
                 seen = file.exists()\n    file.touch()\n    assert seen\n\ndef test_other():\n    pass\n";
    let done =
        Project::pytest_with("retry_count = 1", "extra_args = [\"-x\"]").file("test_it.py", flaky).run(&[]).exits(2);
    assert_eq!(done.results().count("passed"), 1);
}

#[test]
fn maxfail_counts_over_all_sandboxes() {
    let test = "import time, pytest\n@pytest.mark.parametrize('number', range(60))\ndef test_it(number):\n    \
                time.sleep(0.05)\n    assert False\n";
    let done = Project::pytest_with("", "extra_args = [\"--maxfail=3\"]").file("test_it.py", test).run(&[]).exits(1);
    let results = done.results();
    assert!(results.count("failed") >= 3 && results.count("not-run") > 20, "{:?}", results.summary);
}
