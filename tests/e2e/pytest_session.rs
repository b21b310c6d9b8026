//! The session of pytest has a verdict of its own: whatever makes a plain run end with another exit code than its tests
//! explain is an error of the group, with workers and with batches.

use offload_tests::{Finished, Project};

/// What offload calls it.
const SESSION: &str = "pytest session";

const PAIR: &str = "def test_a():\n    pass\n\ndef test_b():\n    pass\n";

const MODES: [&str; 2] = ["", "worker = false"];

fn project(conftest: &str, test: &str, mode: &str) -> Project {
    Project::pytest_with("max_parallel = 2\nretry_count = 0", mode)
        .file("conftest.py", conftest)
        .file("test_it.py", test)
}

/// All tests pass, and the session fails with this in its text, once.
#[track_caller]
fn check(conftest: &str, text: &str) {
    for mode in MODES {
        let done = project(conftest, PAIR, mode).run(&[]).exits(1).says(text);
        let results = done.results();
        assert_eq!(results.verdict(SESSION), "error", "{mode:?}");
        assert_eq!((results.count("passed"), results.tests.len()), (2, 3), "{mode:?}: {}", done.said());
    }
}

/// All tests pass, and nothing is held against the session.
#[track_caller]
fn check_green(conftest: &str, test: &str) -> Vec<Finished> {
    MODES.map(|mode| project(conftest, test, mode).run(&[]).exits(0)).into()
}

#[test]
fn hooks_at_its_end_that_raise() {
    check("def pytest_sessionfinish():\n    raise RuntimeError('no server')\n", "RuntimeError: no server");
    check("def pytest_unconfigure():\n    raise OSError('no lock')\n", "no lock");
    check("def pytest_terminal_summary():\n    assert not 'a baseline'\n", "pytest_terminal_summary of conftest.py");
}

#[test]
fn hooks_at_its_end_that_exit() {
    let exit = "import pytest\n\ndef pytest_sessionfinish():\n    pytest.exit('still open', returncode=4)\n";
    check(exit, "still open");
    check("import sys\n\ndef pytest_unconfigure():\n    sys.exit(7)\n", "SystemExit: 7");
    check(
        "import os\n\ndef pytest_unconfigure():\n    os._exit(3)\n",
        "ended with exit code 3 at the end of the session",
    );
}

#[test]
fn an_exit_status_that_is_set() {
    check("def pytest_sessionfinish(session):\n    session.exitstatus = 9\n", "was set to 9");
    check("def pytest_sessionstart(session):\n    session.testsfailed = 1\n", "although no test failed");
}

#[test]
fn a_process_that_dies_while_python_ends() {
    check("import atexit, os\n\natexit.register(os._exit, 5)\n", "ended with exit code 5 when Python ended");
    let object = "import os, signal\n\nclass Client:\n    def __del__(self, kill=os.kill, pid=os.getpid()):\n        \
                  kill(pid, signal.SIGABRT)\n\nclient = Client()\nclient.me = client\n";
    let object = object.replace("signal.SIGABRT", "6").replace("import os, signal", "import os");
    check(&object, "killed by signal 6 (SIGABRT) when Python ended");
}

/// An error in a thread at the very end is the last word of faulthandler, and that is shown.
#[test]
fn the_last_that_it_wrote_is_kept() {
    let conftest = "import atexit, os, sys\n\ndef end():\n    print('the pool is corrupt', file=sys.stderr)\n    \
                    sys.stderr.flush()\n    os.abort()\n\natexit.register(end)\n";
    for mode in MODES {
        let done = project(conftest, PAIR, mode).run(&[]).exits(1);
        assert!(done.junit().case(SESSION).text.contains("the pool is corrupt"), "{mode:?}: {}", done.said());
    }
}

/// What Python itself shrugs off, so do we: also what a plugin turns to green.
#[test]
fn what_is_green_by_itself() {
    check_green("import atexit\n\natexit.register(lambda: 1 / 0)\n", PAIR);
    check_green("import sys\n\ndef pytest_unconfigure():\n    sys.exit(0)\n", PAIR);
    check_green("def pytest_sessionfinish(session, exitstatus):\n    if exitstatus == 5:\n        1 / 0\n", PAIR);
}

/// With warnings as errors, what the last collection of garbage finds fails a plain run.
#[test]
fn warnings_as_errors_at_the_end() {
    let test = "class Client:\n    def __init__(self):\n        self.me = self\n        self.file = open(__file__)\n\n\
                def test_client():\n    Client()\n";
    for mode in MODES {
        let project = project("", test, mode).file("pytest.ini", "[pytest]\nfilterwarnings = error\n");
        project.run(&[]).exits(1).says("unclosed file");
    }
}

#[test]
fn an_error_of_pytest_itself_is_told() {
    let conftest = "def pytest_runtest_logreport(report):\n    if report.when == 'teardown' and 'test_b' in report.nodeid:\n        \
                    raise KeyError('no such report')\n";
    for mode in MODES {
        let done = project(conftest, PAIR, mode).run(&[]).exits(1).says("no such report");
        assert_eq!(done.verdict(SESSION), "error", "{mode:?}");
        assert_eq!(done.verdict("test_it.py::test_a"), "passed", "{mode:?}");
    }
}

#[test]
fn a_test_that_ends_the_session() {
    let test = "import pytest\n\ndef test_a():\n    pass\n\ndef test_exit():\n    pytest.exit('in no state to go on', returncode=3)\n";
    for mode in MODES {
        let done = project("", test, mode).run(&[]).exits(1).says("in no state to go on");
        let done = done.does_not_say("workers do not work");
        assert_eq!(done.verdict(SESSION), "error", "{mode:?}");
        assert_eq!(done.verdict("test_it.py::test_exit"), "error", "{mode:?}");
    }
}

/// That nothing can be collected on purpose is an error of the group, and no failure of the search for tests.
#[test]
fn a_collection_that_ends_the_session() {
    let conftest = "import pytest\n\ndef pytest_collection_modifyitems():\n    pytest.exit('not on this machine')\n";
    for mode in MODES {
        let done = project(conftest, PAIR, mode).run(&[]).exits(1).says("not on this machine");
        assert_eq!(done.verdict(SESSION), "error", "{mode:?}");
        assert_eq!(done.results().count("passed"), 0, "{mode:?}");
    }
}

/// A thread that is no daemon does not hold the run, and is named.
#[test]
fn a_thread_that_outlives_the_tests() {
    let test = "import threading, time\n\ndef test_starts():\n    \
                threading.Thread(target=time.sleep, args=(600,), name='price-poller').start()\n\ndef test_other():\n    pass\n";
    for mode in MODES {
        let mode = format!("{mode}\nexit_grace_secs = 1");
        let done = project("", test, &mode).run(&[]).exits(0).says("price-poller");
        assert_eq!(done.results().count("passed"), 2, "{}", done.said());
        assert!(done.took.as_secs() < 40, "{}", done.said());
    }
}

#[test]
fn a_handler_at_exit_that_does_not_end() {
    let conftest = "import atexit, time\n\ndef flush_queue():\n    time.sleep(600)\n\natexit.register(flush_queue)\n";
    for mode in MODES {
        let mode = format!("{mode}\nexit_grace_secs = 1");
        project(conftest, PAIR, &mode).run(&[]).exits(0).says("in flush_queue");
    }
}

/// A child that falls back into pytest runs no other test, and what it says is among the output of its test.
#[test]
fn a_forked_child_that_comes_back() {
    let test = "import os, pathlib, pytest\n\ndef test_forks():\n    child = os.fork()\n    if child == 0:\n        \
                raise RuntimeError('a bug in the child')\n    assert os.waitpid(child, 0)[1] == 0\n\n\
                @pytest.mark.parametrize('number', range(10))\ndef test_later(number):\n    \
                with open('ran', 'a') as file:\n        file.write(f'{number} ')\n";
    for mode in MODES {
        let project = project("", test, mode);
        let done = project.run(&["-p", "1"]).exits(1).says("a bug in the child");
        assert_eq!(done.verdict("test_it.py::test_forks"), "failed", "{mode:?}");
        assert_eq!(project.read("ran").split_whitespace().count(), 10, "{mode:?}");
    }
}
