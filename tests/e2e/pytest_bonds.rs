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
