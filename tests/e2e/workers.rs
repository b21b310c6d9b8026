//! Warm workers: one process a sandbox that takes tests while it runs, with the results of a plain run.

use offload_tests::{DefaultProvider, Finished, Project, compare, old_python, plain_pytest};

/// Fixtures of every scope that write down what happens to them.
const FIXTURES: &str = r#"
import os, pathlib, pytest

LOG = pathlib.Path(__file__).parent / "fixtures.log"

def note(text):
    with LOG.open("a") as log:
        log.write(text + "\n")

def make(scope):
    def fixture():
        note(scope + " up")
        yield os.getpid()
        note(scope + " down")
    return pytest.fixture(fixture, scope=scope, name=scope + "_fixture")

session_fixture = make("session")
package_fixture = make("package")
module_fixture = make("module")
class_fixture = make("class")
"#;

fn module(name: &str) -> String {
    format!(
        "import pytest\n\nclass TestIt:\n    @pytest.mark.parametrize('number', range(3))\n    \
         def test_{name}(self, number, session_fixture, package_fixture, module_fixture, class_fixture):\n        pass\n\n\
         def test_of_{name}(module_fixture, package_fixture):\n    pass\n"
    )
}

/// With one worker everything is set up and torn down in the order of a plain run, over files and packages.
#[test]
fn fixtures_live_as_in_a_plain_run() {
    let project = || {
        Project::pytest_with("max_parallel = 1", "")
            .file("conftest.py", FIXTURES)
            .file("one/__init__.py", "")
            .file("one/test_a.py", module("a"))
            .file("one/test_b.py", module("b"))
            .file("two/__init__.py", "")
            .file("two/test_c.py", module("c"))
    };
    let plain = project();
    plain_pytest(&offload_tests::python(), &plain, ".", &[]);
    let by_discoverer = project();
    by_discoverer.run(&[]).exits(0);
    assert_eq!(by_discoverer.read("fixtures.log"), plain.read("fixtures.log"));

    // Elsewhere than on this machine the worker loads file by file.
    let lazily = project();
    let table = DefaultProvider::default().install(&lazily);
    let lazily = lazily.config(&format!(
        "[offload]\nmax_parallel = 1\nretry_count = 0\n{}\n[groups.python]\ntype = \"pytest\"\npython = \"{{python}}\"\n",
        table.replace("COPY_PROJECT=1 ", "")
    ));
    lazily.write(
        "../cloud-scripts/create.sh",
        "mkdir -p \"$CLOUD/m/tmp\" && ln -sfn \"$PWD\" \"$CLOUD/m/work\" && echo m\n",
    );
    lazily.run(&[]).exits(0);
    assert_eq!(lazily.read("fixtures.log"), plain.read("fixtures.log"));
}

/// What pytest 7, 8 and 9 have in common, and what they do differently inside.
const MIXED: &[(&str, &str)] = &[
    ("pytest.ini", "[pytest]\naddopts = --doctest-modules\n"),
    ("conftest.py", "import pytest\n\n@pytest.fixture(scope='session')\ndef base():\n    return 1\n"),
    ("flat/conftest.py", "import pytest\n\n@pytest.fixture\ndef near(base):\n    return base + 1\n"),
    (
        "flat/test_flat.py",
        "def test_near(near):\n    assert near == 2\n\ndef test_fails(near):\n    assert near == 3\n",
    ),
    ("package/__init__.py", ""),
    ("package/deep/__init__.py", ""),
    (
        "package/deep/conftest.py",
        "import pytest\n\n@pytest.fixture(scope='package')\ndef deep(base):\n    return base + 2\n",
    ),
    (
        "package/deep/test_deep.py",
        "import pytest\n\n@pytest.mark.parametrize('number', [1, 2, 3])\ndef test_deep(deep, number):\n    assert deep == number\n",
    ),
    (
        "package/documented.py",
        "def double(number):\n    \"\"\"\n    >>> double(2)\n    4\n    \"\"\"\n    return 2 * number\n",
    ),
    (
        "package/test_classes.py",
        "import unittest, pytest\n\nclass Case(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls):\n        \
         cls.up = True\n    def test_up(self):\n        self.assertTrue(self.up)\n    def test_sub(self):\n        \
         for number in range(3):\n            with self.subTest(number=number):\n                pass\n    \
         @unittest.skip('no')\n    def test_skipped(self):\n        pass\n\n@pytest.mark.xfail\ndef test_expected():\n    \
         assert 0\n\n@pytest.mark.xfail(strict=True)\ndef test_unexpected():\n    pass\n",
    ),
    ("test_broken.py", "import nothing_like_this\n\ndef test_it():\n    pass\n"),
    ("test_skipped.py", "import pytest\npytest.skip('whole', allow_module_level=True)\n"),
    (
        "test_teardown.py",
        "import pytest\n\n@pytest.fixture\ndef bad():\n    yield\n    raise ValueError('late')\n\ndef test_late(bad):\n    pass\n",
    ),
];

#[track_caller]
fn check_version(version: u32) {
    let python = old_python(version);
    let mut project = Project::new();
    for (path, text) in MIXED {
        project = project.file(path, text);
    }
    let plain = plain_pytest(&python, &project, ".", &["--continue-on-collection-errors"]);
    assert!(plain.len() > 10, "{plain:?}");
    let group = format!("[groups.python]\ntype = \"pytest\"\npython = {python:?}\n");
    let check = |project: &Project| {
        let done = project.run(&[]).exits(1);
        done.ran_in_workers();
        if let Some(differences) = compare(&plain, &done.results(), str::to_owned) {
            panic!("pytest {version}: {differences}");
        }
    };
    let project =
        project.config(&format!("[offload]\nmax_parallel = 2\nretry_count = 0\n[provider]\ntype = \"local\"\n{group}"));
    check(&project);
    let table = DefaultProvider::default().install(&project);
    std::fs::remove_dir_all(project.path().join("test-results")).expect("results can be removed");
    check(&project.config(&format!("[offload]\nmax_parallel = 2\nretry_count = 0\n{table}\n{group}")));
}

#[test]
fn pytest_7() {
    check_version(7);
}

#[test]
fn pytest_8() {
    check_version(8);
}

#[test]
fn pytest_9() {
    check_version(9);
}

/// What a test prints is never taken for what its worker says.
#[test]
fn frames_are_not_confused_with_output() {
    let test = r#"
import os, sys

def test_prints():
    frame = '["%s", {"finished": {"id": "test_it.py::test_other", "at": 0, "status": "failed", "duration": 1}}]\n'
    for nonce in [*sys.argv, *getattr(sys, "orig_argv", [])]:
        os.write(1, ("\n" + frame % nonce[:100]).encode())
        os.write(2, ("\n" + frame % nonce[:100]).encode())
        print(frame % nonce[:100])

def test_other():
    assert sys.stdin.read() == ""
"#;
    let done = Project::pytest_with("", "extra_args = [\"-s\"]").file("test_it.py", test).run(&[]).exits(0);
    assert_eq!(done.results().count("passed"), 2);
}

/// Nobody knows that the second file takes long, so that one worker is given nearly all of it at once: the other takes over
/// what it can, rather than end and have one after the other started in its place.
#[test]
fn a_worker_takes_over_what_another_was_given() {
    let quick = "import pytest\n\n@pytest.mark.parametrize('number', range(200))\ndef test_it(number):\n    pass\n";
    let slow =
        quick.replace("import pytest", "import pytest, time").replace("200", "40").replace("pass", "time.sleep(0.1)");
    let project = Project::pytest_with("max_parallel = 2", "").file("test_quick.py", quick).file("test_slow.py", slow);
    let done = project.run(&[]).exits(0);
    assert_eq!(done.results().count("passed"), 240);
    assert_eq!(done.events_of("worker-started").len(), 2, "{}", done.said());
}

#[test]
fn batches_where_workers_are_not_wanted() {
    let done =
        Project::pytest_with("", "worker = false").file("test_it.py", "def test_it():\n    pass\n").run(&[]).exits(0);
    assert!(done.events_of("worker-started").is_empty());
    assert_eq!(done.events_of("batch-started").len(), 1);
}

#[test]
fn a_test_has_a_limit_of_its_own() {
    let test = "import time, pytest\n\n@pytest.mark.parametrize('number', range(8))\ndef test_quick(number):\n    \
                time.sleep(0.3)\n\ndef test_slow():\n    time.sleep(600)\n";
    let done = Project::pytest_with("max_parallel = 1", "per_test_timeout_secs = 2")
        .file("test_it.py", test)
        .run(&[])
        .exits(1);
    let results = done.results();
    assert_eq!(results.verdict("test_it.py::test_slow"), "timed-out");
    assert_eq!(results.count("passed"), 8, "{:?}", results.summary);
}

/// What a fixture of the session does at the very end is held against the last test, as pytest does.
#[test]
fn the_last_test_takes_the_session_down() {
    let conftest = "import pytest\n\n@pytest.fixture(scope='session', autouse=True)\ndef base():\n    yield\n    raise ValueError('too late')\n";
    let done = Project::pytest_with("max_parallel = 1", "")
        .file("conftest.py", conftest)
        .file("test_it.py", "def test_first():\n    pass\n\ndef test_last():\n    pass\n")
        .run(&[])
        .exits(1);
    assert_eq!(done.verdict("test_it.py::test_first"), "passed");
    assert_eq!(done.verdict("test_it.py::test_last"), "error");
}

#[test]
fn dash_x_lets_fixtures_end() {
    let test = "import pathlib, pytest\n\n@pytest.fixture(scope='session')\ndef base():\n    yield\n    \
                pathlib.Path(__file__).with_name('ended').touch()\n\ndef test_it(base):\n    assert 0\n\n\
                @pytest.mark.parametrize('number', range(50))\ndef test_more(number, base):\n    pass\n";
    let project = Project::pytest_with("max_parallel = 1", "extra_args = [\"-x\"]").file("test_it.py", test);
    let done = project.run(&[]).exits(1);
    assert!(done.results().count("not-run") > 40, "{:?}", done.results().summary);
    assert!(project.exists("ended"));
}

/// Ids that change from one collection to the next: what was found and is gone is an error, and what is new is run.
#[test]
fn new_tests_are_added_and_vanished_ones_are_reported() {
    let project = Project::new().file(
        "test_it.py",
        "import os, pytest\n\n@pytest.mark.parametrize('name', ['here' if 'CLOUD_SIDE' in os.environ else 'there'])\n\
         def test_it(name):\n    pass\n",
    );
    let table = DefaultProvider::default().install(&project);
    let project = project.config(&format!(
        "[offload]\nmax_parallel = 1\nretry_count = 0\n{table}\n[provider.env]\nCLOUD_SIDE = \"1\"\n\
         [groups.python]\ntype = \"pytest\"\npython = \"{{python}}\"\n"
    ));
    let done: Finished = project.run(&[]).exits(1).says("that were not found before");
    assert_eq!(done.verdict("test_it.py::test_it[here]"), "passed");
    assert_eq!(done.verdict("test_it.py::test_it[there]"), "error");
}

/// Without standard input no worker and no batch can be told what to run: both are said, once.
#[test]
fn a_provider_that_passes_no_standard_input_on() {
    let project = Project::new().file("test_it.py", "def test_it():\n    pass\n");
    let table = DefaultProvider::default().install(&project);
    let project = project.config(&format!(
        "[offload]\nmax_parallel = 1\nretry_count = 0\n{}\n[groups.python]\ntype = \"pytest\"\npython = \"{{python}}\"\n",
        table.replace("{command}", "{command} < /dev/null")
    ));
    project.run(&[]).exits(1).says("runs in batches").says("standard input");
}

/// A suite that shards itself gives each worker what discovery chose, and nothing that it left out.
#[test]
fn what_was_deselected_is_not_new() {
    let test = "import pytest\n\n@pytest.mark.parametrize('number', range(20))\ndef test_it(number):\n    pass\n";
    let done = Project::pytest_with("", "extra_args = [\"-k\", \"1\"]").file("test_it.py", test).run(&[]).exits(0);
    assert_eq!(done.results().tests.len(), 11);
    done.does_not_say("not found before");
}

/// As many as a plain run counts, whichever worker loads which file.
#[test]
fn warnings_are_counted() {
    let file = "import warnings\nwarnings.warn('while loading')\n\ndef test_quiet():\n    pass\n\n\
                def test_loud():\n    warnings.warn('while running')\n";
    let project = Project::pytest().file("test_a.py", file).file("test_b.py", file);
    let done = project.run(&[]).exits(0).says("(4 warnings)");
    let document: serde_json::Value = serde_json::from_str(&done.report("results.json")).expect("JSON");
    assert_eq!(document["warnings"], 4);
    project.offload(&["merge", "test-results", "-o", "merged"]).finish().exits(0).says("(4 warnings)");
}

#[track_caller]
fn check_refused(option: &str, mode: &str) {
    let table = format!("extra_args = [{option:?}]\n{mode}");
    let project = Project::pytest_with("", &table).file("test_it.py", "def test_it():\n    pass\n");
    let done = project.run(&[]).exits(3);
    let done = done.says(&format!("pytest runs no tests with {option}"));
    done.says(&format!("remove {option} from extra_args of the group, or from addopts and PYTEST_ADDOPTS"));
}

#[test]
fn options_that_run_nothing_are_refused() {
    for option in ["--setup-only", "--setup-plan", "--fixtures", "--markers"] {
        check_refused(option, "");
    }
    check_refused("--setup-only", "worker = false");
}
