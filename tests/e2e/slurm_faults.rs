//! What goes wrong with a Slurm cluster: verdicts stay true, Slurm's own words are shown, and nothing is left.

use std::time::Duration;

use nix::sys::signal::Signal;
use offload_tests::{Finished, Project, Slurm};

const GROUP: &str = "[groups.g]\ntype = \"pytest\"\npython = \"{python}\"\n";
const SUITE: &str = "import pytest\n@pytest.mark.parametrize('number', range(6))\ndef test_it(number):\n    pass\n";
/// The first test ends, the second goes on until a file is there.
const HELD: &str = r#"
import pathlib, time

def test_first():
    pass

def test_second():
    with open("jobs", "a") as jobs:
        import os
        jobs.write(os.environ["SLURM_JOB_ID"] + "\n")
    while not pathlib.Path("go").exists():
        time.sleep(0.05)

def test_third():
    pass
"#;

fn config(offload: &str, provider: &str) -> String {
    format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n{offload}\n[provider]\ntype = \"slurm\"\n{provider}\n{GROUP}"
    )
}

#[track_caller]
fn run(slurm: &Slurm, project: &Project) -> Finished {
    let done = slurm.with(project.offload(&["run"])).finish();
    slurm.check_nothing_left(&done);
    done
}

#[test]
fn an_unknown_partition_is_named() {
    let Some(slurm) = Slurm::get() else { return };
    let project = Project::new().config(&config("", "partition = \"nowhere\"")).file("test_it.py", SUITE);
    let done = run(&slurm, &project)
        .exits(1)
        .says("partition nowhere cannot be used: Partition nowhere not found")
        .says("sinfo");
    assert_eq!(done.results().count("not-run"), 6);
    assert!(done.took < Duration::from_secs(30), "{:?}", done.took);
}

/// What only salloc knows is refused once, not tried again.
#[test]
fn what_salloc_refuses_is_told_in_its_words() {
    let Some(slurm) = Slurm::get() else { return };
    let project = Project::new().config(&config("", "constraint = \"fast\"")).file("test_it.py", SUITE);
    let done = run(&slurm, &project).exits(1).says("Invalid feature specification");
    assert_eq!(done.results().count("not-run"), 6);
    assert!(done.events_of("sandbox-failed").len() <= 2, "{:?}", done.events_of("sandbox-failed"));
}

/// Runs with a script in the place of one of Slurm's programs.
fn run_with(slurm: &Slurm, project: &Project, program: &str, script: &str) -> Finished {
    let wrapper =
        project.write(&format!("../bin/{program}"), format!("#!/bin/sh\n{script}\nexec /usr/bin/{program} \"$@\"\n"));
    let status = std::process::Command::new("chmod").arg("+x").arg(&wrapper).status().expect("chmod starts");
    assert!(status.success());
    let path = format!("{}:{}", project.beside().join("bin").display(), std::env::var("PATH").expect("PATH is set"));
    slurm.with(project.offload(&["run"])).env("PATH", path).env("SEEN", project.beside()).finish()
}

#[test]
fn a_create_that_fails_once_costs_nothing() {
    let Some(slurm) = Slurm::get() else { return };
    let project = Project::new().config(&config("", "")).file("test_it.py", SUITE);
    let trouble = "if mkdir \"$SEEN/first\" 2>/dev/null; then\n    \
                   echo 'salloc: error: Job submit/allocate failed: Socket timed out on send/recv operation' >&2\n    exit 1\nfi";
    let done = run_with(&slurm, &project, "salloc", trouble).exits(0);
    assert_eq!(done.results().count("passed"), 6);
    slurm.check_nothing_left(&done);
}

/// More than there is: what waits is given up in time, and says why it waited.
#[test]
fn a_job_that_never_starts_is_no_capacity() {
    let Some(slurm) = Slurm::get() else { return };
    let provider = "partition = \"short\"\ntime = \"10\"\nqueue_timeout_secs = 1";
    let project = Project::new().config(&config("max_parallel = 1", provider).replacen("max_parallel = 2\n", "", 1));
    let project = project.file("test_it.py", SUITE);
    let done =
        run(&slurm, &project).exits(1).says("there was no allocation within 1 s").says("Slurm's Reason=Partition");
    assert_eq!(done.results().count("not-run"), 6);
}

#[test]
fn a_full_cluster_is_waited_for_and_then_told_of() {
    let Some(slurm) = Slurm::of_its_own("full") else { return };
    slurm.run("salloc --no-shell --job-name=somebody --exclusive");
    let project = Project::new().config(&config("", "queue_timeout_secs = 1")).file("test_it.py", SUITE);
    let done = run(&slurm, &project).exits(1).says("there was no allocation within 1 s").says("Resources");
    assert_eq!(done.results().count("not-run"), 6);
    let failed = done.events_of("sandbox-failed");
    assert!(failed.iter().all(|event| event["failure"]["code"] == "no-capacity"), "{failed:?}");
    assert_eq!(slurm.run("squeue --noheader --format=%j").trim(), "somebody");
}

/// A creation that is cut off leaves no pending job that would be granted later.
#[test]
fn a_creation_that_is_cut_off_leaves_no_pending_job() {
    let Some(slurm) = Slurm::of_its_own("cut") else { return };
    slurm.run("salloc --no-shell --job-name=somebody --exclusive");
    let project = Project::new().config(&config("", "timeout_secs = 2")).file("test_it.py", SUITE);
    let done = run(&slurm, &project).exits(1).says("did not end within 2s");
    assert_eq!(done.results().count("not-run"), 6);

    let mut running = slurm.with(project.offload(&["run"])).start();
    running.wait_until("a job is pending", || {
        slurm.run("squeue --noheader --states=PENDING --format=%j").contains("offload:")
    });
    running.signal(Signal::SIGINT);
    let done = running.finish().exits(130);
    slurm.check_nothing_left(&done);
    assert_eq!(slurm.run("squeue --noheader --format=%j").trim(), "somebody");
}

#[test]
fn a_hanging_salloc_ends_with_its_deadline() {
    let Some(slurm) = Slurm::get() else { return };
    let project = Project::new().config(&config("", "timeout_secs = 2")).file("test_it.py", SUITE);
    let done = run_with(&slurm, &project, "salloc", "sleep 600").exits(1).says("did not end within 2s");
    assert_eq!(done.results().count("not-run"), 6);
    slurm.check_nothing_left(&done);
}

/// Begins a run of [`HELD`], harms it once the second test is under way, and lets it go on.
#[track_caller]
fn run_harmed(slurm: &Slurm, provider: &str, harm: impl FnOnce(&str)) -> Finished {
    let text = config("", provider).replacen("max_parallel = 2", "max_parallel = 1", 1);
    let project = Project::new().config(&text).file("test_it.py", HELD);
    let mut running = slurm.with(project.offload(&["run"])).start();
    let jobs = || if project.exists("jobs") { project.read("jobs") } else { String::new() };
    running.wait_until("a test has begun", || jobs().contains('\n'));
    harm(jobs().trim());
    running.wait_until("it is tried again", || jobs().lines().count() > 1);
    project.write("go", "");
    let done = running.finish();
    slurm.check_nothing_left(&done);
    let results = done.results();
    assert_eq!(results.count("passed"), 3, "{:?}", results.summary);
    // What was known before is not run again, and being run elsewhere counts as no attempt.
    assert!(results.tests.iter().all(|test| test.attempts.len() == 1));
    assert_eq!(results.test("test_it.py::test_first").attempts[0].sandbox.as_deref(), Some("slurm-1"));
    assert_eq!(results.test("test_it.py::test_third").attempts[0].sandbox.as_deref(), Some("slurm-2"));
    done.exits(0)
}

#[track_caller]
fn check_code(done: &Finished, code: &str) {
    let failed = done.events_of("sandbox-failed");
    assert!(failed.len() == 1 && failed[0]["failure"]["code"] == code, "{failed:?}");
}

#[test]
fn a_job_that_somebody_cancels_costs_no_result() {
    let Some(slurm) = Slurm::get() else { return };
    let done = run_harmed(&slurm, "", |job| drop(slurm.run(&format!("scancel {job}")))).says("JobState=CANCELLED");
    check_code(&done, "sandbox-lost");
}

#[test]
fn a_job_that_is_killed_costs_no_result() {
    let Some(slurm) = Slurm::get() else { return };
    let done = run_harmed(&slurm, "", |job| drop(slurm.run(&format!("scancel --signal=KILL {job}; scancel {job}"))));
    check_code(&done, "sandbox-lost");
}

#[test]
fn a_job_that_runs_out_of_time_is_evicted() {
    let Some(slurm) = Slurm::get() else { return };
    let shorten = |job: &str| drop(slurm.run(&format!("scontrol update JobId={job} EndTime=now")));
    let done = run_harmed(&slurm, "", shorten).says("Reason=TimeLimit").says("raise `time`");
    check_code(&done, "evicted");
}

#[test]
fn too_much_memory_is_told_as_such() {
    let Some(slurm) = Slurm::get() else { return };
    let text = config("", "memory = \"120M\"").replacen("max_parallel = 2", "max_parallel = 1", 1);
    let project = Project::new().config(&text).file(
        "test_it.py",
        "import time\ndef test_good():\n    pass\ndef test_greedy():\n    hoard = bytearray(400_000_000)\n    time.sleep(20)\n",
    );
    let done = run(&slurm, &project).exits(1).says("it had more memory than the job has, which is memory = \"120M\"");
    assert_eq!(done.verdict("test_it.py::test_good"), "passed");
    // The step was ended, and the job goes on.
    assert_eq!(done.verdict("test_it.py::test_greedy"), "crashed");
    assert!(done.events_of("sandbox-failed").is_empty(), "{}", done.said());
}

#[test]
fn a_step_that_srun_cannot_begin_is_no_result_of_a_test() {
    let Some(slurm) = Slurm::get() else { return };
    let project = Project::new().config(&config("", "")).file("test_it.py", SUITE);
    let trouble = "case $* in *pytest*) if mkdir \"$SEEN/first\" 2>/dev/null; then\n    \
                   echo 'srun: error: Unable to create step for job 1: Job/step already completing or completed' >&2\n    exit 1\nfi ;; esac";
    let done = run_with(&slurm, &project, "srun", trouble).exits(0);
    assert_eq!(done.results().count("passed"), 6);
    slurm.check_nothing_left(&done);
}

/// What srun had started is ended, and none of its tests is held to have failed by that.
#[test]
fn an_srun_that_dies_costs_no_test() {
    let Some(slurm) = Slurm::get() else { return };
    let suite = SUITE.replace("import pytest", "import pytest, time").replace("pass", "time.sleep(0.5)");
    let project = Project::new().config(&config("", "")).file("test_it.py", suite);
    let trouble = "case $* in *pytest*) if mkdir \"$SEEN/first\" 2>/dev/null; then (sleep 1.5; kill -9 $$) >/dev/null 2>&1 & fi ;; esac";
    let done = run_with(&slurm, &project, "srun", trouble).exits(0);
    assert_eq!(done.results().count("passed"), 6, "{}", done.said());
    slurm.check_nothing_left(&done);
}

#[test]
fn a_failing_destroy_says_what_is_left() {
    let Some(slurm) = Slurm::get() else { return };
    let project = Project::new().config(&config("", "")).file("test_it.py", SUITE);
    let trouble = "echo 'scancel: error: Kill job error on job id 1: Access/permission denied' >&2; exit 1";
    let text = project.read("offload.toml").replacen("max_parallel = 2", "max_parallel = 1", 1);
    let project = project.config(&text);
    let done = run_with(&slurm, &project, "scancel", trouble).exits(0);
    let jobs = slurm.jobs(&done.results().run_id);
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    slurm.run(&format!("scancel {}", jobs[0]));
    done.says("Access/permission denied").says(&format!("run `scancel {}`", jobs[0]));
}

/// Commands that run go on without a controller, and what they report counts; what comes after it does not.
#[test]
fn a_controller_that_goes_away_costs_what_comes_after() {
    let Some(slurm) = Slurm::of_its_own("gone") else { return };
    let text = config("", "").replacen("max_parallel = 2", "max_parallel = 1", 1);
    let project = Project::new().config(&text).file("test_it.py", HELD);
    let mut running = slurm.with(project.offload(&["run"])).start();
    running.wait_until("a test has begun", || project.exists("jobs"));
    slurm.stop_controller();
    project.write("go", "");
    let done = running.finish().exits(0).says("Unable to contact slurm controller").says("could not be cancelled");
    assert_eq!(done.results().count("passed"), 3);
    slurm.start_controller();
    let left = slurm.jobs(&done.results().run_id);
    assert_eq!(left.len(), 1, "what could not be cancelled is there to be found");
    slurm.run(&format!("scancel {}", left[0]));
    slurm.check_nothing_left(&done);

    slurm.stop_controller();
    let done = run_without_controller(&slurm, &project);
    assert_eq!(done.results().count("not-run"), 3);
    slurm.start_controller();
}

#[track_caller]
fn run_without_controller(slurm: &Slurm, project: &Project) -> Finished {
    let done = slurm.with(project.offload(&["run"])).finish().exits(1);
    done.says("Slurm's controller does not answer").says("is DOWN")
}
