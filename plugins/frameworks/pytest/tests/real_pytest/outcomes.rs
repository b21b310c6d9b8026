//! What became of a test, by pytest's rules.

use crate::suite::Suite;

#[test]
fn every_kind_of_outcome_is_kept_apart() {
    let suite = Suite::new(&[(
        "test_a.py",
        r#"
import pytest
@pytest.fixture
def bad_setup(): raise OSError("no disk")
@pytest.fixture
def bad_teardown():
    yield
    raise OSError("no disk")
@pytest.fixture
def skip_in_setup(): pytest.skip("not here")
@pytest.fixture
def skip_in_teardown():
    yield
    pytest.skip("late")
def test_passed(): pass
def test_failed(): assert 1 == 2
def test_setup_error(bad_setup): pass
def test_teardown_error(bad_teardown): pass
def test_failed_and_teardown_error(bad_teardown): assert 1 == 2
def test_skipped(): pytest.skip("why not")
@pytest.mark.skip(reason="never")
def test_skip_marked(): pass
def test_skipped_in_setup(skip_in_setup): pass
def test_skipped_in_teardown(skip_in_teardown): pass
@pytest.mark.xfail(reason="known")
def test_xfailed(): assert 0
@pytest.mark.xfail(run=False)
def test_xfail_not_run(): assert 0
@pytest.mark.xfail
def test_xpassed(): pass
@pytest.mark.xfail(strict=True)
def test_xpassed_strict(): pass
@pytest.mark.xfail(raises=OSError)
def test_other_exception(): assert 0
def test_imperative_xfail(): pytest.xfail("known")
"#,
    )]);
    let expected = [
        ("passed", "passed"),
        ("failed", "failed"),
        ("setup_error", "error"),
        ("teardown_error", "error"),
        ("failed_and_teardown_error", "failed"),
        ("skipped", "skipped"),
        ("skip_marked", "skipped"),
        ("skipped_in_setup", "skipped"),
        ("skipped_in_teardown", "skipped"),
        ("xfailed", "xfailed"),
        ("xfail_not_run", "xfailed"),
        ("xpassed", "xpassed"),
        ("xpassed_strict", "failed"),
        ("other_exception", "failed"),
        ("imperative_xfail", "xfailed"),
    ]
    .map(|(name, status)| (format!("test_a.py::test_{name}"), status));
    suite.check_statuses(&expected.each_ref().map(|(id, status)| (id.as_str(), *status)));
    let outcomes = suite.outcomes();
    for (name, message) in [
        ("passed", None),
        ("failed", Some("assert 1 == 2")),
        ("setup_error", Some("OSError: no disk")),
        ("skipped", Some("why not")),
        ("skip_marked", Some("never")),
        ("xfailed", Some("known")),
        ("xpassed_strict", Some("[XPASS(strict)]")),
    ] {
        assert_eq!(outcomes[&format!("test_{name}")].message.as_deref(), message, "{name}");
    }
    let details = outcomes["test_failed_and_teardown_error"].details.as_deref().expect("details");
    assert!(details.contains("assert 1 == 2") && details.contains("no disk"), "{details}");
}

#[test]
fn an_outcome_carries_output_log_properties_and_time() {
    let suite = Suite::new(&[(
        "test_a.py",
        r#"
import logging, sys, time
def test_talks(record_property):
    print("to stdout \x00\udc80")
    print("to stderr", file=sys.stderr)
    logging.warning("to the log")
    record_property("build", 17)
    time.sleep(0.2)
    assert 0
"#,
    )]);
    let outcome = suite.outcomes().remove("test_talks").expect("an outcome");
    assert!(outcome.stdout.as_deref().is_some_and(|it| it.starts_with("to stdout \0")), "{outcome:?}");
    let stderr = outcome.stderr.expect("stderr");
    assert!(stderr.starts_with("to stderr\n") && stderr.contains("to the log"), "{stderr}");
    assert_eq!(outcome.properties, [("build".to_owned(), "17".to_owned())]);
    assert!((0.2..5.0).contains(&outcome.duration), "{}", outcome.duration);
}

#[test]
fn much_output_is_cut_in_the_middle() {
    let suite = Suite::new(&[(
        "test_a.py",
        "def test_loud():\n    print('first')\n    print('x' * 20_000_000)\n    print('last')\n    assert 0, 'y' * 1_000_000\n",
    )]);
    let outcome = suite.outcomes().remove("test_loud").expect("an outcome");
    let stdout = outcome.stdout.expect("stdout");
    assert!(stdout.len() < 40_000, "{}", stdout.len());
    assert!(stdout.starts_with("first\n") && stdout.ends_with("last\n") && stdout.contains(" characters omitted "));
    assert!(outcome.details.expect("details").len() < 40_000);
    assert!(outcome.message.expect("a message").len() < 2_500);
}

#[test]
fn many_loud_tests_keep_less_each() {
    let suite = Suite::new(&[(
        "test_a.py",
        "import pytest\n@pytest.mark.parametrize('n', range(2000))\ndef test_loud(n):\n    print('x' * 30_000)\n    assert n != 1999\n",
    )]);
    let outcomes = suite.outcomes();
    let kept: usize = outcomes.values().filter_map(|outcome| outcome.stdout.as_ref()).map(String::len).sum();
    assert!(kept < 24 << 20, "{kept} bytes");
    assert_eq!(outcomes["test_loud[1999]"].status, "failed");
    assert!(outcomes["test_loud[1999]"].details.as_deref().is_some_and(|details| details.contains("1999 != 1999")));
}

#[test]
fn a_failing_subtest_fails_its_test() {
    let suite = Suite::new(&[(
        "test_a.py",
        r#"
import unittest
class Case(unittest.TestCase):
    def test_some(self):
        for i in range(4):
            with self.subTest(i=i):
                self.assertNotEqual(i, 2, "two is wrong")
    def test_none(self):
        for i in range(4):
            with self.subTest(i=i): pass
    def test_skips_one(self):
        for i in range(4):
            with self.subTest(i=i):
                if i == 2: self.skipTest("not two")
def test_fixture(subtests):
    for i in range(4):
        with subtests.test(i=i):
            assert i != 1
    with subtests.test("skips"):
        import pytest; pytest.skip("not now")
"#,
    )]);
    suite.check_statuses(&[
        ("test_a.py::Case::test_some", "failed"),
        ("test_a.py::Case::test_none", "passed"),
        ("test_a.py::Case::test_skips_one", "passed"),
        ("test_a.py::test_fixture", "failed"),
    ]);
    let outcome = suite.outcomes().remove("test_some").expect("an outcome");
    assert!(outcome.message.expect("a message").contains("two is wrong"));
    assert!(outcome.details.expect("details").contains("two is wrong"));
}

#[test]
fn fixtures_of_every_scope_live_as_long_as_they_should() {
    let suite = Suite::new(&[(
        "test_a.py",
        r#"
import pytest
events = []
@pytest.fixture(scope="session")
def session(): events.append("session"); yield; events.append("session over")
@pytest.fixture(scope="module", params=[1, 2])
def module(request, session): events.append("module"); yield request.param; events.append("module over")
@pytest.fixture(scope="class")
def klass(module): events.append("class"); yield; events.append("class over")
class TestA:
    def test_one(self, klass, module): assert events.count("class") - events.count("class over") == 1
    def test_two(self, klass, module): assert events.count("module") - events.count("module over") == 1
def test_three(module): assert events.count("session") == 1 and "session over" not in events
"#,
    )]);
    let ids = suite.ids();
    assert_eq!(ids.len(), 6);
    assert_eq!(suite.statuses().into_values().collect::<Vec<_>>(), ["passed"; 6]);
}
