//! Limits that the shell has set, by `ulimit`: offload works under them, or names the one that it has run into.

use std::path::Path;

use offload_tests::{Finished, Project};

/// Two tests.
fn project(run_command: &str) -> Project {
    Project::new().config(&format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n[provider]\ntype = \"local\"\n[groups.custom]\ntype = \"default\"\n\
         discover_command = \"echo one; echo two\"\nrun_command = \"{run_command}\"\n"
    ))
}

/// Runs tests that print 200 kB after a line of shell.
fn run_after(line: &str) -> Finished {
    run_in(&project("yes {tests} | head -c 200000; true"), line)
}

fn run_in(project: &Project, line: &str) -> Finished {
    let program = offload_tests::offload();
    let line = format!("{line}; exec '{}' run", program.display());
    offload_tests::Invocation::of(project, Path::new("sh"), &["-c", &line]).finish()
}

#[track_caller]
fn accuses_no_plugin(done: &Finished) {
    assert!(!done.said().contains("report it to its author"), "{}", done.said());
}

/// The addresses that a plugin's memory usually reserves are many times as much.
#[test]
fn works_in_half_a_gigabyte_of_addresses() {
    let project = project("test -z \\\"$MALLOC_ARENA_MAX$OFFLOAD_FEW_ARENAS\\\" && true {tests}");
    // Nothing is compiled yet.
    let fresh =
        format!("ulimit -v 600000; OFFLOAD_CACHE_DIR='{}'; export OFFLOAD_CACHE_DIR", project.beside().display());
    let done = run_in(&project, &fresh).exits(0);
    assert_eq!(done.results().count("passed"), 2);
}

#[test]
fn names_the_limit_of_open_files() {
    let done = run_after("ulimit -n 12");
    assert_ne!(done.code, 0, "{}", done.said());
    accuses_no_plugin(&done);
    done.says("ulimit -n").says("12 files");
    // As many are enough for two sandboxes.
    run_after("ulimit -n 64").exits(0);
}

/// Without care the system would end offload by a signal.
#[test]
fn names_the_limit_of_the_size_of_files() {
    let done = run_after("ulimit -f 40");
    assert_ne!(done.code, 0, "{}", done.said());
    accuses_no_plugin(&done);
    done.says("ulimit -f");
}
