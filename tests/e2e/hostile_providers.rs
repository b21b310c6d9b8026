//! A provider plugin that misbehaves: right verdicts, one clear error, nothing left behind.

use offload_tests::{Finished, Project, guest};

fn project(misdeed: &str, plugin: &str) -> Project {
    let path = guest("provider");
    Project::new().config(&format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n\n[plugins.rogue]\npath = {path:?}\n{plugin}\n\n\
         [provider]\ntype = \"rogue\"\nmisdeed = \"{misdeed}\"\n\n\
         [groups.g]\ntype = \"default\"\ndiscover_command = \"printf 'one\\\\ntwo\\\\n'\"\nrun_command = \"test {{tests}}\"\n"
    ))
}

const GRANTS: &str = "[plugins.rogue.allow]\nrun = [\"sh\"]";

#[track_caller]
fn run(misdeed: &str, plugin: &str) -> Finished {
    let done = project(misdeed, plugin).run(&[]);
    assert_eq!(done.results().tests.len(), 2, "{}", done.said());
    assert!(!std::path::Path::new("/tmp/hacked-by-a-guest").exists());
    done
}

/// No sandbox comes up: all tests are not run, and the reason is shown.
#[track_caller]
fn none_comes_up(misdeed: &str, plugin: &str, expected: &str) {
    let done = run(misdeed, plugin).exits(1).says(expected);
    assert_eq!(done.results().count("not-run"), 2, "{}", done.said());
}

#[test]
fn one_that_behaves_is_used_like_any() {
    let done = run("", GRANTS).exits(0);
    assert_eq!(done.results().count("passed"), 2);
}

#[test]
fn traps_are_named() {
    for function in ["prepare", "create"] {
        none_comes_up(&format!("trap-in-{function}"), GRANTS, &format!("plugin `rogue` failed in `{function}`"));
    }
    let done = run("trap-in-exec", GRANTS).exits(1).says("plugin `rogue` failed in `exec`");
    assert_eq!(done.results().count("error") + done.results().count("not-run"), 2, "{}", done.said());
    let done = run("trap-in-destroy", GRANTS).exits(0).says("plugin `rogue` failed in `destroy`");
    assert_eq!(done.results().count("passed"), 2);
}

#[test]
fn limits_are_named() {
    let limits = |limit: &str| format!("{limit}\n{GRANTS}");
    let expected = "it computed for longer than the 1 s that a call may take";
    none_comes_up("spin-in-prepare", &limits("call_timeout_secs = 1"), expected);
    let expected = "it wanted more memory than the 64 MiB that it may use";
    none_comes_up("hoard-in-create", &limits("memory_mb = 64"), expected);
    run("flood-log-in-prepare", GRANTS).exits(0).says("plugin `rogue` says more than 100 things");
}

#[test]
fn without_grants_it_does_nothing() {
    none_comes_up("", "", "plugin `rogue` may not run `sh -c 'mktemp -d' sh`");
    let done = project("", "").run(&[]);
    done.says("to allow it, write in offload.toml:\n\n[plugins.rogue.allow]\nrun = [\"sh\"]");
}

#[test]
fn what_is_not_granted_is_denied() {
    none_comes_up("run-in-create", GRANTS, "plugin `rogue` may not run `python3 -c 'print(1)'`");
    none_comes_up("bridge-in-create", GRANTS, "plugin `rogue` may not run `python3 -m helper`");
    none_comes_up("preload-in-create", GRANTS, "plugin `rogue` may not set LD_PRELOAD for `sh -c true`");
    none_comes_up("elsewhere-in-create", GRANTS, "plugin `rogue` may not run `sh -c true` in /etc");
    for deed in ["write", "read", "connect"] {
        none_comes_up(&format!("{deed}-in-create"), GRANTS, &format!("{deed}: "));
    }
}

#[test]
fn the_environment_is_what_was_granted() {
    let token = |done: &Project| done.offload(&["run"]).env("TOKEN", "hunter2").env("SECRET", "1").finish().exits(1);
    let granted = format!("{GRANTS}\nenv = [\"TOKEN\"]");
    token(&project("environment-in-create", &granted)).says("variables: [\"TOKEN\"]").does_not_say("hunter2");
    token(&project("environment-in-create", GRANTS)).says("variables: []");
    let seen = token(&project("show-environment-in-create", &granted)).does_not_say("SECRET");
    assert!(seen.said().contains("TOKEN") && seen.said().contains("PATH"), "{}", seen.said());
}
