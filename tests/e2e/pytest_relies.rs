//! What suites of pytest rely on in a plain run, besides the verdict of its session: they may rely on it here.

use offload_tests::{DefaultProvider, Project, suite_python};

const MODES: [&str; 2] = ["", "worker = false\nschedule_individual = true"];

fn project(mode: &str) -> Project {
    Project::pytest_with("max_parallel = 2\nretry_count = 0", mode)
}

/// Two files of slow tests, so that both sandboxes run some.
fn two_files(project: Project, test: &str) -> Project {
    let text =
        format!("import time, pytest\n\n@pytest.mark.parametrize('number', range(5))\n{test}    time.sleep(0.1)\n");
    project.file("test_a.py", &text).file("test_b.py", &text)
}

/// A service is started for the session if any test needs it, as hooks see all of them in every process.
#[test]
fn hooks_see_the_whole_collection() {
    let start = |hook: &str| {
        format!(
            "import pytest\n\nNEEDED = set()\n\n{hook}\n        for mark in item.iter_markers('needs'):\n            \
             NEEDED.add(mark.args[0])\n\n@pytest.fixture\ndef needed():\n    return NEEDED\n"
        )
    };
    let hooks = [
        "def pytest_collection_finish(session):\n    for item in session.items:",
        "def pytest_collection_modifyitems(items):\n    for item in items:",
        "def pytest_itemcollected(item):\n    for item in [item]:",
    ];
    let test = "def test_it(needed, number):\n    assert needed == {'mail'}\n";
    for (hook, mode) in hooks.iter().flat_map(|hook| MODES.map(|mode| (hook, mode))) {
        let project = two_files(project(mode), test).file("conftest.py", start(hook));
        let project = project
            .file("test_c.py", "import pytest\n\n@pytest.mark.needs('mail')\ndef test_mail():\n    pass\n")
            .file("pytest.ini", "[pytest]\nmarkers = needs(service)\n");
        let done = project.run(&[]).exits(0);
        assert_eq!(done.results().count("passed"), 11, "{hook} {mode}: {}", done.said());
    }
}

/// Also a test that asks has the whole list, in workers that load file by file.
#[test]
fn tests_see_the_whole_collection() {
    let test = "def test_it(request, number):\n    session = request.session\n    \
                assert len(session.items) == session.testscollected == 10\n    \
                assert [item.nodeid for item in session.items] == sorted(item.nodeid for item in session.items)\n";
    let project = two_files(Project::new(), test);
    let table = DefaultProvider::default().install(&project);
    let project = project.config(&format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n{table}\n[groups.python]\ntype = \"pytest\"\npython = \"{{python}}\"\n"
    ));
    let done = project.run(&[]).exits(0);
    assert_eq!(done.results().count("passed"), 10, "{}", done.said());
}

/// What nothing refers to is freed, as nothing of ours holds it.
#[test]
fn garbage_is_collected() {
    let test = "import gc, weakref\n\nclass Node:\n    pass\n\ndef pair():\n    a, b = Node(), Node()\n    \
                a.other, b.other = b, a\n    return a\n\nHELD = [pair()]\nREFERENCE = weakref.ref(HELD[0])\n\n\
                def test_garbage():\n    assert gc.get_freeze_count() == 0\n    HELD.clear()\n    gc.collect()\n    \
                assert REFERENCE() is None\n";
    for mode in MODES {
        project(mode).file("test_it.py", test).run(&[]).exits(0);
    }
}

/// A fixture that freezes the time beyond the phase that it began in does not make the durations of its tests up.
#[test]
fn durations_are_real() {
    let test = "import time\nimport freezegun, pytest\n\nsleep = time.sleep\n\n@pytest.fixture\ndef frozen():\n    \
                with freezegun.freeze_time('2001-01-01'):\n        yield\n\n\
                def test_frozen(frozen):\n    sleep(0.3)\n    assert time.gmtime().tm_year == 2001\n";
    for mode in MODES {
        let python = suite_python();
        let project = Project::new().file("test_it.py", test).config(&format!(
            "[offload]\nretry_count = 0\n[provider]\ntype = \"local\"\n[groups.python]\ntype = \"pytest\"\npython = {python:?}\n{mode}\n"
        ));
        let done = project.run(&[]).exits(0);
        let duration = done.results().test("test_it.py::test_frozen").duration;
        assert!((0.3..30.0).contains(&duration), "{mode}: {duration}");
    }
}

/// The recipe of pytest-xdist: one worker makes it, beside the directories of all of them.
#[test]
fn something_is_made_once_a_run() {
    let conftest = r#"
import fcntl, pathlib, pytest

@pytest.fixture(scope="session")
def made(tmp_path_factory, worker_id):
    shared = tmp_path_factory.getbasetemp().parent / "made"
    with open(f"{shared}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.exists():
            shared.touch()
            with open("log", "a") as log:
                log.write(f"{worker_id}\n")
    return shared
"#;
    for mode in MODES {
        let python = suite_python();
        let project = two_files(Project::new(), "def test_it(made, tmp_path, number):\n    assert made.exists() and tmp_path.is_dir()\n")
            .file("conftest.py", conftest)
            .config(&format!(
                "[offload]\nmax_parallel = 2\nretry_count = 0\n[provider]\ntype = \"local\"\n[groups.python]\ntype = \"pytest\"\npython = {python:?}\n{mode}\n"
            ));
        for runs in 1..3 {
            // Which the sandboxes of this machine share.
            let shared = project.beside().join(format!("shared-{runs}"));
            std::fs::create_dir(&shared).expect("a directory can be made");
            let done = project.offload(&["run"]).env("OFFLOAD_RUN_TMP", &shared).finish().exits(0);
            assert_eq!(done.results().count("passed"), 10, "{}", done.said());
            assert_eq!(project.read("log").lines().count(), runs, "{mode}");
        }
    }
}

/// A directory that the suite names is emptied once a run, and no process has the place of another.
#[test]
fn a_base_directory_of_ones_own() {
    let test = "def test_it(tmp_path, number):\n    assert tmp_path.parent.parent.name == 'scratch'\n    (tmp_path / 'file').touch()\n";
    for mode in MODES {
        let project = two_files(project(&format!("extra_args = [\"--basetemp=scratch\"]\n{mode}")), test);
        for runs in 1..3 {
            let shared = project.beside().join(format!("shared-{runs}"));
            std::fs::create_dir(&shared).expect("a directory can be made");
            project.offload(&["run"]).env("OFFLOAD_RUN_TMP", &shared).finish().exits(0);
            let bases = std::fs::read_dir(project.path().join("scratch")).expect("a directory").flatten();
            let tests: usize = bases.map(|base| std::fs::read_dir(base.path()).expect("a directory").count()).sum();
            assert!((10..40).contains(&tests), "{mode}: {tests}");
            assert!(!project.exists("scratch/earlier"), "{mode}");
            project.write("scratch/earlier", "");
        }
    }
}

/// Files that each process would write are not written, and that is said by name, once.
#[test]
fn reports_of_a_part_are_not_written() {
    for mode in MODES {
        let mode = format!("extra_args = [\"--junitxml=own.xml\"]\n{mode}");
        let project = two_files(project(&mode), "def test_it(number):\n    pass\n");
        let done = project.run(&[]).exits(0).says("--junitxml is passed over");
        assert_eq!(done.said().matches("is passed over").count(), 1, "{}", done.said());
        assert!(!project.exists("own.xml"));
    }
}
