//! What a file is to its tests: it stays together, and what failed where it was taken apart is looked at once more.

use offload_tests::{Finished, Project};

/// Ten tests of which each relies on all before it, and that take long enough to be taken apart.
const CHAIN: &str = r#"
import os, pathlib, time, pytest

done = []

@pytest.mark.parametrize("number", range(10))
def test_link(number):
    time.sleep(0.4)
    with open(pathlib.Path(__file__).parent / "ran", "a") as ran:
        ran.write("{} {}\n".format(os.getpid(), number))
    assert len(done) == number, "so many went before: {}".format(len(done))
    done.append(number)
"#;

fn processes(project: &Project) -> usize {
    let ran = project.read("ran");
    let mut processes: Vec<_> = ran.lines().filter_map(|line| line.split(' ').next()).collect();
    processes.sort_unstable();
    processes.dedup();
    processes.len()
}

fn notices(done: &Finished) -> Vec<String> {
    let notices = done.events_of("notice");
    notices.iter().filter_map(|notice| notice["message"].as_str()).map(str::to_owned).collect()
}

/// Nobody said that the tests rely on each other. The first run finds out, and later ones know.
#[test]
fn a_file_that_relies_on_its_order_passes_and_is_remembered() {
    let project = Project::pytest_with("retry_count = 0", "").file("test_chain.py", CHAIN);
    let done = project.run(&[]).exits(0).says("failed without the tests before it in test_chain.py");
    let results = done.results();
    assert_eq!(results.count("passed"), 10, "{:?}", results.summary);
    assert!(results.tests.iter().all(|test| test.attempts.len() == 1), "a second look is no retry");
    let looks = notices(&done).iter().filter(|notice| notice.contains("passes after them")).count();
    assert!(looks > 1, "the file was taken apart");
    assert_eq!(done.events_of("relies-on-order").len(), looks);

    std::fs::remove_file(project.path().join("ran")).expect("the tests wrote it");
    let done = project.run(&[]).exits(0).does_not_say("passes after them");
    assert_eq!(done.results().count("passed"), 10);
    assert_eq!(processes(&project), 1, "{}", project.read("ran"));
}

#[test]
fn without_workers_it_is_the_same() {
    let project = Project::pytest_with("retry_count = 0", "worker = false").file("test_chain.py", CHAIN);
    project.run(&[]).exits(0);
    // The first run knew of no reason to take the file apart; this one knows how long it takes.
    let done = project.run(&[]).exits(0);
    assert_eq!(done.results().count("passed"), 10);
    assert!(notices(&done).iter().any(|notice| notice.contains("passes after them")), "{:?}", notices(&done));
    let done = project.run(&[]).exits(0).does_not_say("passes after them");
    assert_eq!(done.results().count("passed"), 10);
}

/// A test that fails by itself fails after those before it, too, and is retried as ever.
#[test]
fn a_real_failure_stays_one() {
    let test = "import time, pytest\n\n@pytest.mark.parametrize('number', range(10))\ndef test_it(number):\n    \
                time.sleep(0.4)\n    assert number != 8, 'eight is bad'\n";
    let done = Project::pytest_with("retry_count = 1", "").file("test_it.py", test).run(&[]).exits(1);
    let results = done.results();
    assert_eq!((results.count("passed"), results.count("failed")), (9, 1), "{:?}", results.summary);
    assert_eq!(results.test("test_it.py::test_it[8]").statuses(), ["failed", "failed"]);
    assert!(done.events_of("relies-on-order").is_empty());
}

/// What comes after a test that takes its process with it cannot have that one before it.
#[test]
fn a_test_that_ends_its_process_is_run_for_no_other() {
    let test = "import os, time, pytest\n\n@pytest.mark.parametrize('number', range(8))\ndef test_it(number):\n    \
                time.sleep(0.4)\n    if number == 2:\n        os._exit(7)\n    assert number != 6, 'six is bad'\n";
    let done = Project::pytest_with("retry_count = 0", "split = \"never\"").file("test_it.py", test).run(&[]).exits(1);
    let results = done.results();
    assert_eq!(results.verdict("test_it.py::test_it[2]"), "crashed");
    assert_eq!(results.verdict("test_it.py::test_it[6]"), "failed");
    assert_eq!(results.count("passed"), 6, "{:?}", results.summary);
}

#[test]
fn a_group_can_say_that_no_file_is_taken_apart() {
    let project = Project::pytest_with("retry_count = 0", "split = \"never\"")
        .file("test_chain.py", CHAIN)
        .file("test_other.py", "def test_other():\n    pass\n");
    for _ in 0..2 {
        let _ = std::fs::remove_file(project.path().join("ran"));
        let done = project.run(&[]).exits(0).does_not_say("passes after them");
        assert_eq!(done.results().count("passed"), 11);
        assert_eq!(processes(&project), 1, "{}", project.read("ran"));
    }
}

/// A retry in such a file comes after the tests before it: alone it would fail for want of them.
#[test]
fn retries_in_a_whole_file_follow_those_before_them() {
    let test = r#"
import pathlib

state = []

def test_first():
    state.append(1)

def test_flaky():
    seen = pathlib.Path(__file__).parent / "seen"
    was_there = seen.exists()
    seen.touch()
    assert state == [1], "the first did not run"
    assert was_there, "not yet"
"#;
    let done = Project::pytest_with("retry_count = 1", "split = \"never\"").file("test_it.py", test).run(&[]).exits(2);
    let results = done.results();
    assert_eq!(results.test("test_it.py::test_flaky").statuses(), ["failed", "passed"]);
    assert_eq!(results.test("test_it.py::test_first").statuses(), ["passed"]);
}

#[test]
fn another_word_than_auto_and_never_is_refused() {
    Project::pytest_with("", "split = \"always\"").run(&[]).exits(3).says("split").says("\"auto\"").says("\"never\"");
}

/// With `-x` nothing else is begun while it is found out whether a test fails again.
#[test]
fn dash_x_decides_after_retries() {
    let test = r#"
import pathlib, time, pytest

def test_flaky():
    seen = pathlib.Path(__file__).parent / "seen"
    was_there = seen.exists()
    seen.touch()
    assert was_there, "not yet"

@pytest.mark.parametrize("number", range(30))
def test_later(number):
    time.sleep(0.1)
"#;
    let done =
        Project::pytest_with("retry_count = 1", "extra_args = [\"-x\"]").file("test_it.py", test).run(&[]).exits(2);
    assert_eq!(done.results().count("passed"), 30);

    let broken = test.replace("assert was_there, \"not yet\"", "assert False");
    let done =
        Project::pytest_with("retry_count = 2", "extra_args = [\"-x\"]").file("test_it.py", broken).run(&[]).exits(1);
    let results = done.results();
    assert_eq!(results.test("test_it.py::test_flaky").statuses(), ["failed"; 3]);
    assert!(results.count("not-run") > 20, "{:?}", results.summary);
}

/// They run where they were found, the others are not taken for new tests, and all of this is said once.
#[test]
fn ids_that_differ_from_process_to_process_are_run_once() {
    let test = "import time, uuid, pytest\n\n@pytest.mark.parametrize('key', [str(uuid.uuid4()) for _ in range(8)])\n\
                def test_key(key):\n    time.sleep(0.1)\n";
    let done = Project::pytest()
        .file("test_a.py", test)
        .file("test_b.py", test)
        .file("test_c.py", test)
        .run(&[])
        .says("differ from process to process");
    let results = done.results();
    assert_eq!(results.tests.len(), 24, "{:?}", results.summary);
    let told = notices(&done).iter().filter(|notice| notice.contains("differ")).count();
    assert_eq!(told, 1, "{:?}", notices(&done));
}

/// Whatever it is that ends every process of a file before its first result, the run comes to an end.
#[test]
fn a_file_that_never_gives_a_result_ends() {
    let conftest = "import os, pytest\n\n@pytest.hookimpl(tryfirst=True)\ndef pytest_runtestloop(session):\n    \
                    if not session.config.option.collectonly:\n        os._exit(9)\n";
    let test = "import pytest\n\n@pytest.mark.parametrize('number', range(6))\ndef test_it(number):\n    pass\n";
    for worker in ["true", "false"] {
        let done = Project::pytest_with("retry_count = 1", &format!("split = \"never\"\nworker = {worker}"))
            .file("conftest.py", conftest)
            .file("test_it.py", test)
            .run(&[])
            .exits(1);
        let results = done.results();
        assert_eq!(results.count("passed"), 0, "{:?}", results.summary);
        assert!(results.tests.len() >= 6, "{:?}", results.summary);
    }
}
