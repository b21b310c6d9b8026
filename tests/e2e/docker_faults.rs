//! The `docker` provider when something is wrong: the verdicts are true, the engine's own words are told, nothing is left.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use offload_tests::{Containers, Finished, Project, on_each_engine};

on_each_engine! {
    an_image_that_is_not_here
    an_option_that_the_engine_does_not_know
    a_create_that_fails_once
    a_create_that_hangs
    a_container_that_was_made_by_a_create_that_hung
    creates_that_hang_when_a_run_is_interrupted
    an_exec_that_dies
    a_container_that_is_killed
    containers_that_are_always_killed
    no_room_in_the_container
    no_room_for_results
    a_destroy_that_fails
    an_interrupted_run
}

const GROUP: &str = "[groups.python]\ntype = \"pytest\"\npython = \"python3\"\n";

const IN_APP: &str = "copy_dirs = [\".:/app\"]\nworkdir = \"/app\"\n";

/// Six quick tests.
const SUITE: &str = "import pytest\n\n@pytest.mark.parametrize('number', range(6))\ndef test_it(number):\n    pass\n";

/// Tests that take their time, so that something can happen meanwhile. Each tells that it runs.
const LONG: &str =
    "import pytest, time\n\n@pytest.mark.parametrize('number', range(12))\ndef test_it(number):\n    time.sleep(0.5)\n";

/// The engine behind a script that may do something before it asks the engine: `$1` is what is asked.
fn wrapped(engine: &Containers, suite: &str, before: &str, more: &str) -> Project {
    let project = Project::new().file("test_it.py", suite);
    let seen = project.beside().display().to_string();
    project.write(
        "../engine.sh",
        format!("#!/bin/sh\nseen='{seen}'\nengine={}\n{before}\nexec \"$engine\" \"$@\"\n", engine.command),
    );
    let table = engine.table(&format!("sh '{seen}/engine.sh'"), engine.python_image(), &format!("{IN_APP}{more}"));
    project.config(&format!("[offload]\nmax_parallel = 2\nretry_count = 0\ntest_timeout_secs = 60\n{table}{GROUP}"))
}

#[track_caller]
fn check_all_passed(done: &Finished, tests: usize) {
    assert_eq!(done.results().count("passed"), tests, "{}", done.said());
}

fn an_image_that_is_not_here(engine: &Containers) {
    let table = engine.table("{engine}", "localhost/nothing-like-this", IN_APP);
    let project = Project::new().file("test_it.py", SUITE).config(&format!("[offload]\n{table}{GROUP}"));
    let done = engine.run(&project, &[]).exits(1).says("nothing-like-this").says("pull = \"never\"");
    assert_eq!(done.results().count("not-run"), 6, "{}", done.said());
    // The engine's own words.
    let done = if engine.command == "podman" { done.says("image not known") } else { done.says("No such image") };
    done.says("correct `image` in [provider]");
}

fn an_option_that_the_engine_does_not_know(engine: &Containers) {
    let project = wrapped(engine, SUITE, "", "extra_args = [\"--no-such-option\"]\n");
    let done = engine.run(&project, &[]).exits(1).says("unknown flag: --no-such-option").says("extra_args");
    assert_eq!(done.results().count("not-run"), 6, "{}", done.said());
    assert!(done.events_of("sandbox-failed").len() <= 2, "nobody tries again what cannot succeed: {}", done.said());
}

fn a_create_that_fails_once(engine: &Containers) {
    let before =
        "if [ \"$1\" = run ] && mkdir \"$seen/first\" 2>/dev/null; then echo temporarily unavailable >&2; exit 125; fi";
    let done = engine.run(&wrapped(engine, SUITE, before, ""), &[]).exits(0).says("temporarily unavailable");
    check_all_passed(&done, 6);
}

fn a_create_that_hangs(engine: &Containers) {
    let before = "if [ \"$1\" = run ]; then sleep 600; fi";
    let done =
        engine.run(&wrapped(engine, SUITE, before, "timeout_secs = 3\n"), &[]).exits(1).says("did not end within 3s");
    assert_eq!(done.results().count("not-run"), 6, "{}", done.said());
    assert!(done.took < Duration::from_secs(90), "{:?}", done.took);
}

/// Nobody was told of it, so it has to be found.
fn a_container_that_was_made_by_a_create_that_hung(engine: &Containers) {
    let before = "if [ \"$1\" = run ] && mkdir \"$seen/first\" 2>/dev/null; then \"$engine\" \"$@\"; touch \"$seen/made\"; sleep 600; fi";
    let project = wrapped(engine, SUITE, before, "timeout_secs = 8\n");
    let done = engine.run(&project, &[]).exits(0);
    check_all_passed(&done, 6);
    assert!(project.beside().join("made").exists());
}

/// The end of a run does not wait for them for long; what they made is found all the same.
fn creates_that_hang_when_a_run_is_interrupted(engine: &Containers) {
    let before = "if [ \"$1\" = run ]; then \"$engine\" \"$@\"; touch \"$seen/made\"; sleep 600; fi";
    let project = wrapped(engine, SUITE, before, "");
    let mut running = engine.offload(&project, &["run"]).start();
    let events = project.path().join("test-results/events.jsonl");
    let found = || fs::read_to_string(&events).unwrap_or_default().contains("discovery-finished");
    running.wait_until("a container was made", || project.beside().join("made").exists() && found());
    running.signal(Signal::SIGINT);
    let done = running.finish().exits(130);
    engine.check_nothing_left(&done);
    assert_eq!(done.results().count("not-run"), 6, "{}", done.said());
    assert!(done.took < Duration::from_secs(40), "{:?}", done.took);
}

/// The engine's client is killed while a test runs; what it had started is ended in the container.
fn an_exec_that_dies(engine: &Containers) {
    let before = "case \"$*\" in *OFFLOAD_EXEC_ID*) (sleep 1.5; kill -0 $$ && mkdir \"$seen/first\" && kill -9 $$) >/dev/null 2>&1 & ;; esac";
    let done = engine.run(&wrapped(engine, LONG, before, ""), &[]).exits(0).says("was ended by signal 9");
    check_all_passed(&done, 12);
}

/// Kills a container of the run, once some of its tests have passed.
fn kill_one(engine: &Containers, project: &Project) -> Finished {
    let mut running = engine.offload(project, &["run"]).start();
    let events = project.path().join("test-results/events.jsonl");
    running.wait_until("tests have passed", || judged(&events) >= 2);
    let victims = engine.of_run(&run_id(&events));
    engine.ask(&["kill", &victims[0]]);
    running.finish()
}

/// How many tests have their verdict.
fn judged(events: &Path) -> usize {
    fs::read_to_string(events).unwrap_or_default().matches("\"event\":\"judged\"").count()
}

fn run_id(events: &Path) -> String {
    let text = fs::read_to_string(events).expect("the events of the run");
    let first: serde_json::Value = serde_json::from_str(text.lines().next().expect("an event")).expect("JSON");
    first["run_id"].as_str().expect("the first event names the run").to_owned()
}

/// What was told before stays, and what was not is handed out again.
fn a_container_that_is_killed(engine: &Containers) {
    let project = wrapped(engine, LONG, "", "");
    let done = kill_one(engine, &project).exits(0);
    engine.check_nothing_left(&done);
    check_all_passed(&done, 12);
    let failed = done.events_of("sandbox-failed");
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0]["failure"]["code"], "sandbox-lost", "{failed:?}");
    done.says("does not run any more");
    let attempts = project_attempts(&project);
    assert_eq!(attempts, 12, "a test without an end of its own was not counted");
}

fn project_attempts(project: &Project) -> usize {
    let text = project.read("test-results/results.json");
    let results: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let tests = results["tests"].as_array().expect("tests");
    tests.iter().map(|test| test["attempts"].as_array().map_or(0, Vec::len)).sum()
}

/// Tests that are always lost with their container are an error in the end, not a run without one.
fn containers_that_are_always_killed(engine: &Containers) {
    let before = "case \"$*\" in *OFFLOAD_EXEC_ID*) (sleep 1; \"$engine\" kill \"$5\") >/dev/null 2>&1 & ;; esac";
    let suite = "import time\n\ndef test_it():\n    time.sleep(20)\n";
    let done = engine.run(&wrapped(engine, suite, before, ""), &[]).exits(1).says("its sandbox was lost");
    assert_eq!(done.verdict("test_it.py::test_it"), "error", "{}", done.said());
}

fn no_room_in_the_container(engine: &Containers) {
    let more = "extra_args = [\"--read-only\"]\n";
    let done = engine.run(&wrapped(engine, SUITE, "", more), &[]).exits(1).says("Read-only file system");
    assert_eq!(done.results().count("not-run"), 6, "{}", done.said());
}

/// A result file that does not fit is none: its tests have no results, and the log says why.
fn no_room_for_results(engine: &Containers) {
    let table = engine.table("{engine}", engine.busybox_image(), "extra_args = [\"--tmpfs=/tmp:size=64k\"]");
    let project = Project::new().config(&format!(
        "[offload]\nmax_parallel = 1\nretry_count = 0\n{table}[groups.custom]\ntype = \"default\"\ndiscover_command = \"echo one\"\n\
         run_command = \"cat /bin/busybox >{{result_file}} # {{tests}}\"\n"
    ));
    let done = engine.run(&project, &[]).exits(1);
    assert_eq!(done.verdict("one"), "error", "{}", done.said());
    assert!(done.report("logs/docker-1-1.stderr").contains("No space left on device"), "{}", done.said());
}

/// The engine removes everything and says that it did not.
fn a_destroy_that_fails(engine: &Containers) {
    let before = "case $1 in\n\
                  rm) \"$engine\" \"$@\" >/dev/null 2>&1; echo \"$@\" | tr ' ' '\\n' >>\"$seen/removed\"; echo the engine is busy >&2; exit 5 ;;\n\
                  ps) cat \"$seen/removed\"; exit 0 ;;\nesac";
    let done = engine.run(&wrapped(engine, SUITE, before, ""), &[]).exits(0);
    check_all_passed(&done, 6);
    done.says("the engine is busy").says("remove what is left by hand");
}

fn an_interrupted_run(engine: &Containers) {
    let suite = "import pathlib, subprocess, time, pytest\n\n@pytest.mark.parametrize('number', range(6))\ndef test_it(number):\n    \
                 subprocess.Popen(['sleep', '300'], start_new_session=True)\n    print('begun', flush=True)\n    time.sleep(300)\n";
    let project = wrapped(engine, suite, "", "");
    let mut running = engine.offload(&project, &["run"]).start();
    let events = project.path().join("test-results/events.jsonl");
    running.wait_until("a worker was started", || {
        fs::read_to_string(&events).unwrap_or_default().contains("worker-started")
    });
    std::thread::sleep(Duration::from_secs(1));
    running.signal(Signal::SIGINT);
    let done = running.finish().exits(130);
    engine.check_nothing_left(&done);
    assert_eq!(done.results().count("not-run"), 6, "{}", done.said());
    assert!(done.took < Duration::from_secs(40), "{:?}", done.took);
}

/// Docker's client at a service of its own, which is killed while tests run: the containers cannot be reached any more.
#[test]
fn an_engine_that_goes_away() {
    let Some(engine) = Containers::docker() else { return };
    let project = wrapped(&engine, LONG, "", "");
    let socket = format!("/tmp/offload-gone-{}.sock", std::process::id());
    let mut service = engine.podman_command(&["system", "service", "--time=0", &format!("unix://{socket}")]);
    let mut service = service.spawn().expect("podman starts");
    while !Path::new(&socket).exists() {
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut running = engine.offload(&project, &["run"]).env("DOCKER_HOST", format!("unix://{socket}")).start();
    let events = project.path().join("test-results/events.jsonl");
    running.wait_until("tests have passed", || judged(&events) >= 2);
    service.kill().expect("it still runs");
    service.wait().expect("it ends");
    let done = running.finish().exits(1);
    let left = engine.of_run(&done.results().run_id);
    for container in &left {
        engine.ask(&["rm", "--force", container]);
    }
    let _ = fs::remove_file(socket);

    let results = done.results();
    let (passed, not_run) = (results.count("passed"), results.count("not-run"));
    assert!(passed >= 2 && not_run >= 1 && passed + not_run == 12, "{:?}", results.summary);
    assert!(!left.is_empty(), "nobody could remove them");
    let done = done.says("Cannot connect to the Docker daemon").says("start the engine");
    let said = done.said();
    assert!(left.iter().all(|container| said.contains(container)), "what is left is named: {left:?}; it said:\n{said}");
}
