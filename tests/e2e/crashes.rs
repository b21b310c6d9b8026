//! Tests that take their process with them.

use std::time::Duration;

use offload_tests::Project;

/// One test that ends its process among many that don't.
fn suite(end: &str) -> String {
    format!(
        "import ctypes, os, signal, pytest\n\n\
         @pytest.mark.parametrize('number', range(15))\ndef test_before(number):\n    pass\n\n\
         def test_deadly():\n    {end}\n\n\
         @pytest.mark.parametrize('number', range(15))\ndef test_after(number):\n    pass\n"
    )
}

#[track_caller]
fn check(end: &str) {
    let done = Project::pytest().file("test_it.py", suite(end)).run(&[]).exits(1).says("test_deadly");
    let results = done.results();
    assert_eq!(results.verdict("test_it.py::test_deadly"), "crashed", "{end}");
    assert_eq!(results.count("passed"), 30, "{end}: {:?}", results.summary);
    assert!(done.took < Duration::from_secs(60), "{:?}", done.took);
    assert!(!done.junit().case("test_deadly").elements.is_empty());
}

#[test]
fn sigkill() {
    check("os.kill(os.getpid(), signal.SIGKILL)");
}

#[test]
fn sigsegv() {
    check("ctypes.string_at(0)");
}

#[test]
fn exit_0() {
    check("os._exit(0)");
}

#[test]
fn exit_3() {
    check("os._exit(3)");
}

#[test]
fn the_message_names_the_signal() {
    let done = Project::pytest().file("test_it.py", suite("os.kill(os.getpid(), signal.SIGKILL)")).run(&[]);
    let results = done.results();
    let message = results.test("test_it.py::test_deadly").message().to_owned();
    assert!(message.contains("SIGKILL") || message.contains("signal 9"), "{message}");
}

#[test]
fn several_in_one_suite() {
    let test = "import os, pytest\n@pytest.mark.parametrize('number', range(40))\ndef test_it(number):\n    \
                if number % 10 == 3:\n        os._exit(1)\n";
    let done = Project::pytest().file("test_it.py", test).run(&[]).exits(1);
    let results = done.results();
    assert_eq!((results.count("crashed"), results.count("passed")), (4, 36), "{:?}", results.summary);
}

#[test]
fn crashes_are_retried_as_failures_are() {
    let test = "import os, pathlib\ndef test_it():\n    seen = pathlib.Path(__file__).parent / 'seen'\n    \
                if not seen.exists():\n        seen.touch()\n        os._exit(1)\n\ndef test_other():\n    pass\n";
    let done = Project::pytest_with("retry_count = 1", "").file("test_it.py", test).run(&[]).exits(2);
    assert_eq!(done.results().test("test_it.py::test_it").statuses(), ["crashed", "passed"]);
}
