//! The `docker` provider, with podman itself and with docker's client: what it promises when all goes well.

use std::path::Path;
use std::time::Duration;

use offload_tests::{Containers, Project, on_each_engine};

on_each_engine! {
    a_suite_in_warm_workers
    awkward_variables
    a_custom_group
    want_of_memory_is_named
    a_dockerfile_is_built
    mounts_users_and_limits
    what_tests_leave_running_ends_with_them
    exit_codes_are_exact
    command_lines_of_any_length
}

const GROUP: &str = "[groups.python]\ntype = \"pytest\"\npython = \"python3\"\n";

/// One directory is copied by the configuration, another by the command line.
fn a_suite_in_warm_workers(engine: &Containers) {
    let suite = "import os, pathlib, pytest\n\n@pytest.mark.parametrize('number', range(20))\ndef test_many(number):\n    \
                 assert pathlib.Path('data/a file.txt').read_text() == 'content'\n    assert os.path.exists('/bin/busybox')\n\n\
                 def test_fails():\n    assert 1 == 2\n";
    let table =
        engine.table("{engine}", engine.python_image(), "workdir = \"/app\"\ncopy_dirs = [\"tests:/app/tests\"]");
    let project = Project::new()
        .file("tests/test_it.py", suite)
        .file("some data/a file.txt", "content")
        .config(&format!("[offload]\nmax_parallel = 2\nretry_count = 0\n{table}{GROUP}paths = [\"tests\"]\n"));
    let done = engine.run(&project, &["--copy-dir", "some data:data"]).exits(1).says("assert 1 == 2");
    assert_eq!(done.results().count("passed"), 20, "{}", done.said());
    assert_eq!(done.verdict("tests/test_it.py::test_fails"), "failed");
    done.ran_in_workers();
}

/// Some of them mean something to the engine's client, and must not.
fn awkward_variables(engine: &Containers) {
    let suite = r#"
import os

def test_it():
    assert os.environ["QUOTES"] == "it's $5 & \"more\" `id` \\"
    assert os.environ["LINES"] == "one\ntwo"
    assert os.environ["EMPTY"] == ""
    assert os.environ["PATH"].startswith("/nowhere:")
    assert os.environ["HOME"] == "/nowhere"
    assert os.environ["DOCKER_HOST"] == os.environ["CONTAINER_HOST"] == "tcp://127.0.0.1:1"
    assert os.environ["LATER"] == "given"
    assert os.environ["OFFLOAD_SANDBOX_NAME"].startswith("docker-")
    assert "OFFLOAD_COMMAND_LINE" not in os.environ
"#;
    let table = engine.table("{engine}", engine.python_image(), "copy_dirs = [\".:/app\"]\nworkdir = \"/app\"");
    let variables = "[provider.env]\nQUOTES = 'it''s'\nLINES = \"one\\ntwo\"\nEMPTY = \"\"\nLATER = \"configured\"\nHOME = \"/nowhere\"\n\
                     PATH = \"/nowhere:/usr/bin:/bin\"\nDOCKER_HOST = \"tcp://127.0.0.1:1\"\nCONTAINER_HOST = \"tcp://127.0.0.1:1\"\n";
    let variables = variables.replace("'it''s'", "\"it's $$5 & \\\"more\\\" `id` \\\\\"");
    let project = Project::new()
        .file("test_it.py", suite)
        .config(&format!("[offload]\nretry_count = 0\n{table}{variables}{GROUP}"));
    let done = engine.run(&project, &["--env", "LATER=given"]).exits(0);
    assert_eq!(done.results().count("passed"), 1);
}

/// Writes JUnit; a test fails if its name says so.
const RUNNER: &str = "#!/bin/sh\nout=$1; shift\n{ echo '<testsuite>'; for id; do echo \"<testcase name='$id'>\"; case $id in *bad*) \
                      echo '<failure/>' ;; esac; echo '</testcase>'; done; echo '</testsuite>'; } >\"$out\"\n";

fn custom(engine: &Containers, offload: &str, more: &str, group: &str) -> Project {
    let table = engine.table(
        "{engine}",
        engine.busybox_image(),
        &format!("copy_dirs = [\".:/app\"]\nworkdir = \"/app\"\n{more}"),
    );
    Project::new()
        .script("run.sh", RUNNER)
        .config(&format!("[offload]\n{offload}\n{table}[groups.custom]\ntype = \"default\"\n{group}\n"))
}

fn a_custom_group(engine: &Containers) {
    let group = "discover_command = \"seq 9; echo 'a bad one'\"\nrun_command = \"./run.sh {result_file} {tests}\"";
    let project = custom(engine, "max_parallel = 2\nretry_count = 0", "", group);
    let done = engine.run(&project, &[]).exits(1);
    assert_eq!((done.results().count("passed"), done.results().count("failed")), (9, 1), "{}", done.said());
    assert_eq!(done.verdict("a bad one"), "failed");
}

/// The test that wants the memory has crashed, and says why; the others have their results.
fn want_of_memory_is_named(engine: &Containers) {
    let suite = "import pytest\n\n@pytest.mark.parametrize('number', range(6))\ndef test_small(number):\n    pass\n\n\
                 def test_large():\n    assert len(bytearray(400 << 20)) > 1\n\n\
                 @pytest.mark.parametrize('number', range(6))\ndef test_small_again(number):\n    pass\n";
    let table = engine.table(
        "{engine}",
        engine.python_image(),
        "copy_dirs = [\".:/app\"]\nworkdir = \"/app\"\nmemory = \"100m\"\nextra_args = [\"--memory-swap=100m\"]",
    );
    for worker in [true, false] {
        let project = Project::new()
            .file("test_it.py", suite)
            .config(&format!("[offload]\nmax_parallel = 1\nretry_count = 1\n{table}{GROUP}worker = {worker}\n"));
        let done = engine.run(&project, &[]).exits(1).says("out of memory").says("memory");
        let results = done.results();
        assert_eq!(results.count("passed"), 12, "{}", done.said());
        let large = results.test("test_it.py::test_large");
        assert_eq!(large.verdict, "crashed");
        assert_eq!(large.statuses(), ["crashed", "crashed"]);
        assert!(
            large
                .attempts
                .iter()
                .all(|attempt| attempt.message.as_ref().is_some_and(|text| text.contains("out of memory")))
        );
        assert_eq!(done.events_of("sandbox-up").len(), 1, "the container is as good as before");
    }
}

/// The page's configuration, as it stands.
fn a_dockerfile_is_built(engine: &Containers) {
    let suite = "import os\n\ndef test_it():\n    assert os.environ['GREETING'] == 'hello'\n    assert os.getcwd() == '/app'\n    \
                 assert os.path.exists('/built')\n";
    let dockerfile = format!("FROM {}\nCOPY marker /built\n", engine.python_image());
    let project = Project::new().file("tests/test_it.py", suite).file("Dockerfile", dockerfile).file("marker", "");
    let text =
        page_config().replace("type = \"docker\"", &format!("type = \"docker\"\ncommand = {:?}", engine.command));
    let project = project.config(&text);
    let done = engine.run(&project, &[]).exits(0);
    assert_eq!(done.results().count("passed"), 1);

    let project = project.file("Dockerfile", format!("FROM {}\nCOPY nothing_like_this /\n", engine.python_image()));
    let done = engine.run(&project, &[]).exits(1).says("building Dockerfile failed").says("nothing_like_this");
    assert_eq!(done.results().count("not-run"), 1);
}

fn page_config() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("suites/providers/docker.toml");
    std::fs::read_to_string(path).expect("the configuration of the page")
}

#[test]
fn the_page_shows_what_was_run() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/docs/docker.md");
    let page = std::fs::read_to_string(page).expect("the page");
    assert!(page.contains(&page_config()), "host/docs/docker.md differs from tests/suites/providers/docker.toml");
}

fn mounts_users_and_limits(engine: &Containers) {
    let suite = r#"
import os, pathlib, pytest

def test_it():
    assert os.getuid() == 65534
    assert pathlib.Path("/data/a file").read_text() == "content"
    with pytest.raises(OSError):
        pathlib.Path("/data/new").write_text("")
    assert pathlib.Path("/proc/1/comm").read_text().strip() != "sleep"
    shm = os.statvfs("/dev/shm")
    assert shm.f_blocks * shm.f_frsize == 8 << 20
"#;
    let more = "user = \"65534:65534\"\nmounts = [\"./data:/data:ro\", \".:/app\"]\nworkdir = \"/app\"\ncpus = 0.5\n\
                extra_args = [\"--shm-size=8m\"]";
    let table = engine.table("{engine}", engine.python_image(), more);
    let project = Project::new()
        .file("tests/test_it.py", suite)
        .file("data/a file", "content")
        .config(&format!("[offload]\nretry_count = 0\n{table}{GROUP}paths = [\"tests\"]\n"));
    let done = engine.run(&project, &[]).exits(0);
    assert_eq!(done.results().count("passed"), 1, "{}", done.said());
}

/// Killing the engine's client ends nothing in the container.
fn what_tests_leave_running_ends_with_them(engine: &Containers) {
    let suite = r#"
import subprocess, time

def test_a_hangs():
    subprocess.Popen(["sleep", "4711"], start_new_session=True)
    time.sleep(600)

def test_b_looks():
    assert "4711" not in subprocess.run(["ps"], capture_output=True, text=True, check=True).stdout
"#;
    let table = engine.table("{engine}", engine.python_image(), "copy_dirs = [\".:/app\"]\nworkdir = \"/app\"");
    let project = Project::new()
        .file("test_it.py", suite)
        .config(&format!("[offload]\nmax_parallel = 1\nretry_count = 0\n{table}{GROUP}per_test_timeout_secs = 2\n"));
    let done = engine.run(&project, &[]).exits(1);
    assert_eq!(done.verdict("test_it.py::test_a_hangs"), "timed-out");
    assert_eq!(done.verdict("test_it.py::test_b_looks"), "passed", "{}", done.said());
    assert_eq!(done.events_of("sandbox-up").len(), 1, "it is the same container");
    assert!(done.took < Duration::from_secs(60), "{:?}", done.took);
}

/// Codes that engines use for failures of their own are the command's, if it was the command that ended with them.
fn exit_codes_are_exact(engine: &Containers) {
    let group = "discover_command = \"printf '%s\\\\n' 3 125 126 127 137\"\nrun_command = \"exit {tests}\"";
    let project = custom(engine, "max_parallel = 1\nretry_count = 0", "", group);
    let done = engine.run(&project, &[]).exits(1);
    let ends = done.events_of("batch-ended");
    for code in [3, 125, 126, 127, 137] {
        assert!(ends.iter().any(|end| end["code"] == code), "{code}: {ends:?}");
    }
    assert_eq!(done.events_of("sandbox-failed").len(), 0);
    done.does_not_say("out of memory");
}

/// What the environment of a process cannot carry comes by a file.
fn command_lines_of_any_length(engine: &Containers) {
    let group =
        "discover_command = \"seq 1000\"\nrun_command = \"test ${#BIG} = 100000 && ./run.sh {result_file} {tests}\"";
    let project = custom(
        engine,
        "max_parallel = 1\nretry_count = 0",
        &format!("env = {{ BIG = \"{}\", MORE = \"{}\" }}", "x".repeat(100_000), "y".repeat(30_000)),
        group,
    );
    let done = engine.run(&project, &[]).exits(0);
    assert_eq!(done.results().count("passed"), 1000);
}
