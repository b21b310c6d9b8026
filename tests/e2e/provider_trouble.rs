//! Sandboxes that don't come up, or come up late.

use std::time::Duration;

use offload_tests::{DefaultProvider, Finished, Project};

const SUITE: &str = "import pytest\n@pytest.mark.parametrize('number', range(6))\ndef test_it(number):\n    pass\n";

/// A project whose create command is preceded by some shell code.
fn project(before_create: &str, more: &str) -> Project {
    let project = Project::new().file("test_it.py", SUITE);
    let provider = DefaultProvider::default();
    let table = provider.install(&project);
    let project_file = project.beside().join("cloud-scripts/before.sh").display().to_string();
    project.write("../cloud-scripts/before.sh", before_create);
    let table = table.replace(
        "create_command = \"",
        &format!("create_command = \"export SEEN='{}'; . '{project_file}'; ", project.beside().display()),
    );
    project.config(&format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n{table}{more}\n[groups.g]\ntype = \"pytest\"\npython = \"{{python}}\"\n"
    ))
}

#[test]
fn a_failing_create_leaves_all_tests_unrun() {
    let project = project("echo no capacity in this region >&2; exit 9\n", "");
    let done = project.run(&[]).exits(1).says("no capacity in this region");
    let results = done.results();
    assert_eq!(results.count("not-run"), 6, "{:?}", results.summary);
    assert!(done.took < Duration::from_secs(60), "{:?}", done.took);
}

#[test]
fn a_create_that_fails_once_costs_nothing() {
    let project = project("if mkdir \"$SEEN/first\" 2>/dev/null; then echo try again later >&2; exit 9; fi\n", "");
    let done = project.run(&[]).exits(0);
    assert_eq!(done.results().count("passed"), 6);
    DefaultProvider::default().check_nothing_left(&project);
}

/// The first create hangs, the second does not: work starts, the run ends, and what hung is gone.
#[test]
fn one_hanging_create_holds_nobody_up() {
    let project = project("if mkdir \"$SEEN/first\" 2>/dev/null; then sleep 600; fi\n", "timeout_secs = 20\n");
    let done = project.run(&[]).exits(0);
    assert_eq!(done.results().count("passed"), 6);
    assert!(done.took < Duration::from_secs(60), "{:?}", done.took);
    DefaultProvider::default().check_nothing_left(&project);
}

#[test]
fn hanging_creates_end_with_their_deadline() {
    let project = project("sleep 600\n", "timeout_secs = 2\n");
    let done = project.run(&[]).exits(1);
    assert_eq!(done.results().count("not-run"), 6);
    assert!(done.took < Duration::from_secs(90), "{:?}", done.took);
}

#[test]
fn an_empty_sandbox_id_is_an_error_that_says_so() {
    let project = project("exit 0\n", "");
    let done = project.run(&[]).exits(1);
    assert_eq!(done.results().count("not-run"), 6);
    assert!(done.said().contains("create_command"), "{}", done.said());
}

#[test]
fn a_failing_prepare_is_explained() {
    let project = project("", "prepare_command = \"echo no such image >&2; exit 4\"\n");
    let done = project.run(&[]).exits(1).says("no such image");
    assert_eq!(done.results().count("not-run"), 6);
}

#[test]
fn a_failing_destroy_does_not_change_the_result() {
    let project = Project::new().file("test_it.py", SUITE);
    let provider = DefaultProvider::default();
    let table = provider
        .install(&project)
        .replace("destroy_command = \"", "destroy_command = \"echo still there >&2; exit 5; ");
    let project = project.config(&format!("{table}\n[groups.g]\ntype = \"pytest\"\npython = \"{{python}}\"\n"));
    project.run(&[]).exits(0).says("still there");
}

/// Tests that take their time and tell that they run, in batches.
fn long_tests(change: impl FnOnce(&Project, String) -> String) -> Project {
    let suite = "import os, pathlib, pytest, time\n\n@pytest.mark.parametrize('number', range(8))\n\
                 def test_it(number):\n    pathlib.Path(os.environ['SEEN'], f'began-{number}').touch()\n    time.sleep(0.4)\n";
    let project = Project::new().file("test_it.py", suite);
    let table = DefaultProvider::default().install(&project);
    let table = change(&project, table);
    let env = format!("[provider.env]\nSEEN = \"{}\"\n", project.beside().display());
    project.config(&format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n{table}{env}\n[groups.g]\ntype = \"pytest\"\npython = \"{{python}}\"\nworker = false\n"
    ))
}

/// A run, and something that is done once a test has begun.
#[track_caller]
fn disturbed(project: &Project, disturb: impl FnOnce()) -> Finished {
    let mut running = project.offload(&["run"]).start();
    let began = |number| project.beside().join(format!("began-{number}")).exists();
    running.wait_until("a test has begun", || (0..8).any(began));
    disturb();
    running.finish()
}

/// The machines have this one's `/tmp`: what could not be removed from a machine that is gone is not gone with it.
fn clear_away(done: &Finished) {
    let _ = std::fs::remove_dir_all(format!("/tmp/offload-{}", done.results().run_id));
}

/// Nobody can tell a client that dies from a test that kills its process: the test that ran has crashed, the others have not.
#[test]
fn an_exec_that_dies_costs_the_test_that_ran() {
    let project = long_tests(|_, table| table);
    let client = "#!/bin/sh\ncd \"$CLOUD/$1/work\"\n\
                  case $2 in *pytest*)\n    if mkdir \"$CLOUD/../once\" 2>/dev/null; then\n        \
                  (until ls \"$CLOUD\"/../began-*; do sleep 0.1; done; kill -9 $$) >/dev/null 2>&1 &\n    fi ;;\nesac\n\
                  TMPDIR=\"$CLOUD/$1/tmp\" exec /bin/sh -c \"$2\"\n";
    project.write("../cloud-scripts/exec.sh", client);
    let done = project.run(&[]).exits(1);
    let results = done.results();
    assert_eq!((results.count("crashed"), results.count("passed")), (1, 7), "{}", done.said());
    DefaultProvider::default().check_nothing_left(&project);
}

#[test]
fn a_machine_that_is_taken_away_costs_no_test() {
    let project = long_tests(|_, table| table);
    let done = disturbed(&project, || {
        let machine = std::fs::read_dir(project.beside().join("cloud")).expect("machines").flatten().next();
        std::fs::remove_dir_all(machine.expect("a machine").path()).expect("it can be removed");
    });
    clear_away(&done);
    assert_eq!(done.exits(0).results().count("passed"), 8);
    DefaultProvider::default().check_nothing_left(&project);
}

#[test]
fn a_cloud_that_goes_away_ends_the_run() {
    let project = long_tests(|project, table| {
        let gone = project.beside().join("gone").display().to_string();
        ["create", "exec", "download", "destroy"].iter().fold(table, |table, command| {
            let refuses =
                format!("{command}_command = \"[ ! -e '{gone}' ] || {{ echo connection refused >&2; exit 7; }}; ");
            table.replace(&format!("{command}_command = \""), &refuses)
        })
    });
    let done = disturbed(&project, || drop(project.write("../gone", "")));
    clear_away(&done);
    let done = done.exits(1).says("connection refused");
    let results = done.results();
    let (passed, not_run) = (results.count("passed"), results.count("not-run"));
    assert!(not_run >= 1 && passed + not_run == 8, "{:?} {}", results.summary, done.said());
    assert!(done.took < Duration::from_secs(60), "{:?}", done.took);
}

/// Eight tests of a tenth of a second, in sandboxes that take two seconds to come up. The first download after a directory
/// `armed` was made breaks its sandbox, for good.
fn short_tests_in_dear_sandboxes(sandboxes: usize) -> Project {
    let project = Project::new().file(
        "run.sh",
        "out=$1; shift; { echo '<testsuite>'; for id; do sleep 0.1; echo \"<testcase name='$id' time='0.1'/>\"; done; \
         echo '</testsuite>'; } > \"$out\"\n",
    );
    let [armed, broken] = ["armed", "broken-"].map(|name| project.beside().join(name).display().to_string());
    let table = DefaultProvider::default()
        .install(&project)
        .replace("create_command = \"", "create_command = \"sleep 2; ")
        .replace("{paths}\"", &format!("{{paths}} && {{ rmdir '{armed}' 2>/dev/null && touch '{broken}'{{sandbox_id}}; [ ! -e '{broken}'{{sandbox_id}} ]; }}\""));
    project.config(&format!(
        "[offload]\nmax_parallel = {sandboxes}\nretry_count = 0\n{table}\n[groups.g]\ntype = \"default\"\n\
         discover_command = \"seq 8\"\nrun_command = \"sh run.sh {{result_file}} {{tests}}\"\n"
    ))
}

/// Runs the tests again, with what the first run learned, and breaks a sandbox; gives whether another took its place.
#[track_caller]
fn replaced_in_a_second_run(project: &Project) -> (bool, usize) {
    project.run(&[]).exits(0);
    std::fs::create_dir(project.beside().join("armed")).expect("a directory can be made");
    let done = project.run(&[]).exits(0);
    assert_eq!(done.results().count("passed"), 8);
    DefaultProvider::default().check_nothing_left(project);
    let failed = done.events_of("sandbox-failed");
    assert_eq!(failed.len(), 1, "{failed:?}");
    (failed[0]["replaced"] == true, done.events_of("sandbox-up").len())
}

#[test]
fn a_broken_sandbox_is_not_replaced_for_less_than_another_costs() {
    assert_eq!(replaced_in_a_second_run(&short_tests_in_dear_sandboxes(2)), (false, 2));
}

#[test]
fn the_last_sandbox_is_replaced_whatever_that_costs() {
    assert_eq!(replaced_in_a_second_run(&short_tests_in_dear_sandboxes(1)), (true, 2));
}

/// The tests are known before the image is: nobody needs more sandboxes than there are tests.
#[test]
fn no_more_sandboxes_are_created_than_there_are_tests() {
    let project = Project::new().file("test_it.py", "def test_one():\n    pass\n\n\ndef test_two():\n    pass\n");
    let table = DefaultProvider::default().install(&project);
    let project = project.config(&format!(
        "[offload]\nmax_parallel = 6\n{table}prepare_command = \"sleep 4; echo image\"\n\n[groups.g]\ntype = \"pytest\"\n\
         python = \"{{python}}\"\n"
    ));
    let done = project.run(&[]).exits(0);
    assert_eq!(done.results().count("passed"), 2);
    assert_eq!(done.events_of("sandbox-up").len(), 2);
    DefaultProvider::default().check_nothing_left(&project);
}
