//! Hosts that are away, go away, or come back.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use offload_tests::{Finished, Project, SshHosts};

/// Tests that leave a file where they run.
const SLOW: &str = "import pathlib, time, pytest\n\n@pytest.mark.parametrize('number', range(10))\ndef test_it(number):\n    \
                    pathlib.Path(f'started-{number}').touch()\n    time.sleep(0.4)\n";

fn project(table: &str, parallel: usize) -> Project {
    // What is copied lies apart from the reports, which grow meanwhile.
    Project::new().file("test_it.py", SLOW).file("copied/test_it.py", SLOW).config(&format!(
        "[offload]\nmax_parallel = {parallel}\nretry_count = 0\n{table}copy_dirs = [\"copied:.\"]\n\
         [groups.g]\ntype = \"pytest\"\npython = \"{{python}}\"\npaths = [\"test_it.py\"]\n"
    ))
}

/// An `ssh` that does something else the first time that a command line has these words in it.
fn instead_once(project: &Project, words: &str, shell: &str) {
    let once = project.beside().join("once").display().to_string();
    instead(project, words, &format!("if mkdir '{once}' 2>/dev/null; then {shell}; fi"));
}

/// An `ssh` that does something else whenever a command line has these words in it.
fn instead(project: &Project, words: &str, shell: &str) {
    let text = format!("#!/bin/sh\ncase $* in *'{words}'*) {shell} ;; esac\nexec ssh \"$@\"\n");
    let file = project.write("../ssh", text);
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).expect("a file can be made executable");
}

fn wrapped(table: &str) -> String {
    format!("{table}ssh = \"../ssh\"\n")
}

/// Where nobody listens.
const REFUSED: &str = "exec ssh -o ControlPath=none -o HostName=127.0.0.1 -o Port=1 \"$@\"";

#[track_caller]
fn check_all_passed(hosts: &SshHosts, done: &Finished) {
    let results = done.results();
    assert_eq!((results.count("passed"), results.tests.len()), (10, 10), "{}", done.said());
    hosts.check_nothing_left(&results.run_id);
}

/// Whether a test has begun in a sandbox of this host.
fn started(hosts: &SshHosts, host: &str) -> bool {
    fn below(directory: &Path) -> bool {
        let Ok(entries) = std::fs::read_dir(directory) else { return false };
        entries.flatten().any(|entry| {
            entry.file_name().to_string_lossy().starts_with("started-")
                || entry.file_type().is_ok_and(|kind| kind.is_dir()) && below(&entry.path())
        })
    }
    below(&hosts.temporary(host))
}

#[test]
fn a_host_that_is_away_is_left_out() {
    let Some(hosts) = SshHosts::up() else { return };
    let done = project(&hosts.table(&["absent", "one"]), 2).run(&[]).exits(0);
    let done = done.says("absent cannot be reached").says("Connection refused").says("goes on without it");
    check_all_passed(&hosts, &done);
}

#[test]
fn without_any_host_each_is_explained() {
    let Some(hosts) = SshHosts::up() else { return };
    let done = project(&hosts.table(&["absent", "locked-out", "stranger"]), 2).run(&[]).exits(1);
    let done = done.says("Connection refused").says("Permission denied").says("Host key verification failed");
    assert_eq!(done.results().count("not-run"), 10);
}

#[test]
fn a_connection_that_is_refused_once_costs_nothing() {
    let Some(hosts) = SshHosts::up() else { return };
    let project = project(&wrapped(&hosts.table(&["one"])), 1);
    instead_once(&project, "offload-created", REFUSED);
    check_all_passed(&hosts, &project.run(&[]).exits(0).says("Connection refused"));
}

/// A sandbox that cannot be made where it was meant to be is made where there is room.
#[test]
fn another_host_takes_the_place() {
    let Some(hosts) = SshHosts::up() else { return };
    let project = project(&wrapped(&hosts.table(&["one", "two"])), 1);
    instead_once(&project, "offload-created", REFUSED);
    let done = project.run(&[]).exits(0);
    assert!(done.events_of("sandbox-failed").is_empty(), "{}", done.said());
    check_all_passed(&hosts, &done);
}

#[test]
fn a_create_that_hangs_holds_nobody_up() {
    let Some(hosts) = SshHosts::up() else { return };
    let project = project(&format!("{}timeout_secs = 4\n", wrapped(&hosts.table(&["one", "two"]))), 2);
    instead_once(&project, "offload-created", "exec sleep 600");
    let done = project.run(&[]).exits(0);
    assert!(done.took < Duration::from_secs(60), "{:?}", done.took);
    check_all_passed(&hosts, &done);
}

/// What serves the connection is killed, with sshd itself there to take another.
#[test]
fn a_connection_that_breaks_costs_no_test() {
    let Some(hosts) = SshHosts::up() else { return };
    let project = project(&hosts.table(&["severing"]), 1);
    let mut running = project.offload(&["run"]).start();
    running.wait_until("a test has begun", || started(&hosts, "severing"));
    hosts.sever("severing");
    let done = running.finish().exits(0).says("the connection to severing broke while a command ran there");
    check_all_passed(&hosts, &done);
}

#[test]
fn a_host_that_is_started_anew_is_used_again() {
    let Some(hosts) = SshHosts::up() else { return };
    let project = project(&hosts.table(&["restarting"]), 1);
    let mut running = project.offload(&["run"]).start();
    running.wait_until("a test has begun", || started(&hosts, "restarting"));
    hosts.stop("restarting");
    std::thread::sleep(Duration::from_millis(700));
    hosts.start("restarting");
    let done = running.finish().exits(0);
    let results = done.results();
    assert_eq!(results.count("passed"), 10, "{}", done.said());
    // What was on it while it was away could not be removed, and that was said.
    let left = hosts.directories(&results.run_id);
    hosts.clear(&results.run_id);
    assert!(left.is_empty() || done.said().contains("could not be removed from restarting"), "{}", done.said());
}

#[test]
fn the_tests_of_a_host_that_is_cut_off_are_run_elsewhere() {
    let Some(hosts) = SshHosts::up() else { return };
    let table = hosts.table(&["cutting", "one"]);
    let project = project(&format!("{table}connect_timeout_secs = 3\noptions = [\"ServerAliveInterval=1\"]\n"), 2);
    let mut running = project.offload(&["run"]).start();
    running.wait_until("a test has begun", || started(&hosts, "cutting"));
    hosts.cut("cutting");
    let done = running.finish();
    hosts.mend("cutting");
    let results = done.results();
    hosts.clear(&results.run_id);
    let done = done.exits(0).says("cutting went away while a command ran there");
    assert_eq!(results.count("passed"), 10, "{}", done.said());
    assert!(done.took < Duration::from_secs(60), "{:?}", done.took);
    // It cannot be cleared away either: a person is told where to look.
    done.says("could not be removed from cutting").says("/offload.");
}

#[test]
fn a_full_disk_is_named() {
    let Some(hosts) = SshHosts::up() else { return };
    let project = project(&hosts.table(&["full"]), 1);
    project.write("copied/large", vec![b'x'; 1 << 20]);
    let done = project.run(&[]).exits(1).says("No space left on device");
    assert_eq!(done.results().count("not-run"), 10);
    hosts.check_nothing_left(&done.results().run_id);
}

#[test]
fn what_could_not_be_destroyed_is_named() {
    let Some(hosts) = SshHosts::up() else { return };
    let project = project(&wrapped(&hosts.table(&["one"])), 1);
    instead(&project, "for scratch do", REFUSED);
    let done = project.run(&[]);
    let results = done.results();
    let left = hosts.directories(&results.run_id);
    hosts.clear(&results.run_id);
    let done = done.exits(0).says("could not be removed from one").says("Connection refused");
    assert_eq!(results.count("passed"), 10);
    let [directory] = &left[..] else { panic!("{left:?}") };
    done.says(directory.to_str().expect("paths are UTF-8"));
}
