//! What becomes of a run in which Modal, or what speaks to it, does not do its part.

use std::fs;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use offload_tests::{FakeModal, Finished, Project};

/// Tests that take a moment each, and tell that they have begun.
const SUITE: &str = "import os, pathlib, pytest, time\n\n@pytest.mark.parametrize('number', range(24))\n\
                     def test_it(number):\n    pathlib.Path(f'began-{number}').touch()\n    \
                     time.sleep(float(os.environ.get('PAUSE', '0.15')))\n";

/// A project with these tests, keys of `[provider]` and keys of its group.
fn project_with(provider: &str, group: &str) -> (Project, FakeModal) {
    let project = Project::new().file("test_it.py", SUITE);
    let fake = FakeModal::start(&project);
    let table = FakeModal::install(&project);
    let config = format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n{table}{provider}\n[groups.g]\ntype = \"pytest\"\n\
         python = \"{{python}}\"\n{group}\n"
    );
    (project.config(&config), fake)
}

fn project() -> (Project, FakeModal) {
    project_with("", "")
}

/// All tests passed, whatever happened, and none was forgotten.
#[track_caller]
fn check_complete(done: &Finished, fake: &FakeModal) {
    let results = done.results();
    assert_eq!(results.count("passed"), 24, "{:?}\n{}", results.summary, done.said());
    fake.check_nothing_left();
}

/// A run, and something that is done once a few of its tests have passed.
#[track_caller]
fn disturbed(project: &Project, fake: &mut FakeModal, disturb: impl FnOnce(&mut FakeModal)) -> Finished {
    let mut running = fake.run(project, &[]).start();
    let events = project.path().join("test-results/events.jsonl");
    let finished = || fs::read_to_string(&events).unwrap_or_default().matches("\"attempted\"").count();
    running.wait_until("tests have passed", || finished() >= 3);
    disturb(fake);
    running.finish()
}

/// The helper of this project's run.
fn helper(project: &Project) -> Option<i32> {
    let marker = project.beside().display().to_string();
    let contains = |process: i32, file: &str, text: &str| {
        let bytes = fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).contains(text)
    };
    let processes = fs::read_dir("/proc").expect("processes can be listed").flatten();
    let mut processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    processes
        .find(|&process| contains(process, "cmdline", "offload-modal-helper") && contains(process, "environ", &marker))
}

#[track_caller]
fn kill_helper(project: &Project) {
    let helper = helper(project).expect("the helper runs");
    kill(Pid::from_raw(helper), Signal::SIGKILL).expect("it is ours");
}

#[test]
fn no_capacity_leaves_all_tests_unrun() {
    let (project, fake) = project();
    fake.goes_wrong("fail-create", "always");
    let done = fake.run(&project, &[]).finish().exits(1).says("no room for another sandbox");
    assert_eq!(done.results().count("not-run"), 24, "{:?}", done.results().summary);
    fake.check_nothing_left();
}

#[test]
fn a_create_that_fails_once_costs_nothing() {
    let (project, fake) = project();
    fake.goes_wrong("fail-create", "1");
    check_complete(&fake.run(&project, &[]).finish().exits(0), &fake);
}

#[test]
fn one_hanging_create_holds_nobody_up() {
    let (project, fake) = project();
    fake.goes_wrong("hang-create", "1");
    let done = fake.run(&project, &[]).finish().exits(0);
    assert!(done.took < Duration::from_secs(60), "{:?}", done.took);
    check_complete(&done, &fake);
}

/// The server makes the sandboxes all the same, after everybody has given them up.
#[test]
fn sandboxes_that_come_up_too_late_are_ended() {
    let (project, fake) = project_with("timeout_secs = 2\n", "");
    fake.goes_wrong("slow-create", "3");
    let done = fake.run(&project, &[]).finish().exits(1);
    assert_eq!(done.results().count("not-run"), 24, "{:?}", done.results().summary);
    fake.check_nothing_left();
}

#[test]
fn a_command_that_is_dropped_is_run_again_elsewhere() {
    for group in ["", "worker = false\n"] {
        let (project, fake) = project_with("", group);
        fake.goes_wrong("drop-exec", "1 pytest");
        check_complete(&fake.run(&project, &[]).finish().exits(0), &fake);
    }
}

#[test]
fn a_terminated_sandbox_is_replaced_and_its_results_stay() {
    let (project, mut fake) = project();
    let done = disturbed(&project, &mut fake, |fake| {
        let living = fake.living();
        fake.terminate(&living[0]);
    });
    check_complete(&done.exits(0), &fake);
    let failed = events(&project, "sandbox-failed");
    assert!(failed.iter().any(|event| event.contains("sandbox-lost")), "{failed:?}");
}

/// The lines of the event log that are of this kind.
fn events(project: &Project, kind: &str) -> Vec<String> {
    let log = project.read("test-results/events.jsonl");
    log.lines().filter(|line| line.contains(&format!("\"{kind}\""))).map(str::to_owned).collect()
}

#[test]
fn a_sandbox_without_memory_is_replaced() {
    let (project, fake) = project();
    fake.goes_wrong("oom-exec", "1 pytest");
    let done = fake.run(&project, &[]).finish().exits(0).says("no memory left").says("raise `memory`");
    check_complete(&done, &fake);
    let failed = events(&project, "sandbox-failed");
    assert!(failed.iter().any(|event| event.contains("evicted")), "{failed:?}");
}

#[test]
fn a_sandbox_at_the_end_of_its_lifetime_is_replaced() {
    let (project, fake) = project_with("timeout_secs = 4\nenv = { PAUSE = \"0.5\" }\n", "");
    check_complete(&fake.run(&project, &[]).finish().exits(0), &fake);
    let failed = events(&project, "sandbox-failed");
    assert!(failed.iter().any(|event| event.contains("evicted")), "{failed:?}");
}

#[test]
fn a_file_that_cannot_be_fetched_costs_no_result() {
    let (project, fake) = project_with("", "worker = false\n");
    fake.goes_wrong("drop-exec", "1 exec cat");
    check_complete(&fake.run(&project, &[]).finish().exits(0), &fake);
}

#[test]
fn a_termination_that_fails_once_is_made_again() {
    let (project, fake) = project();
    fake.goes_wrong("fail-terminate", "1");
    let done = fake.run(&project, &[]).finish().exits(0).does_not_say("it does not want to go");
    check_complete(&done, &fake);
    assert_eq!(fake.calls("SandboxTerminateV2"), fake.calls("SandboxCreateV2") + 1);
}

#[test]
fn the_run_ends_when_the_servers_are_gone() {
    let (project, mut fake) = project();
    let done = disturbed(&project, &mut fake, FakeModal::end).exits(1);
    assert!(done.took < Duration::from_secs(120), "{:?}", done.took);
    let results = done.results();
    assert_eq!(results.count("passed") + results.count("not-run"), 24, "{:?}", results.summary);
    assert!(results.count("passed") >= 3, "{:?}", results.summary);
}

#[test]
fn servers_that_do_not_answer_are_told_of_soon() {
    let (project, mut fake) = project();
    fake.end();
    let mut running = fake.run(&project, &[]).start();
    let events = project.path().join("test-results/events.jsonl");
    let told = "Modal has not answered for 8 s";
    running.wait_until("it is told", || fs::read_to_string(&events).unwrap_or_default().contains(told));
    running.signal(Signal::SIGINT);
    running.finish().exits(130).says("see whether http://127.0.0.1:");
}

#[test]
fn a_killed_helper_is_started_again() {
    let (project, mut fake) = project();
    let done = disturbed(&project, &mut fake, |_| kill_helper(&project)).exits(0);
    assert_eq!(fake.calls("AuthTokenGet"), 2);
    let sandboxes = fake.calls("SandboxCreateV2");
    assert_eq!(sandboxes, 2, "its successor finds them by their ids; it said:\n{}", done.said());
    check_complete(&done, &fake);
}

#[test]
fn a_helper_that_is_killed_again_and_again_ends_the_run() {
    let (project, fake) = project();
    let mut running = fake.run(&project, &[]).start();
    for _ in 0..2 {
        running.wait_until("a sandbox is up", || helper(&project).is_some() && began(&project));
        kill_helper(&project);
    }
    let done = running.finish().exits(1).says("ended twice");
    assert!(done.took < Duration::from_secs(60), "{:?}", done.took);
    assert_eq!(done.results().tests.len(), 24);
    fake.check_nothing_left();
}

/// Whether a test has begun in a sandbox.
fn began(project: &Project) -> bool {
    let sandboxes = fs::read_dir(project.beside().join("modal")).expect("the server's state").flatten();
    sandboxes
        .filter_map(|entry| fs::read_dir(entry.path()).ok())
        .any(|files| files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("began-")))
}
