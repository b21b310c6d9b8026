//! The plugins of pytest that most projects have some of: the same results as without offload.

use std::path::Path;
use std::process::Command;

use offload_tests::{Finished, Project, compare, plain_pytest, plugins_python};
use serde_json::Value;

type Files<'a> = &'a [(&'a str, &'a str)];

/// A project of these files, with more keys in the group's table.
fn project(files: Files<'_>, group: &str) -> Project {
    project_with(files, "max_parallel = 2\nretry_count = 0", group)
}

fn project_with(files: Files<'_>, offload: &str, group: &str) -> Project {
    let mut project = Project::new().config(&format!(
        "[offload]\n{offload}\ntest_timeout_secs = 60\n[provider]\ntype = \"local\"\n\
         [groups.python]\ntype = \"pytest\"\npython = {:?}\n{group}\n",
        plugins_python()
    ));
    for (path, text) in files {
        project = project.file(path, text);
    }
    project
}

fn extra_args(arguments: &[&str]) -> String {
    format!("extra_args = {arguments:?}\n")
}

/// Workers and batches give each test the status that plain pytest gives it; the run of the workers.
#[track_caller]
fn check(files: Files<'_>, arguments: &[&str], code: i32) -> Finished {
    let plain = plain_pytest(&plugins_python(), &project(files, ""), ".", arguments);
    assert!(plain.len() > 1, "{plain:?}");
    let [workers, batches] = ["", "worker = false"].map(|mode| {
        let done = project(files, &format!("{}{mode}", extra_args(arguments))).run(&[]).exits(code);
        if let Some(differences) = compare(&plain, &done.results(), str::to_owned) {
            panic!("{mode:?}: {differences}");
        }
        done
    });
    workers.ran_in_workers();
    assert!(batches.events_of("worker-started").is_empty(), "{}", batches.said());
    workers
}

const ASYNC: &str = r#"
import asyncio, pytest, pytest_asyncio

@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server():
    await asyncio.sleep(0)
    yield asyncio.get_running_loop()
    await asyncio.sleep(0)

@pytest.mark.asyncio(loop_scope="session")
async def test_in_the_loop_of_the_session(server):
    assert asyncio.get_running_loop() is server

@pytest.mark.asyncio(loop_scope="session")
async def test_in_the_same_loop(server):
    assert asyncio.get_running_loop() is server

@pytest.mark.asyncio
async def test_in_a_loop_of_its_own(server):
    assert asyncio.get_running_loop() is not server

async def test_unmarked():
    await asyncio.sleep(0)

@pytest.mark.asyncio
async def test_fails():
    await asyncio.sleep(0)
    assert 0

def test_without_a_loop():
    pass
"#;

#[track_caller]
fn check_asyncio(mode: &str) -> Finished {
    let ini = format!("[pytest]\nasyncio_mode = {mode}\nasyncio_default_fixture_loop_scope = function\n");
    check(&[("pytest.ini", &ini), ("test_a.py", ASYNC), ("test_b.py", ASYNC)], &[], 1)
}

#[test]
fn asyncio_strict() {
    assert_eq!(check_asyncio("strict").verdict("test_a.py::test_unmarked"), "failed");
}

#[test]
fn asyncio_auto() {
    assert_eq!(check_asyncio("auto").verdict("test_a.py::test_unmarked"), "passed");
}

const SLOW: &str = r#"
import pytest, time

@pytest.fixture(scope="session")
def base():
    return 1

@pytest.mark.parametrize("number", range(4))
def test_before(number, base):
    pass

@pytest.mark.timeout(1)
def test_hangs(base):
    time.sleep(600)

@pytest.mark.parametrize("number", range(4))
def test_later(number, base):
    pass
"#;

/// A test that is timed out by a signal has failed, and its process goes on.
#[test]
fn timeout_by_signal() {
    let arguments = ["-o", "timeout_method=signal"];
    let done = check(&[("test_it.py", SLOW)], &arguments, 1);
    let results = done.results();
    assert_eq!(results.verdict("test_it.py::test_hangs"), "failed");
    assert!(results.test("test_it.py::test_hangs").message().contains("Timeout"), "{results:?}");
    let alone = project(&[("test_it.py", SLOW)], &extra_args(&arguments)).run(&["-p", "1"]).exits(1);
    assert_eq!(alone.events_of("worker-started").len(), 1, "{}", alone.said());
}

/// One that is timed out by a thread takes its process along: that costs no other test.
#[test]
fn timeout_by_thread() {
    for mode in ["", "worker = false"] {
        let group = format!("{}{mode}", extra_args(&["-o", "timeout_method=thread"]));
        let done = project(&[("test_it.py", SLOW)], &group).run(&[]).exits(1);
        let results = done.results();
        assert_eq!(results.verdict("test_it.py::test_hangs"), "crashed");
        assert_eq!(results.count("passed"), 8, "{:?}", results.summary);
        // What the plugin prints while it ends the process belongs to no test.
        let logs = std::fs::read_dir(done.output_dir.join("logs")).expect("there are logs");
        let mut texts = logs.flatten().map(|log| std::fs::read_to_string(log.path()).expect("logs are text"));
        assert!(texts.any(|text| text.contains("Timeout") && text.contains("test_hangs")), "{}", done.said());
    }
}

#[test]
fn hypothesis_shows_what_falsifies() {
    let test = "from hypothesis import given, strategies\n\n@given(strategies.integers())\ndef test_small(number):\n    \
                assert number < 1000\n\n@given(strategies.text())\ndef test_text(text):\n    assert text == text[:]\n";
    // Older versions say "Falsifying example".
    let done = check(&[("test_it.py", test)], &[], 1).says("Failing test case: test_small").says("number=1000");
    let case = done.junit().case("test_small").text.clone();
    assert!(case.contains("number=1000"), "{case}");
}

/// What falsified once is tried first in the next run, as the database remembers it.
#[test]
fn hypothesis_remembers() {
    let test = "import pathlib\nfrom hypothesis import Phase, given, settings, strategies\n\n\
                PHASES = [Phase.reuse] if pathlib.Path('again').exists() else list(Phase)\n\n\
                @settings(phases=PHASES)\n@given(strategies.integers())\ndef test_small(number):\n    assert number < 1000\n\n\
                def test_else():\n    pass\n";
    let project = project(&[("test_it.py", test)], "");
    project.run(&[]).exits(1).says("number=1000");
    project.write("again", "");
    project.run(&[]).exits(1).says("number=1000");
}

const COVERED: Files<'static> = &[
    (
        "signs.py",
        "def sign(number):\n    if number < 0:\n        return -1\n    if number == 0:\n        return 0\n    return 1\n",
    ),
    ("test_a.py", "import signs\n\ndef test_negative():\n    assert signs.sign(-3) == -1\n"),
    ("test_b.py", "import signs\n\ndef test_positive():\n    assert signs.sign(3) == 1\n"),
];

/// The lines that were executed, by file.
#[track_caller]
fn executed(project: &Path) -> Vec<(String, Value)> {
    let status = Command::new(plugins_python())
        .args(["-m", "coverage", "json", "-q", "-o", "coverage.json"])
        .current_dir(project)
        .status()
        .expect("coverage starts");
    assert!(status.success(), "coverage json ended with {status}");
    let text = std::fs::read(project.join("coverage.json")).expect("a report was written");
    let report: Value = serde_json::from_slice(&text).expect("JSON");
    let files = report["files"].as_object().expect("files");
    files.iter().map(|(name, file)| (name.clone(), file["executed_lines"].clone())).collect()
}

/// `coverage combine` makes one whole of what the processes measured, nothing of earlier runs included.
#[test]
fn coverage_is_that_of_a_plain_run() {
    let arguments = ["--cov=.", "--cov-report=xml", "--cov-fail-under=100"];
    let plain = project(COVERED, "");
    plain_pytest(&plugins_python(), &plain, ".", &arguments);
    for mode in ["", "worker = false"] {
        let ours = project(COVERED, &format!("{}{mode}", extra_args(&arguments)));
        ours.write("test_c.py", "import signs\n\ndef test_zero():\n    assert signs.sign(0) == 0\n");
        ours.run(&[]).exits(0).says("--cov-fail-under are passed over");
        std::fs::remove_file(ours.path().join("test_c.py")).expect("a file can be removed");
        ours.run(&[]).exits(0);
        assert!(!ours.exists("coverage.xml"), "a report about a part of the tests");
        let status = Command::new(plugins_python())
            .args(["-m", "coverage", "combine", "-q"])
            .current_dir(ours.path())
            .status()
            .expect("coverage starts");
        assert!(status.success(), "coverage combine ended with {status}");
        assert_eq!(executed(&ours.path()), executed(&plain.path()), "{mode:?}");
    }
}

const UNSTEADY: &str = r#"
import pathlib, pytest

ATTEMPTS = pathlib.Path(__file__).with_name("attempts")

def test_passes_in_the_end():
    with ATTEMPTS.open("a") as file:
        file.write("x")
    assert ATTEMPTS.read_text() == "xxx"

@pytest.mark.flaky(reruns=1)
def test_never_passes():
    assert 0

def test_steady():
    pass
"#;

/// What pytest itself runs again is an attempt: a test that passes in the end is flaky.
#[test]
fn reruns_are_those_of_pytest() {
    let done = check(&[("test_it.py", UNSTEADY)], &["--reruns", "2"], 1);
    let results = done.results();
    let unsteady = results.test("test_it.py::test_passes_in_the_end");
    assert_eq!((unsteady.verdict.as_str(), unsteady.statuses()), ("flaky", vec!["failed", "failed", "passed"]));
    assert_eq!(results.test("test_it.py::test_never_passes").statuses(), ["failed", "failed"]);
    assert_eq!(results.test("test_it.py::test_steady").statuses(), ["passed"]);
}

const DJANGO: Files<'static> = &[
    ("pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = shop.settings\n"),
    ("shop/__init__.py", ""),
    (
        "shop/settings.py",
        "SECRET_KEY = 'x'\nINSTALLED_APPS = ['shop']\nDEFAULT_AUTO_FIELD = 'django.db.models.AutoField'\nDATABASES = \
         {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'db.sqlite3', 'TEST': {'NAME': 'test.sqlite3'}}}\n",
    ),
    ("shop/models.py", "from django.db import models\n\nclass Order(models.Model):\n    item = models.TextField()\n"),
    (
        "conftest.py",
        "import pytest\n\n@pytest.fixture(scope='session')\ndef django_db_setup(django_db_setup, django_db_blocker):\n    \
         from shop.models import Order\n    with django_db_blocker.unblock():\n        Order.objects.create(item='first')\n",
    ),
    ("test_a.py", ORDERS),
    ("test_b.py", ORDERS),
];

/// Tests that see what others do to their database while they run.
const ORDERS: &str = r#"
import time, pytest
from shop.models import Order

@pytest.mark.django_db(transaction=True)
def test_committed():
    time.sleep(0.2)
    Order.objects.create(item="second")
    time.sleep(0.2)
    assert Order.objects.filter(item="second").count() == 1

@pytest.mark.django_db
@pytest.mark.parametrize("number", range(4))
def test_rolled_back(number):
    assert not Order.objects.filter(item="third").exists()
    Order.objects.create(item="third")
    time.sleep(0.1)
    assert Order.objects.filter(item="third").count() == 1

def test_forbidden():
    Order.objects.count()
"#;

/// Each sandbox has a database of its own, as each worker of pytest-xdist has.
#[test]
fn django_databases_are_not_shared() {
    check(DJANGO, &[], 1);
}

/// A transactional test that takes long, and empties the tables.
const EMPTYING: &str = r#"
import time, pytest
from shop.models import Order

@pytest.mark.django_db(transaction=True)
def test_committed():
    time.sleep(1)
    Order.objects.create(item="second")
"#;

/// Tests that need what the session has put there; the last of them fails once.
const NEEDING: &str = r#"
import pathlib, pytest
from shop.models import Order

@pytest.mark.django_db
@pytest.mark.parametrize("number", range(3))
def test_of_the_session(number):
    assert Order.objects.filter(item="first").exists()

@pytest.mark.django_db
def test_unsteady():
    assert Order.objects.filter(item="first").exists()
    been = pathlib.Path("been")
    if not been.exists():
        been.touch()
        raise AssertionError("once")
"#;

/// The history would have the longest file begin, but its tests have to come after those of the others, also if one of
/// those is run again.
#[test]
fn transactional_tests_come_last() {
    let files: Vec<_> = DJANGO.iter().copied().filter(|(path, _)| !path.starts_with("test_")).collect();
    let files = [&files[..], &[("test_a.py", EMPTYING), ("test_b.py", NEEDING)]].concat();
    let project = project_with(&files, "max_parallel = 1\nretry_count = 1", "");
    for _ in 0..2 {
        let done = project.run(&[]).exits(2);
        let results = done.results();
        assert_eq!(results.test("test_b.py::test_unsteady").statuses(), ["failed", "passed"], "{}", done.said());
        assert_eq!(done.events_of("worker-started").len(), 2, "{}", done.said());
        std::fs::remove_file(project.path().join("been")).expect("the test was here");
    }
}

const ASKING: &str = r#"
import os, pathlib, pytest, time

@pytest.mark.parametrize("number", range(8))
def test_it(number, worker_id, tmp_path_factory):
    slot = os.environ["OFFLOAD_SLOT"]
    assert os.environ["OFFLOAD_SANDBOX_NAME"]
    assert worker_id == os.environ["PYTEST_XDIST_WORKER"] == "gw" + slot
    # What pytest-xdist says workers share is not shared with earlier runs.
    shared = tmp_path_factory.getbasetemp().parent / "shared"
    assert number in (0, 1) or shared.exists() or not shared.touch()
    pathlib.Path("slots").mkdir(exist_ok=True)
    pathlib.Path("slots", slot).touch()
    time.sleep(0.3)
"#;

/// Whoever names ports or databases by the worker of pytest-xdist finds one, in workers and in batches.
#[test]
fn sandboxes_can_be_told_apart() {
    for mode in ["", "worker = false\nschedule_individual = true"] {
        let project = project(&[("test_it.py", ASKING)], mode);
        project.run(&[]).exits(0);
        assert!(project.exists("slots/0") && project.exists("slots/1"));
    }
}

/// Mocks are undone, plugins of the project and options to leave one out are taken as they are.
#[test]
fn plugins_of_the_project_and_mocks() {
    let plugin = "import pytest\n\n@pytest.fixture\ndef ours():\n    return 1\n\ndef pytest_collection_modifyitems(items):\n    \
                  for item in items:\n        if 'slow' in item.name:\n            item.add_marker(pytest.mark.skip('slow'))\n";
    let test = "import os\n\ndef test_mocked(mocker, ours):\n    mocker.patch('os.getcwd', return_value='elsewhere')\n    \
                assert os.getcwd() == 'elsewhere'\n\ndef test_restored():\n    assert os.getcwd() != 'elsewhere'\n\n\
                def test_slow():\n    assert 0\n\ndef test_without_cache(pytestconfig):\n    \
                assert not pytestconfig.pluginmanager.has_plugin('cacheprovider')\n";
    let files: Files<'_> = &[("project_plugin.py", plugin), ("test_a.py", test), ("test_b.py", test)];
    check(files, &["-p", "project_plugin", "-p", "no:cacheprovider"], 0);
}
