//! `[provider.limits]` of the local provider, which takes control groups of version 2.

use offload_tests::{Finished, Project};

const REFUSED: &str = "[provider.limits] cannot be kept here: ";

fn project(limits: &str, test: &str) -> Project {
    let project = Project::pytest_with("max_parallel = 1", "").file("test_it.py", test);
    let config = project.read("offload.toml");
    project.config(&format!("{config}\n[provider.limits]\n{limits}\n"))
}

/// Runs the project where this machine lets us set limits; nothing where it does not, for which it said why.
#[expect(clippy::print_stderr, reason = "a skipped test says so by name")]
fn limited(name: &str, project: &Project) -> Option<Finished> {
    let done = project.run(&[]);
    let said = done.said();
    let Some((_, why)) = said.split_once(REFUSED) else { return Some(done) };
    eprintln!("skipped: local_limits::{name}: {}", why.lines().next().unwrap_or_default());
    None
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so by name")]
fn what_is_missing_is_named() {
    let project = project("memory = \"64MiB\"", "def test_it():\n    pass\n");
    let done = project.run(&[]);
    if done.code == 0 {
        eprintln!("skipped: local_limits::what_is_missing_is_named: limits are kept here");
        return;
    }
    let done = done.exits(1).says(REFUSED).says("remove [provider.limits]").says("systemd-run");
    let failed = done.events_of("sandbox-failed");
    assert!(failed.iter().all(|event| event["failure"]["code"] == "not-limited"), "{failed:?}");
    assert_eq!(done.results().count("not-run"), 1);
}

#[test]
fn too_much_memory_is_told_as_such() {
    let test = "def test_good():\n    pass\ndef test_greedy():\n    assert bytearray(b'x') * 400_000_000\n";
    let project = project("memory = \"128MiB\"", test);
    let Some(done) = limited("too_much_memory_is_told_as_such", &project) else { return };
    let done = done.exits(1).says("had more memory than its 128MiB");
    assert_eq!(done.verdict("test_it.py::test_good"), "passed");
    assert_eq!(done.verdict("test_it.py::test_greedy"), "error");
    let failed = done.events_of("sandbox-failed");
    assert!(failed.iter().all(|event| event["failure"]["code"] == "out-of-memory"), "{failed:?}");
}

#[test]
fn there_are_only_so_many_processes() {
    let test =
        "import subprocess\ndef test_many():\n    for _ in range(40):\n        subprocess.Popen(['sleep', '300'])\n";
    let project = project("processes = 20", test);
    let Some(done) = limited("there_are_only_so_many_processes", &project) else { return };
    let done = done.exits(1);
    assert_eq!(done.verdict("test_it.py::test_many"), "failed");
    assert!(done.results().test("test_it.py::test_many").message().contains("BlockingIOError"));
}

#[test]
fn a_part_of_a_processor_is_enough() {
    let test = "import time\ndef test_slow():\n    begun = time.time()\n    while time.process_time() < 1:\n        pass\n    \
                assert time.time() - begun > 1.5\n";
    let project = project("cpus = 0.5", test);
    let Some(done) = limited("a_part_of_a_processor_is_enough", &project) else { return };
    done.exits(0);
}

#[test]
fn wrong_limits_are_refused_before_anything_runs() {
    for (limits, key) in [("memory = \"2 gigs\"", "memory"), ("processes = 0", "processes"), ("disk = 1", "disk")] {
        project(limits, "").offload(&["validate"]).finish().exits(3).says(key);
    }
}
