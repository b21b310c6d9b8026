//! The `local` provider when this machine does not do its part.

use std::fs;
use std::time::Duration;

use offload_tests::{Finished, Invocation, Project};

const SUITE: &str = "import pytest\n\n@pytest.mark.parametrize('number', range(6))\ndef test_it(number):\n    pass\n";

/// Tests that take their time, so that something can happen meanwhile, and that need their directory.
const LONG: &str = "import pytest, time\n\n@pytest.mark.parametrize('number', range(12))\ndef test_it(number):\n    time.sleep(0.3)\n    \
     open('test_it.py').close()\n";

fn project(suite: &str, provider: &str, group: &str) -> Project {
    Project::new().file("test_it.py", suite).config(&format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n[provider]\ntype = \"local\"\n{provider}\n\
         [groups.g]\ntype = \"pytest\"\npython = \"{{python}}\"\n{group}\n"
    ))
}

/// The project with a program of this machine that does something else where `case` fits its arguments.
fn with_another(project: Project, program: &str, case: &str, shell: &str) -> Project {
    let text = format!("#!/bin/sh\ncase $* in {case}) {shell} ;; esac\nexec /bin/{program} \"$@\"\n");
    project.script(&format!("../bin/{program}"), &text)
}

fn run(project: &Project) -> Invocation<'_> {
    let path = format!("{}:{}", project.beside().join("bin").display(), std::env::var("PATH").expect("PATH is set"));
    project.offload(&["run"]).env("PATH", path)
}

#[track_caller]
fn check_all_passed(done: &Finished, tests: usize) {
    assert_eq!(done.results().count("passed"), tests, "{}", done.said());
}

const QUOTA: &str = "echo 'mkdir: cannot create directory: Disk quota exceeded' >&2; exit 1";

#[test]
fn creates_that_fail() {
    let project = with_another(project(SUITE, "", ""), "mkdir", "*/local-*", QUOTA);
    let done = run(&project).finish().exits(1).says("Disk quota exceeded");
    assert_eq!(done.results().count("not-run"), 6, "{}", done.said());
}

#[test]
fn a_create_that_fails_once() {
    let project = with_another(project(SUITE, "", ""), "mkdir", "*/local-1", QUOTA);
    let done = run(&project).finish().exits(0);
    check_all_passed(&done, 6);
}

#[test]
fn a_create_that_hangs() {
    let project = with_another(project(SUITE, "", ""), "mkdir", "*/local-1", "sleep 600");
    let done = run(&project).finish().exits(0);
    check_all_passed(&done, 6);
    assert!(done.took < Duration::from_secs(60), "{:?}", done.took);
}

/// What was told before stays, and what was not is handed out again.
#[track_caller]
fn check_removed(group: &str) {
    let project = project(LONG, "isolation = \"copy\"", group);
    let mut running = project.offload(&["run"]).start();
    let events = project.path().join("test-results/events.jsonl");
    let begun = || fs::read_to_string(&events).unwrap_or_default().matches("-started\"").count();
    running.wait_until("tests run", || begun() >= 3);
    std::thread::sleep(Duration::from_millis(500));
    for run in fs::read_dir(project.temporary()).expect("a directory").flatten() {
        let _ = fs::remove_dir_all(run.path().join("local-1"));
    }
    check_all_passed(&running.finish().exits(0), 12);
}

#[test]
fn a_directory_that_is_taken_from_a_worker() {
    check_removed("");
}

#[test]
fn a_directory_that_is_taken_from_a_batch() {
    check_removed("worker = false");
}

/// No shorter list passes for the whole one, and no test for one that cannot be collected.
#[test]
fn a_directory_that_goes_while_tests_are_looked_for() {
    let slow = format!("import time\ntime.sleep(1)\n{SUITE}");
    let project = project(&slow, "isolation = \"copy\"", "").file("test_more.py", SUITE);
    let mut running = project.offload(&["run"]).start();
    let events = project.path().join("test-results/events.jsonl");
    let begun = || fs::read_to_string(&events).unwrap_or_default().contains("\"worker-started\"");
    running.wait_until("the tests are looked for", begun);
    std::thread::sleep(Duration::from_millis(700));
    for run in fs::read_dir(project.temporary()).expect("a directory").flatten() {
        for sandbox in fs::read_dir(run.path()).expect("a directory").flatten() {
            let _ = fs::remove_dir_all(sandbox.path().join("work"));
        }
    }
    check_all_passed(&running.finish().exits(0), 12);
}

#[test]
fn a_destroy_that_fails() {
    let project = project(SUITE, "", "");
    // Nothing of the run's own is removed by `rm` before its end.
    let logs = project.path().join("test-results/logs").display().to_string();
    let shell = format!("[ ! -e '{logs}' ] || {{ echo 'rm: cannot remove it: Device or resource busy' >&2; exit 1; }}");
    let project = with_another(project, "rm", "*/local-1", &shell);
    let done = run(&project).finish_among_leftovers().exits(0);
    check_all_passed(&done, 6);
    done.says("Device or resource busy");
}
