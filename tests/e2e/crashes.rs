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

/// Where a process dies, the last that it said is in every report: the stacks that faulthandler wrote, for example.
#[track_caller]
fn check_last_output(project: Project, words: &[&str]) {
    let done = project.run(&[]).exits(1);
    assert_eq!(done.results().count("crashed"), 1, "{}", done.said());
    let (junit, results) = (done.report("junit.xml"), done.report("results.json"));
    for word in words {
        assert!(done.said().contains(word), "the console has no {word:?}:\n{}", done.said());
        assert!(junit.contains(word), "junit.xml has no {word:?}:\n{junit}");
        assert!(results.contains(word), "results.json has no {word:?}:\n{results}");
    }
}

#[test]
fn the_stacks_of_a_fault_are_shown() {
    for group in ["", "worker = false"] {
        let project = Project::pytest_with("", group).file("test_it.py", suite("ctypes.string_at(0)"));
        check_last_output(project, &["Fatal Python error", "in test_deadly"]);
    }
}

#[test]
fn what_a_test_said_last_on_standard_output_is_shown() {
    let end = "print('said early')\n    os.write(1, b'the last words\\n')\n    os._exit(9)";
    for group in ["extra_args = [\"-s\"]", "extra_args = [\"-s\"]\nworker = false"] {
        check_last_output(Project::pytest_with("", group).file("test_it.py", suite(end)), &["the last words"]);
    }
}

#[test]
fn the_stacks_of_a_time_limit_of_the_suite_are_shown() {
    let test = "import time, pytest\n\ndef wait_for_the_answer():\n    time.sleep(300)\n\ndef test_ok():\n    pass\n\n\
        @pytest.mark.timeout(1, method='thread')\ndef test_hangs():\n    wait_for_the_answer()\n";
    let project = Project::pytest().file("test_it.py", test);
    let config = project.read("offload.toml").replace(
        offload_tests::python().to_str().expect("UTF-8"),
        offload_tests::plugins_python().to_str().expect("UTF-8"),
    );
    check_last_output(project.config(&config), &["wait_for_the_answer"]);
}

#[test]
fn what_a_test_that_overran_said_last_is_shown() {
    let test = "import sys, time\ndef test_hangs():\n    print('waiting for the answer', file=sys.__stderr__, flush=True)\n    time.sleep(300)\n";
    let done = Project::pytest_with("test_timeout_secs = 3", "extra_args = [\"-s\"]").file("test_it.py", test).run(&[]);
    let done = done.exits(1).says("waiting for the answer");
    assert!(done.report("junit.xml").contains("waiting for the answer"));
    assert!(done.report("results.json").contains("waiting for the answer"));
}
