//! A framework plugin that misbehaves: one clear error, the other tests keep their results, and nobody panics.

use offload_tests::{Finished, Project, guest};

fn project(misdeed: &str) -> Project {
    project_with(misdeed, "")
}

fn project_with(misdeed: &str, limits: &str) -> Project {
    project_of(misdeed, limits, "")
}

fn project_granted(misdeed: &str, grants: &str) -> Project {
    project_of(misdeed, "", grants)
}

fn project_of(misdeed: &str, limits: &str, grants: &str) -> Project {
    let path = guest("framework");
    Project::new().config(&format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n\n[plugins.rogue]\npath = {path:?}\n{limits}\n\
         [plugins.rogue.allow]\nrun = [\"sh\"]\n{grants}\n\n\
         [groups.g]\ntype = \"rogue\"\nworker = false\nmisdeed = \"{misdeed}\"\n"
    ))
}

/// Nothing can be found: one error, and nothing was run.
#[track_caller]
fn nothing(project: &Project, expected: &str) {
    let done = project.run(&[]).exits(3).says(expected);
    assert_eq!(done.stderr.matches("error:").count(), 1, "{}", done.stderr);
    assert!(!std::path::Path::new("/tmp/hacked-by-a-guest").exists());
}

/// The one test that the misdeed is about has this verdict, and the others passed.
#[track_caller]
fn only_bad(project: &Project, verdict: &str, expected: &str) -> Finished {
    let code = i32::from(verdict != "passed");
    let done = project.run(&[]).exits(code).says(expected);
    let results = done.results();
    assert_eq!(results.tests.len(), 4, "{:?}", results.summary);
    assert_eq!(done.verdict("bad"), verdict);
    assert_eq!(results.count("passed"), if verdict == "passed" { 4 } else { 3 }, "{:?}", results.summary);
    done
}

#[test]
fn one_that_behaves_is_used_like_any() {
    only_bad(&project(""), "passed", "4 passed");
}

#[test]
fn traps_before_tests_are_known() {
    for function in ["describe", "needs", "discover"] {
        let expected = format!("plugin `rogue` failed in `{function}`");
        nothing(&project(&format!("trap-in-{function}")), &expected);
    }
}

#[test]
fn traps_while_tests_run_cost_one_test() {
    for function in ["run-command", "parse-results"] {
        let expected = format!("plugin `rogue` failed in `{function}`");
        only_bad(&project(&format!("trap-in-{function}")), "error", &expected);
    }
}

#[test]
fn traps_in_what_hears_all_output_end_the_run_all_the_same() {
    for function in ["observe", "ended"] {
        let done = project(&format!("trap-in-{function}")).run(&[]).exits(1);
        assert_eq!(done.results().count("error"), 4, "{:?}", done.results().summary);
        done.says(&format!("plugin `rogue` failed in `{function}`"));
    }
}

#[test]
fn workers_that_do_not_work_are_done_without() {
    for misdeed in ["trap-in-start", ""] {
        let path = guest("framework");
        let project = Project::new().config(&format!(
            "[offload]\nmax_parallel = 2\n[plugins.rogue]\npath = {path:?}\n[plugins.rogue.allow]\nrun = [\"sh\"]\n\
             [groups.g]\ntype = \"rogue\"\nmisdeed = \"{misdeed}\"\n"
        ));
        only_bad(&project, "passed", "group g runs in batches, since its workers do not work");
    }
}

#[test]
fn time_and_memory_have_limits_that_are_named() {
    nothing(
        &project_with("spin-in-discover", "call_timeout_secs = 1"),
        "it computed for longer than the 1 s that a call may take",
    );
    let expected = "it wanted more memory than the 64 MiB that it may use";
    nothing(&project_with("hoard-in-discover", "memory_mb = 64"), expected);
    only_bad(
        &project_with("hoard-in-parse-results", "memory_mb = 64"),
        "error",
        "plugin `rogue` failed in `parse-results`",
    );
}

#[test]
fn floods_are_dammed() {
    let done = only_bad(&project("flood-log-in-discover"), "passed", "plugin `rogue` says more than 100 things");
    assert!(done.said().len() < 100_000, "{} bytes were shown", done.said().len());
    let done = only_bad(&project("flood-stderr-in-discover"), "passed", "4 passed");
    assert!(done.said().len() < 10_000, "{} bytes were shown", done.said().len());
    only_bad(&project("flood-events"), "passed", "4 passed");
}

#[test]
fn a_million_tests_are_a_million_lines() {
    let project = project("a-million");
    let done = project.offload(&["collect"]).finish().exits(0);
    assert_eq!(done.stdout.lines().count(), 1_000_000);
}

#[test]
fn lies_are_not_believed() {
    only_bad(
        &project("unasked"),
        "passed",
        "reported a result for a test that it was not given: nobody asked for this",
    );
    only_bad(&project("results-twice"), "passed", "4 passed");
    only_bad(&project("no-results"), "error", "without a result");
    only_bad(&project("odd-status"), "error", "");
    only_bad(&project("odd-duration"), "passed", "4 passed");
}

#[test]
fn ids_that_are_none_are_refused() {
    nothing(&project("twice"), "the test \"good 0\" was found twice");
    nothing(&project("nul"), "a test was found that has an id with a NUL character");
    nothing(&project("empty-id"), "a test was found that has an empty id");
    nothing(&project("no-utf8"), "plugin `rogue` failed in `discover`");
}

#[test]
fn a_discovery_without_an_end_is_ended() {
    nothing(&project("endless-discovery"), "plugin `rogue` still asked for commands after 100 of them");
}

#[test]
fn nothing_of_this_machine_is_there() {
    for deed in ["write", "read", "environment", "connect"] {
        nothing(&project(&format!("{deed}-in-discover")), "plugin `rogue` failed in `discover`");
    }
    project("environment-in-discover").run(&[]).says("the environment is empty");
}

#[test]
fn commands_need_a_grant() {
    nothing(&project("other-program"), "plugin `rogue` may not run `python3 -c 'print(1)'`");
    nothing(&project("other-path"), "plugin `rogue` may not run `/tmp/sh -c");
    nothing(&project("empty-command"), "plugin `rogue` may not run ``");
    nothing(&project("preload"), "plugin `rogue` may not set LD_PRELOAD for `sh -c");
    project("preload").run(&[]).says("[plugins.rogue.allow]\nset_env = [\"LD_PRELOAD\"]");
    nothing(&project("path"), "plugin `rogue` may not set PATH for `sh -c");
    project_granted("path", "env = [\"PATH\"]").run(&[]).exits(3).says("its author has to name `set-env:PATH`");
    let own = project_granted("own-variable", "env = [\"OFFLOAD_CACHE_DIR\"]\nset_env = [\"OFFLOAD_CACHE_DIR\"]");
    nothing(&own, "variables that begin with OFFLOAD_ are for offload itself to set");
    let path = guest("framework");
    let without = Project::new().config(&format!("[plugins.rogue]\npath = {path:?}\n[groups.g]\ntype = \"rogue\"\n"));
    nothing(&without, "to allow it, write in offload.toml:\n\n[plugins.rogue.allow]\nrun = [\"sh\"]");
}

#[test]
fn files_need_a_grant() {
    nothing(&project("result-outside"), "plugin `rogue` may not read /etc/passwd");
    nothing(&project("result-climbs"), "plugin `rogue` may not read");
    let done = project("result-of-tests-outside").run(&[]).exits(1);
    assert_eq!(done.results().count("error"), 4);
    done.says("plugin `rogue` may not read /etc/passwd where its command ran");
}

/// The directory of a command is no way to the files there.
#[test]
fn directories_need_a_grant() {
    let may_not = "plugin `rogue` may not run `sh -c";
    for directory in ["/etc", "../../../../../../etc", "link"] {
        let project = project(&format!("work-in-{directory}"));
        std::os::unix::fs::symlink("/etc", project.path().join("link")).expect("a link");
        nothing(&project, may_not);
        assert!(!project.offload(&["collect"]).finish().exits(3).said().contains("stolen"));
    }
    let granted = project_granted("work-in-/etc", "read = [\"/etc\"]");
    nothing(&granted, may_not);
}

/// A link in the repository is no way either.
#[test]
fn links_lead_to_no_file() {
    for file in ["link", "below/passwd", "zero", "pipe"] {
        let project = project(&format!("read-by-{file}"));
        for (to, link) in [("/etc/passwd", "link"), ("/etc", "below"), ("/dev/zero", "zero")] {
            std::os::unix::fs::symlink(to, project.path().join(link)).expect("a link");
        }
        nix::unistd::mkfifo(&project.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        let done = project.offload(&["collect"]).finish().exits(3);
        assert!(!done.said().contains("stolen"), "{}", done.said());
        assert_eq!(done.stderr.matches("error:").count(), 1, "{}", done.stderr);
    }
}

#[test]
fn whoever_sleeps_is_not_waited_for() {
    let expected = "it did not come back within the 1 s that a call may take";
    for function in ["describe", "needs", "discover"] {
        nothing(&project_with(&format!("sleep-in-{function}"), "call_timeout_secs = 1"), expected);
    }
    let limits = "call_timeout_secs = 1";
    only_bad(&project_with("sleep-in-run-command", limits), "error", expected);
    only_bad(&project_with("sleep-in-parse-results", limits), "error", expected);
    let validated = project_with("sleep-in-describe", limits).offload(&["validate"]).finish();
    assert!(validated.said().contains(expected), "{}", validated.said());
}

/// Whoever says that all is well although the command says otherwise is heard, and doubted.
#[test]
fn success_in_spite_of_the_command_is_told() {
    let doubt = "plugin `rogue` says that no test failed of a command of group g in local-";
    let project = project("success-anyway");
    only_bad(&project, "passed", doubt).says("that ended with exit code 3");
    project.write("offload.toml", project.read("offload.toml") + "trust_exit = false\n");
    only_bad(&project, "passed", "4 passed").does_not_say(doubt);
}
