//! Runs and discoveries that do not end as they should.

use offload_plugin::types::Test;

use crate::suite::Suite;

#[track_caller]
fn check_crash(body: &str) {
    let source = format!(
        "import os, signal\ndef test_1(): pass\ndef test_2(): pass\ndef test_3():\n    {body}\ndef test_4(): pass\n\
         def test_5(): pass\ndef test_6(): assert 0\n"
    );
    let suite = Suite::new(&[("test_a.py", &source)]);
    let tests = suite.discover().expect("discovered").tests;
    let outcomes = suite.run(&tests).expect("outcomes");
    let statuses: Vec<_> = outcomes.iter().map(|it| (it.id.as_str(), it.status.as_str())).collect();
    assert_eq!(
        statuses,
        [("test_a.py::test_1", "passed"), ("test_a.py::test_2", "passed"), ("test_a.py::test_3", "running")]
    );
    let rest = suite.run(&tests[3..]).expect("outcomes");
    assert_eq!(rest.iter().map(|it| it.status.as_str()).collect::<Vec<_>>(), ["passed", "passed", "failed"]);
}

#[test]
fn a_test_that_kills_its_process_is_known_by_name() {
    check_crash("os.kill(os.getpid(), signal.SIGKILL)");
    check_crash("os.kill(os.getpid(), signal.SIGSEGV)");
    check_crash("os._exit(0)");
}

#[test]
fn a_test_that_ends_the_session_is_an_error_that_says_so() {
    for (call, word) in [("pytest.exit('enough')", "enough"), ("raise KeyboardInterrupt", "KeyboardInterrupt")] {
        let source = format!("import pytest\ndef test_1(): pass\ndef test_2(): {call}\ndef test_3(): pass\n");
        let suite = Suite::new(&[("test_a.py", &source)]);
        let outcome = suite.outcomes().remove("test_2").expect("an outcome");
        assert!(outcome.message.as_deref().is_some_and(|it| it.contains(word)), "{outcome:?}");
        suite.check_statuses(&[
            ("test_a.py::test_1", "passed"),
            ("test_a.py::test_2", "error"),
            ("test_a.py::test_3", "passed"),
        ]);
    }
}

#[test]
fn a_forked_child_that_comes_back_into_pytest_reports_nothing() {
    let suite = Suite::new(&[(
        "test_a.py",
        "import os\ndef test_1():\n    if os.fork() == 0: raise AssertionError('in the child')\n    os.wait()\ndef test_2(): pass\n",
    )]);
    suite.check_statuses(&[("test_a.py::test_1", "passed"), ("test_a.py::test_2", "passed")]);
}

#[test]
fn a_test_that_closes_all_descriptors_or_patches_the_world_loses_nothing() {
    let suite = Suite::new(&[(
        "test_a.py",
        r#"
import os, json, time, pytest
@pytest.fixture(scope="module", autouse=True)
def patched():
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((os, "write"), (os, "open"), (os, "fstat"), (os, "getpid"), (json, "dumps"), (time, "monotonic")):
            patch.setattr(module, name, lambda *a, **k: 1 / 0)
        yield
def test_1(): pass
def test_2(): os.closerange(3, 200)
def test_3(): os.chdir("/")
def test_4(): pass
"#,
    )])
    .with("extra_args", vec!["-s"]);
    let expected = [1, 2, 3, 4].map(|n| format!("test_a.py::test_{n}"));
    suite.check_statuses(&expected.each_ref().map(|id| (id.as_str(), "passed")));
}

#[test]
fn tests_see_an_empty_standard_input() {
    let suite = Suite::new(&[(
        "test_a.py",
        "import os, sys\ndef test_1():\n    assert os.read(0, 10) == b''\n    assert sys.stdin.read() == ''\n",
    )])
    .with("extra_args", vec!["-s"]);
    suite.check_statuses(&[("test_a.py::test_1", "passed")]);
}

#[test]
fn what_cannot_be_collected_is_a_problem_and_not_the_end() {
    let suite = Suite::new(&[
        ("test_good.py", "def test_1(): pass\n"),
        ("test_bad.py", "import nonexistent_module\ndef test_1(): pass\n"),
        ("test_syntax.py", "def test_1(:\n"),
        ("test_later.py", "import pytest\npytest.skip('not today', allow_module_level=True)\n"),
    ]);
    let found = suite.discover().expect("discovered");
    let problems: Vec<_> = found.problems.iter().map(|it| (it.id.as_str(), it.status.as_str())).collect();
    assert_eq!(problems, [("test_bad.py", "error"), ("test_later.py", "skipped"), ("test_syntax.py", "error")]);
    assert_eq!(
        found.problems[0].message.as_deref(),
        Some("collection failed: ModuleNotFoundError: No module named 'nonexistent_module'")
    );
    assert_eq!(found.problems[1].message.as_deref(), Some("not today"));
    assert_eq!(suite.statuses().len(), 4);
}

#[test]
fn a_test_that_cannot_be_collected_in_the_sandbox_says_why() {
    let suite = Suite::new(&[
        ("test_a.py", "def test_1(): pass\ndef test_gone(): pass\n"),
        ("test_b.py", "def test_1(): pass\n"),
        ("test_c.py", "def test_1(): pass\n"),
    ]);
    let tests = suite.discover().expect("discovered").tests;
    suite.write("test_a.py", "def test_1(): pass\n");
    suite.write("test_b.py", "import nonexistent_module\n");
    suite.write("test_c.py", "import pytest\npytest.skip('no such device', allow_module_level=True)\n");
    let mut outcomes: Vec<_> = suite
        .run(&tests)
        .expect("outcomes")
        .into_iter()
        .map(|it| (it.id, it.status, it.message.unwrap_or_default()))
        .collect();
    outcomes.sort();
    let expected = [
        ("test_a.py::test_1", "passed", ""),
        ("test_a.py::test_gone", "error", "was discovered but not collected in the sandbox"),
        ("test_b.py::test_1", "error", "collection failed: ModuleNotFoundError: No module named 'nonexistent_module'"),
        ("test_c.py::test_1", "skipped", "no such device"),
    ]
    .map(|(id, status, message)| (id.to_owned(), status.to_owned(), message.to_owned()));
    assert_eq!(outcomes, expected);
}

#[track_caller]
fn check_failed_discovery(suite: &Suite, code: &str, expected: &str) {
    let failure = suite.discover().expect_err("a failure");
    assert_eq!(failure.code, code);
    assert!(failure.message.contains(expected), "{}", failure.message);
    assert!(failure.help.is_some());
}

#[test]
fn a_discovery_that_fails_says_what_pytest_said() {
    let good = ("test_a.py", "def test_1(): pass\n");
    check_failed_discovery(&Suite::new(&[good]).with("paths", vec!["nowhere"]), "discovery-failed", "nowhere");
    check_failed_discovery(
        &Suite::new(&[good]).with("extra_args", vec!["--no-such-option"]),
        "discovery-failed",
        "--no-such-option",
    );
    check_failed_discovery(
        &Suite::new(&[good, ("conftest.py", "import nonexistent_module\n")]),
        "discovery-failed",
        "nonexistent_module",
    );
    check_failed_discovery(
        &Suite::new(&[good, ("conftest.py", "import sys\nsys.exit('not on this machine')\n")]),
        "discovery-failed",
        "not on this machine",
    );
    check_failed_discovery(
        &Suite::new(&[good, ("conftest.py", "def pytest_collection_modifyitems(): raise OSError('odd')\n")]),
        "discovery-failed",
        "odd",
    );
    check_failed_discovery(
        &Suite::new(&[good, ("conftest.py", "def pytest_collection_modifyitems(): raise KeyboardInterrupt\n")]),
        "discovery-failed",
        "interrupted",
    );
    check_failed_discovery(&Suite::new(&[("test_a.py", "import os\nos._exit(0)\n")]), "discovery-failed", "status 0");
}

#[test]
fn a_python_without_pytest_is_named_in_the_failure() {
    let suite = Suite::new(&[("test_a.py", "def test_1(): pass\n")]).with("python", "python3 -I -S");
    check_failed_discovery(&suite, "pytest-missing", "pytest cannot be imported by ");
}

#[test]
fn no_tests_at_all_are_an_empty_list() {
    let found = Suite::new(&[("module.py", "")]).discover().expect("discovered");
    assert!(found.tests.is_empty() && found.problems.is_empty());
}

#[test]
fn a_sandbox_without_standard_input_is_a_failure() {
    let suite = Suite::new(&[("test_a.py", "def test_1(): pass\n")]);
    let tests = suite.discover().expect("discovered").tests;
    for (kept, message) in [(0, "no test ids arrived"), (10, "cut short")] {
        let failure = suite.run_with_stdin_cut(&tests, kept).expect_err("a failure");
        assert_eq!(failure.code, "no-stdin");
        assert!(failure.message.contains(message), "{}", failure.message);
    }
}

#[test]
fn a_sandbox_where_pytest_cannot_start_is_a_failure() {
    let suite = Suite::new(&[("test_a.py", "def test_1(): pass\n")]);
    let tests: Vec<Test> = suite.discover().expect("discovered").tests;
    suite.write("conftest.py", "import nonexistent_module\n");
    let failure = suite.run(&tests).expect_err("a failure");
    assert_eq!(failure.code, "pytest-failed");
    assert!(failure.message.contains("nonexistent_module"), "{}", failure.message);
}
