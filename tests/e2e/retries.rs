//! Retries, and what is flaky.

use offload_tests::Project;

/// Fails in the first `N` attempts. The count is kept beside the project, which every attempt can see.
const FAILS_AT_FIRST: &str = r#"
import pathlib

def attempt():
    file = pathlib.Path(__file__).parent / "attempts.txt"
    file.write_text((file.read_text() if file.exists() else "") + "x")
    return len(file.read_text())

def test_flaky():
    assert attempt() > N, "not yet"

def test_steady():
    pass
"#;

fn failing_at_first(times: u32, retries: u32) -> Project {
    Project::pytest_with(&format!("retry_count = {retries}"), "")
        .file("test_it.py", FAILS_AT_FIRST.replace('N', &times.to_string()))
}

#[test]
fn flaky_is_2() {
    let done = failing_at_first(1, 3).run(&[]).exits(2).says("test_it.py::test_flaky");
    let results = done.results();
    let test = results.test("test_it.py::test_flaky");
    assert_eq!(test.verdict, "flaky");
    assert_eq!(test.statuses(), ["failed", "passed"]);
    assert!(test.attempts[0].message.as_deref().is_some_and(|message| message.contains("not yet")));
    assert_eq!(results.test("test_it.py::test_steady").statuses(), ["passed"]);
    let junit = done.junit();
    assert_eq!((junit.failures, junit.errors), (0, 0));
    let case = junit.case("test_flaky");
    assert!(case.has("flakyFailure") && case.text.contains("not yet"), "{case:?}");
}

#[test]
fn the_last_retry_counts() {
    let done = failing_at_first(3, 3).run(&[]).exits(2);
    assert_eq!(done.results().test("test_it.py::test_flaky").attempts.len(), 4);
}

#[test]
fn all_attempts_failed_is_1() {
    let done = failing_at_first(9, 2).run(&[]).exits(1).says("not yet");
    let results = done.results();
    assert_eq!(results.test("test_it.py::test_flaky").statuses(), ["failed"; 3]);
    let junit = done.junit();
    assert_eq!(junit.failures, 1);
    let case = junit.case("test_flaky");
    assert_eq!(case.elements.iter().filter(|element| *element == "rerunFailure").count(), 2, "{case:?}");
}

#[test]
fn no_retries_when_none_are_wanted() {
    let done = failing_at_first(1, 0).run(&[]).exits(1);
    assert_eq!(done.results().test("test_it.py::test_flaky").statuses(), ["failed"]);
}

#[test]
fn set_up_and_tear_down_are_errors() {
    let done = Project::pytest()
        .file(
            "test_it.py",
            "import pytest\n@pytest.fixture\ndef up():\n    raise RuntimeError('no set-up')\n\n\
             @pytest.fixture\ndef down():\n    yield\n    raise RuntimeError('no tear-down')\n\n\
             def test_up(up):\n    pass\n\ndef test_down(down):\n    pass\n\n\
             def test_both(down):\n    assert False, 'and failed'\n",
        )
        .run(&[])
        .exits(1);
    let results = done.results();
    assert_eq!(results.verdict("test_it.py::test_up"), "error");
    assert_eq!(results.verdict("test_it.py::test_down"), "error");
    assert_eq!(results.verdict("test_it.py::test_both"), "failed");
}
