//! `offload clean` and `offload doctor`.

use offload_tests::{DefaultProvider, Finished, Project};

const SLOW: &str = "import time, subprocess\ndef test_slow():\n    subprocess.Popen(['sleep', '600'], start_new_session=True)\n    open('started', 'w').close()\n    time.sleep(600)\n";

fn clean(project: &Project, arguments: &[&str]) -> Finished {
    project.offload(&[&["clean"], arguments].concat()).finish_among_leftovers()
}

#[test]
fn what_a_killed_run_left_is_found_and_removed() {
    let project = Project::pytest().file("test_it.py", SLOW);
    let mut running = project.offload(&["run", "-p", "1"]).start();
    running.wait_until("the test runs", || project.exists("started"));
    let under_way = clean(&project, &[]).exits(0);
    assert!(under_way.stdout.contains("its run is under way"), "{}", under_way.stdout);
    running.kill();
    let listed = clean(&project, &["--dry-run"]).exits(0);
    assert!(listed.stdout.contains("would remove ") && listed.stdout.contains("/local-1 of run "), "{}", listed.stdout);
    let foreign = clean(&project, &["--run", "20200101-000000-abcdef"]).exits(0);
    assert_eq!(foreign.stdout, "nothing is left of earlier runs\n");
    let young = clean(&project, &["--older-than", "1d"]).exits(0);
    assert!(young.stdout.contains("it is younger than that"), "{}", young.stdout);
    let removed = clean(&project, &[]).exits(0);
    assert!(removed.stdout.contains("removed "), "{}", removed.stdout);
    // Others may have left something in `/tmp`, which is kept.
    let would = listed.stdout.lines().find(|line| line.starts_with("would remove ")).expect("something is to go");
    let run = would.split(" of run ").nth(1).and_then(|rest| rest.split([' ', ',']).next()).expect("a run");
    // Checks as after any other command that nothing runs and nothing lies about any more. Other tests have runs in `/tmp`.
    let again = project.offload(&["clean", "--run", run]).finish().exits(0);
    assert_eq!(again.stdout, "nothing is left of earlier runs\n");
}

#[test]
fn a_run_that_ended_well_leaves_nothing_to_clean() {
    let project = Project::pytest().file("test_it.py", "def test_it():\n    pass\n");
    let run = project.run(&[]).exits(0).results().run_id;
    let cleaned = project.offload(&["clean", "--run", &run]).finish().exits(0);
    assert_eq!(cleaned.stdout, "nothing is left of earlier runs\n");
    // What it does tell of are runs of other tests, in `/tmp`.
    let cleaned = project.offload(&["clean"]).finish().exits(0);
    assert!(!cleaned.stdout.contains(&run), "{}", cleaned.stdout);
}

#[test]
fn a_provider_that_cannot_know_says_so() {
    let project = Project::new();
    let table = DefaultProvider::default().install(&project);
    let project = project.config(&format!("{table}[groups.g]\ntype = \"pytest\"\n"));
    project.offload(&["clean"]).finish().exits(3).says("provider `default` cannot tell what earlier runs left");
}

#[test]
fn times_that_make_no_sense_are_refused() {
    let project = Project::pytest();
    project.offload(&["clean", "--older-than", "soon"]).finish().exits(3).says("such as 30m, 12h or 2d");
    project.offload(&["clean", "--older-than", "1 month"]).finish().exits(3).says("in days, hours, minutes or seconds");
    project.offload(&["clean", "--older-than=-3h"]).finish().exits(3).says("must not be negative");
}

#[test]
fn the_doctor_says_what_is_there() {
    let done = Project::pytest().offload(&["doctor"]).finish().exits(0);
    assert!(done.stdout.contains("everything is there"), "{}", done.stdout);
}

#[test]
fn the_doctor_names_what_is_missing_and_what_mends_it() {
    let project =
        Project::new().config("[provider]\ntype = \"local\"\nshell = \"/no/shell\"\n[groups.g]\ntype = \"pytest\"\n");
    let done = project.offload(&["doctor"]).finish().exits(1);
    for words in ["problem shell: /no/shell cannot be used", "mend it: install it, or set `shell`", "1 problem"] {
        assert!(done.stdout.contains(words), "{}", done.stdout);
    }
    let project = Project::new().config(
        "[provider]\ntype = \"default\"\ncreate_command = \"echo 1\"\nexec_command = \"no-such-cloud {command}\"\n\
         destroy_command = \"true\"\n[groups.g]\ntype = \"pytest\"\n",
    );
    let done = project.offload(&["doctor"]).finish().exits(1);
    for words in ["ok      create_command: starts with echo", "problem exec_command: `no-such-cloud` is no program"] {
        assert!(done.stdout.contains(words), "{}", done.stdout);
    }
}
