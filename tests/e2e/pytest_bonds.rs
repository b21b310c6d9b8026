//! Tests that a suite of pytest declares to belong together stay together.

use offload_tests::{Project, plugins_python};

/// A project of these files, with pytest-xdist installed, and two sandboxes.
fn project(files: &[(&str, &str)]) -> Project {
    let config = format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\ntest_timeout_secs = 60\n[provider]\ntype = \"local\"\n\
         [groups.python]\ntype = \"pytest\"\npython = {:?}\n",
        plugins_python()
    );
    files.iter().fold(Project::new().config(&config), |project, (path, text)| project.file(path, text))
}

/// Every test passes, three times in a row: the first run knows no durations, later ones do. None is saved by a second look.
#[track_caller]
fn check(files: &[(&str, &str)], tests: usize) {
    let project = project(files);
    for _ in 0..3 {
        let done = project.run(&[]).exits(0).does_not_say("passes after them");
        assert_eq!(done.results().count("passed"), tests, "{:?}", done.results().summary);
    }
}

/// Six tests of which each relies on those before it, in a class or not.
const CHAIN: &str = "import time, pytest\n\ndone = []\n\n@pytest.mark.parametrize('number', range(6))\n\
    def test_link(number):\n    time.sleep(0.3)\n    assert len(done) == number\n    done.append(number)\n";

#[test]
fn dist_loadfile_keeps_files_whole() {
    check(
        &[
            ("pytest.ini", "[pytest]\naddopts = --dist loadfile\n"),
            ("test_long.py", CHAIN),
            ("test_short.py", "def test_short():\n    pass\n"),
        ],
        7,
    );
}

#[test]
fn dist_loadscope_keeps_classes_whole() {
    let class = "import time, pytest\n\nclass TestChain:\n    done = []\n\n    \
                 @pytest.mark.parametrize('number', range(6))\n    def test_link(self, number):\n        \
                 time.sleep(0.3)\n        assert len(self.done) == number\n        self.done.append(number)\n";
    check(&[("pytest.ini", "[pytest]\naddopts = -n 2 --dist loadscope\n"), ("test_class.py", class)], 6);
}

/// A group may span files. Its tests share a process, and never meet.
#[test]
fn an_xdist_group_stays_in_one_process() {
    let ledger = "import os\n\nrows = []\n";
    let of_group = |count: usize, offset: usize| {
        format!(
            "import time, pytest, ledger\n\npytestmark = pytest.mark.xdist_group('ledger')\n\n\
             @pytest.mark.parametrize('number', range({count}))\ndef test_row(number):\n    time.sleep(0.2)\n    \
             ledger.rows.append(number)\n    assert len(ledger.rows) == {offset} + number + 1\n"
        )
    };
    let free = "import time, pytest\n\n@pytest.mark.parametrize('number', range(6))\ndef test_free(number):\n    \
                time.sleep(0.2)\n";
    let (first, last) = (of_group(4, 0), of_group(4, 4));
    let files = [
        ("pytest.ini", "[pytest]\npythonpath = .\naddopts = -n 2 --dist loadgroup\n"),
        ("ledger.py", ledger),
        ("test_a.py", first.as_str()),
        ("test_b.py", free),
        ("test_c.py", last.as_str()),
    ];
    check(&files, 14);
}

/// The recipe of pytest's documentation: a step that fails has those after it expected to fail, in whichever process.
#[test]
fn incremental_steps_follow_each_other() {
    let conftest = r#"
import pytest

failed = {}

def pytest_runtest_makereport(item, call):
    if "incremental" in item.keywords and call.excinfo is not None:
        failed.setdefault(item.cls, item.name)

def pytest_runtest_setup(item):
    if "incremental" in item.keywords and item.cls in failed:
        pytest.xfail("previous test failed ({})".format(failed[item.cls]))
"#;
    let steps = "import time, pytest\n\n@pytest.mark.incremental\nclass TestSteps:\n    def test_1(self):\n        \
                 time.sleep(0.4)\n    def test_2(self):\n        time.sleep(0.4)\n        assert False\n    \
                 def test_3(self):\n        time.sleep(0.4)\n    def test_4(self):\n        time.sleep(0.4)\n    \
                 def test_5(self):\n        time.sleep(0.4)\n";
    let project = project(&[
        ("pytest.ini", "[pytest]\nmarkers = incremental\n"),
        ("conftest.py", conftest),
        ("test_steps.py", steps),
    ]);
    for _ in 0..3 {
        let results = project.run(&[]).exits(1).results();
        let verdicts = ["passed", "failed", "xfailed"].map(|verdict| results.count(verdict));
        assert_eq!(verdicts, [1, 1, 3], "{:?}", results.summary);
    }
}

/// A class of unittest that is set up once is set up once, also when it takes long.
#[test]
fn classes_are_set_up_once() {
    let test = "import pathlib, time, unittest\n\nclass Steps(unittest.TestCase):\n    @classmethod\n    \
                def setUpClass(cls):\n        with open(pathlib.Path(__file__).parent / 'made', 'a') as made:\n            \
                made.write('x')\n        time.sleep(0.3)\n";
    let tests: String = (0..8).map(|n| format!("    def test_{n}(self):\n        time.sleep(0.3)\n")).collect();
    let project = project(&[("test_steps.py", &format!("{test}{tests}"))]);
    for runs in 1..=3 {
        project.run(&[]).exits(0);
        assert_eq!(project.read("made").len(), runs);
    }
}

/// A chain within a file, and one over two files, each of which takes long enough to be split.
#[test]
fn tests_of_pytest_dependency_find_what_they_depend_on() {
    let within =
        "import time, pytest\n\n@pytest.mark.dependency(name='link-0')\ndef test_link_0():\n    time.sleep(0.3)\n\n";
    let links: String = (1..6)
        .map(|number| {
            format!(
                "@pytest.mark.dependency(name='link-{number}', depends=['link-{}'])\ndef test_link_{number}():\n    \
                 time.sleep(0.3)\n\n",
                number - 1
            )
        })
        .collect();
    let across = "import time, pytest\n\n@pytest.mark.dependency(depends=['test_a.py::test_row[3]'], scope='session')\n\
                  @pytest.mark.parametrize('number', range(4))\ndef test_read(number):\n    time.sleep(0.3)\n";
    let rows = "import time, pytest\n\n@pytest.mark.dependency\n@pytest.mark.parametrize('number', range(4))\n\
                def test_row(number):\n    time.sleep(0.3)\n";
    check(&[("test_a.py", rows), ("test_b.py", across), ("test_chain.py", &format!("{within}{links}"))], 14);
}

/// What it depends on failed, so it is skipped, as in a plain run.
#[test]
fn tests_of_pytest_dependency_are_skipped_where_that_failed() {
    let test = "import pytest\n\n@pytest.mark.dependency\ndef test_base():\n    assert False\n\n\
                @pytest.mark.dependency(depends=['test_base'])\ndef test_next():\n    pass\n";
    let project = project(&[("test_a.py", test), ("test_b.py", "def test_other():\n    pass\n")]);
    for _ in 0..3 {
        let results = project.run(&[]).exits(1).results();
        let verdicts = ["passed", "failed", "skipped"].map(|verdict| results.count(verdict));
        assert_eq!(verdicts, [1, 1, 1], "{:?}", results.summary);
    }
}

/// Numbers order tests over all files; the names of other tests do as well.
#[test]
fn tests_of_pytest_order_run_in_their_order() {
    let first = "import time, pytest, ledger\n\n@pytest.mark.order(2)\ndef test_second():\n    time.sleep(0.3)\n    \
                 assert ledger.rows == ['first']\n    ledger.rows.append('second')\n\n\
                 @pytest.mark.order(after='test_b.py::test_third')\ndef test_fourth():\n    time.sleep(0.3)\n    \
                 assert ledger.rows == ['first', 'second', 'third']\n";
    let second = "import time, pytest, ledger\n\n@pytest.mark.order(3)\ndef test_third():\n    time.sleep(0.3)\n    \
                  assert ledger.rows == ['first', 'second']\n    ledger.rows.append('third')\n\n\
                  @pytest.mark.order(1)\ndef test_first():\n    time.sleep(0.3)\n    ledger.rows.append('first')\n";
    let free = "import time, pytest\n\n@pytest.mark.parametrize('number', range(6))\ndef test_free(number):\n    \
                time.sleep(0.2)\n";
    check(
        &[
            ("pytest.ini", "[pytest]\npythonpath = .\n"),
            ("ledger.py", "rows = []\n"),
            ("test_a.py", first),
            ("test_b.py", second),
            ("test_free.py", free),
        ],
        10,
    );
}
