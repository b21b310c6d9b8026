//! What users tell pytest by options, configuration files and plugins of their own.

use crate::suite::Suite;

const THREE: (&str, &str) = ("test_a.py", "def test_1(): pass\ndef test_2(): assert 0\ndef test_3(): pass\n");
const THREE_STATUSES: [(&str, &str); 3] =
    [("test_a.py::test_1", "passed"), ("test_a.py::test_2", "failed"), ("test_a.py::test_3", "passed")];

#[track_caller]
fn check_with_addopts(addopts: &str) {
    let suite = Suite::new(&[THREE, ("pytest.ini", &format!("[pytest]\naddopts = {addopts}\n"))]);
    suite.check_statuses(&THREE_STATUSES);
}

#[test]
fn options_that_change_how_pytest_looks_or_stops_change_nothing() {
    check_with_addopts("-q --color=yes -p no:terminal");
    check_with_addopts("-vvv --color=yes --tb=no -rA");
    check_with_addopts("-p no:cacheprovider -p no:capture -p no:logging -p no:junitxml");
    check_with_addopts("-x --pdb --junitxml=own.xml --durations=3");
    check_with_addopts("--collect-only");
}

#[test]
fn runs_at_the_same_time_do_not_share_a_base_directory() {
    let source = "def test_1(tmp_path_factory): print(tmp_path_factory.getbasetemp())\n";
    let suite = Suite::new(&[("test_a.py", source)]).with("extra_args", vec!["--basetemp=scratch"]);
    let [first, second] = [(); 2].map(|()| suite.outcomes().remove("test_1").expect("an outcome"));
    assert!(first.stdout.as_deref().is_some_and(|path| path.contains("/scratch/")), "{first:?}");
    assert_ne!(first.stdout, second.stdout);
}

#[test]
fn xdist_leaves_the_distribution_to_offload() {
    // Options of a plugin that is not there are wrong usage.
    check_with_addopts("-p xdist.plugin -n auto -q --color=yes -p no:terminal");
    check_with_addopts("-p xdist.plugin -n 2 --dist loadfile");
    check_with_addopts("-p xdist.plugin -d --tx 2*popen");
}

#[test]
fn a_reporter_of_ones_own_changes_nothing() {
    let conftest = r#"
import pytest
@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    config.pluginmanager.unregister(name="terminalreporter")
def pytest_report_teststatus(report, config):
    return "passed", ".", "PASSED"
def pytest_runtest_logreport(report):
    print("test_a.py::test_9 PASSED")
"#;
    Suite::new(&[THREE, ("conftest.py", conftest)]).check_statuses(&THREE_STATUSES);
}

#[test]
fn markers_and_arguments_select() {
    let files = [(
        "test_a.py",
        "import pytest\n@pytest.mark.slow\ndef test_1(): pass\ndef test_2(): pass\ndef test_3(): pass\n",
    )];
    let suite = Suite::new(&files).with("markers", "not slow").with("extra_args", vec!["-k", "not 3"]);
    suite.check_statuses(&[("test_a.py::test_2", "passed")]);
}

#[test]
fn stopping_early_is_reported_to_the_host() {
    for (arguments, expected) in [(vec![], None), (vec!["-x"], Some(1)), (vec!["--maxfail=3"], Some(3))] {
        let suite = Suite::new(&[THREE, ("test_bad.py", "import nonexistent_module\n")]).with("extra_args", arguments);
        let found = suite.discover().expect("discovered");
        assert_eq!(found.max_failures, expected);
        // A file that cannot be collected must not hide the tests of others.
        assert_eq!((found.tests.len(), found.problems.len()), (3, 1));
    }
}

#[test]
fn a_batch_stops_at_the_failure_that_x_asks_for() {
    let suite = Suite::new(&[THREE]).with("extra_args", vec!["-x"]);
    let tests = suite.discover().expect("discovered").tests;
    let outcomes = suite.run(&tests).expect("outcomes");
    assert_eq!(outcomes.iter().map(|it| it.status.as_str()).collect::<Vec<_>>(), ["passed", "failed"]);
}

#[test]
fn last_failed_selects_in_discovery_and_is_left_alone_by_runs() {
    let suite = Suite::new(&[THREE]);
    suite.write(".pytest_cache/v/cache/lastfailed", r#"{"test_a.py::test_3": true}"#);
    let suite = suite.with("extra_args", vec!["--lf"]);
    suite.check_statuses(&[("test_a.py::test_3", "passed")]);
    let cached = std::fs::read_to_string(suite.path(".pytest_cache/v/cache/lastfailed")).expect("the cache");
    assert!(cached.contains("test_3"), "{cached}");
    let suite = suite.with("extra_args", vec!["--sw"]);
    suite.check_statuses(&THREE_STATUSES);
}

#[test]
fn a_plugin_that_takes_a_share_takes_it_once() {
    let conftest = "def pytest_collection_modifyitems(items): items[:] = items[: (len(items) + 1) // 2]\n";
    let suite = Suite::new(&[THREE, ("conftest.py", conftest)]);
    suite.check_statuses(&THREE_STATUSES[..2]);
}

#[test]
fn only_the_files_of_a_batch_are_imported() {
    let suite = Suite::new(&[
        ("pkg/__init__.py", ""),
        ("pkg/sub/__init__.py", ""),
        ("pkg/sub/conftest.py", "import pytest\n@pytest.fixture\ndef here(): return 1\n"),
        ("pkg/sub/test_a.py", "def test_1(here): pass\n"),
        ("pkg/test_b.py", "import pathlib\npathlib.Path(__file__).with_name('imported').touch()\ndef test_1(): pass\n"),
        ("test_c.py", "import pathlib\npathlib.Path('imported').touch()\ndef test_1(): pass\n"),
    ])
    .with("paths", vec!["pkg", "test_c.py"]);
    let tests = suite.discover().expect("discovered").tests;
    let imported = [suite.path("pkg/imported"), suite.path("imported")];
    for path in &imported {
        std::fs::remove_file(path).expect("discovery imports every file");
    }
    let batch: Vec<_> = tests.iter().filter(|test| test.id.starts_with("pkg/sub/")).cloned().collect();
    assert_eq!(suite.run(&batch).expect("outcomes")[0].status, "passed");
    assert!(imported.iter().all(|path| !path.exists()));
    assert_eq!(suite.statuses().into_values().collect::<Vec<_>>(), ["passed"; 3]);
}

#[test]
fn paths_may_name_files_classes_and_dashes() {
    let suite = Suite::new(&[
        ("-odd/test_a.py", "def test_1(): pass\n"),
        ("t/test_b.py", "class TestB:\n    def test_1(self): pass\ndef test_2(): pass\n"),
        ("t/test_c.py", "def test_1(): pass\n"),
    ])
    .with("paths", vec!["-odd", "t/test_b.py::TestB", "t/test_c.py"]);
    suite.check_statuses(&[
        ("-odd/test_a.py::test_1", "passed"),
        ("t/test_b.py::TestB::test_1", "passed"),
        ("t/test_c.py::test_1", "passed"),
    ]);
}

#[test]
fn a_narrowed_discovery_can_be_run() {
    let suite = Suite::new(&[("a/test_a.py", "def test_1(): pass\n"), ("b/test_b.py", "def test_1(): pass\n")])
        .with("paths", vec!["a"]);
    let tests = suite.discover_in(&["b"]).expect("discovered").tests;
    assert_eq!(tests.iter().map(|test| test.id.as_str()).collect::<Vec<_>>(), ["b/test_b.py::test_1"]);
    assert_eq!(suite.run(&tests).expect("outcomes")[0].status, "passed");
}

#[test]
fn the_process_looks_like_python_m_pytest() {
    let source = r#"
import multiprocessing, os, sys
def double(x): return 2 * x
def test_main():
    assert sys.argv[0].endswith(os.path.join("pytest", "__main__.py")) and sys.argv[1:] == ["test_a.py", "-q"]
    assert sys.modules["__main__"].__spec__.name == "pytest.__main__"
    assert os.getcwd() in sys.path and "" not in sys.path
def test_beside(): import beside
def test_spawned_processes():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(double, [1, 2]) == [2, 4]
"#;
    let suite = Suite::new(&[("test_a.py", source), ("beside.py", "")])
        .with("paths", vec!["test_a.py"])
        .with("extra_args", vec!["-q"]);
    suite.check_statuses(&[
        ("test_a.py::test_main", "passed"),
        ("test_a.py::test_beside", "passed"),
        ("test_a.py::test_spawned_processes", "passed"),
    ]);
}
