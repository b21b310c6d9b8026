//! The `slurm` provider's promises, kept on a real cluster of one node.

use std::fs;

use nix::sys::signal::Signal;
use offload_tests::{Finished, Project, Slurm};

const GROUP: &str = "[groups.g]\ntype = \"pytest\"\npython = \"{python}\"\n";

fn config(offload: &str, provider: &str, group: &str) -> String {
    format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n{offload}\n[provider]\ntype = \"slurm\"\n{provider}\n{group}"
    )
}

#[track_caller]
fn run(slurm: &Slurm, project: &Project, arguments: &[&str]) -> Finished {
    let done = slurm.with(project.offload(&[&["run"], arguments].concat())).finish();
    slurm.check_nothing_left(&done);
    done
}

#[test]
fn warm_workers_run_tests_in_allocations() {
    let Some(slurm) = Slurm::get() else { return };
    let project = Project::new()
        .config(&config("", "memory = \"300M\"", GROUP))
        .file(
            "test_it.py",
            "import os, pytest, time\n@pytest.mark.parametrize('number', range(24))\ndef test_it(number):\n    time.sleep(0.1)\n    \
             assert os.environ['SLURM_JOB_NAME'] != ''\n    assert os.environ['SLURM_JOB_ID'].isdigit()\n",
        )
        .file("test_bad.py", "def test_bad():\n    assert 1 == 2\n");
    let done = run(&slurm, &project, &[]).exits(1).does_not_say("srun:");
    let results = done.results();
    assert_eq!((results.count("passed"), results.count("failed")), (24, 1), "{:?}", results.summary);
    assert!(results.test("test_bad.py::test_bad").message().contains("assert 1 == 2"));
    let workers = done.events_of("worker-started");
    assert!(workers.iter().any(|worker| worker["sandbox"] == "slurm-1"), "{workers:?}");
    assert!(workers.iter().any(|worker| worker["sandbox"] == "slurm-2"), "{workers:?}");
    assert!(done.events_of("batch-started").is_empty(), "workers took all tests");
    for entry in fs::read_dir(done.output_dir.join("logs")).expect("logs").flatten() {
        let text = fs::read_to_string(entry.path()).expect("a log");
        assert!(!text.contains("srun"), "{} has words of srun: {text}", entry.path().display());
    }
}

#[test]
fn copy_dirs_fill_a_directory_of_each_sandbox() {
    let Some(slurm) = Slurm::get() else { return };
    let group = format!("{GROUP}paths = [\"tests\"]\n");
    let project = Project::new()
        .config(&config("", "copy_dirs = [\"./tests:tests\"]", &group))
        .file(
            "tests/test_it.py",
            "import pathlib\ndef test_it():\n    assert pathlib.Path('data/a file.txt').read_text() == 'content'\n    \
             assert sorted(path.name for path in pathlib.Path().iterdir() if not path.name.startswith('.')) == ['data', 'tests']\n",
        )
        .file("some data/a file.txt", "content");
    let done = run(&slurm, &project, &["--copy-dir", "some data:data"]).exits(0);
    assert_eq!(done.results().count("passed"), 1);
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let Some(slurm) = Slurm::get() else { return };
    let copied = Project::new().config(&config("", "", GROUP)).file("test_it.py", "def test_it():\n    pass\n");
    run(&slurm, &copied, &["--copy-dir", "nowhere:somewhere"]).exits(1).says("nowhere is no directory");
    let elsewhere = Project::new()
        .config(&config("", "remote_dir = \"/no/such place\"", GROUP))
        .file("test_it.py", "def test_it():\n    pass\n");
    run(&slurm, &elsewhere, &[]).exits(1).says("there is no directory /no/such place").says("copy_dirs");
}

/// Both ways for results to come back: a file of each attempt's own, and one that all sandboxes would write in the same place.
#[test]
fn results_of_custom_groups_come_back() {
    let Some(slurm) = Slurm::get() else { return };
    let script = "out=$1; shift; { echo '<testsuite>'; for id; do echo \"<testcase name='$id' time='0.1'/>\"; done; \
                  echo '</testsuite>'; } > \"$out\"\n";
    for (out, result_file) in [("{result_file}", ""), ("junit.xml", "result_file = \"junit.xml\"\n")] {
        let group = format!(
            "[groups.g]\ntype = \"default\"\ndiscover_command = \"seq 20\"\nrun_command = \"sh run.sh {out} {{tests}}\"\n{result_file}"
        );
        let project = Project::new().config(&config("", "", &group)).file("run.sh", script);
        let done = run(&slurm, &project, &[]).exits(0);
        assert_eq!(done.results().count("passed"), 20, "{out}");
        assert!(!project.exists("junit.xml"), "sandboxes must not write the same file");
    }
}

#[test]
fn variables_arrive_unchanged_and_unseen() {
    let Some(slurm) = Slurm::get() else { return };
    let test = r#"
import os, pathlib

def test_it():
    assert os.environ["MY_VAR"] == "it is $5 & \"more\"\n`two` \\ lines\n"
    assert os.environ["LATER"] == "given"
    assert os.environ["PATH"] == "/nowhere:/usr/bin:/bin"
    assert os.environ["SLURM_MINE"] == "kept"
    assert os.environ["FROM_OUTSIDE"] == "inherited"
    assert not [name for name in os.environ if name.startswith("OFFLOAD_SET_")]
    for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert b"hidden" + b"-value" not in process.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            pass
"#;
    let env = "[provider.env]\nMY_VAR = \"it is $$5 & \\\"more\\\"\\n`two` \\\\ lines\\n\"\nLATER = \"configured\"\n\
               PATH = \"/nowhere:/usr/bin:/bin\"\nSLURM_MINE = \"kept\"\nSECRET = \"hidden-value\"\n";
    let project = Project::new().config(&config("", env, GROUP)).file("test_it.py", test);
    let arguments = ["run", "--env", "LATER=given"];
    let done = slurm.with(project.offload(&arguments).env("FROM_OUTSIDE", "inherited")).finish().exits(0);
    slurm.check_nothing_left(&done);
}

/// Clusters forbid work on the machines where people log in: offload itself may be a job, with variables that say so.
#[test]
fn works_within_another_job() {
    let Some(slurm) = Slurm::get() else { return };
    let project =
        Project::new().config(&config("", "cpus = 2", GROUP)).file("test_it.py", "def test_it():\n    pass\n");
    let mut invocation = slurm.with(project.offload(&["run"]));
    for (name, value) in [
        ("SLURM_JOB_ID", "4242"),
        ("SLURM_JOBID", "4242"),
        ("SLURM_NTASKS", "8"),
        ("SLURM_NNODES", "4"),
        ("SLURM_CPUS_PER_TASK", "16"),
        ("SLURM_MEM_PER_NODE", "999999"),
        ("SLURM_EXPORT_ENV", "NONE"),
        ("SLURM_LABELIO", "1"),
        ("SRUN_CPUS_PER_TASK", "16"),
        ("SQUEUE_FORMAT", "%u"),
        ("SQUEUE_STATES", "FAILED"),
        ("SCANCEL_INTERACTIVE", "1"),
    ] {
        invocation = invocation.env(name, value);
    }
    let done = invocation.finish().exits(0);
    slurm.check_nothing_left(&done);
}

#[test]
fn a_command_may_be_as_long_as_the_system_takes() {
    let Some(slurm) = Slurm::get() else { return };
    let group = "[groups.g]\ntype = \"default\"\ndiscover_command = \"seq -f 'a test with a long name, number %.0f, and so on' 12000\"\n\
                 run_command = \"sh run.sh {result_file} {tests}\"\n";
    let project = Project::new().config(&config("", "", group)).file(
        "run.sh",
        "out=$1; shift; { echo '<testsuite>'; for id; do echo \"<testcase name='$id'/>\"; done; echo '</testsuite>'; } > \"$out\"\n",
    );
    let done = run(&slurm, &project, &["--parallel", "1"]).exits(0);
    assert_eq!(done.results().count("passed"), 12000);
}

/// What takes too long is ended with all that it started, wherever that moved itself.
#[test]
fn a_test_that_takes_too_long_is_ended_on_the_node() {
    let Some(slurm) = Slurm::get() else { return };
    let project = Project::new().config(&config("test_timeout_secs = 3", "", GROUP)).file(
        "test_it.py",
        "import subprocess, time\ndef test_good():\n    pass\ndef test_slow():\n    \
         subprocess.Popen(['setsid', 'sh', '-c', 'sleep 300 & sleep 300'], start_new_session=True)\n    time.sleep(300)\n",
    );
    let done = run(&slurm, &project, &[]).exits(1);
    assert_eq!(
        (done.verdict("test_it.py::test_good"), done.verdict("test_it.py::test_slow")),
        ("passed".into(), "timed-out".into())
    );
}

#[test]
fn a_test_that_kills_its_process_is_a_crash() {
    let Some(slurm) = Slurm::get() else { return };
    let project = Project::new().config(&config("", "", GROUP)).file(
        "test_it.py",
        "import os, signal\ndef test_good():\n    pass\ndef test_killed():\n    os.kill(os.getpid(), signal.SIGKILL)\n\
         def test_fault():\n    os.kill(os.getpid(), signal.SIGSEGV)\ndef test_exit():\n    os._exit(137)\n",
    );
    let done = run(&slurm, &project, &[]).exits(1);
    let results = done.results();
    assert_eq!((results.count("passed"), results.count("crashed")), (1, 3), "{:?}", results.summary);
    for (test, how) in [("killed", "signal 9"), ("fault", "signal 11"), ("exit", "137")] {
        let test = results.test(&format!("test_it.py::test_{test}"));
        assert!(test.message().contains(how), "{}", test.message());
    }
}

#[test]
fn sigint_leaves_nothing() {
    let Some(slurm) = Slurm::get() else { return };
    let project = Project::new().config(&config("", "", GROUP)).file(
        "test_it.py",
        "import pathlib, subprocess, time\ndef test_slow():\n    subprocess.Popen(['sleep', '300'], start_new_session=True)\n    \
         pathlib.Path('started').touch()\n    time.sleep(300)\n",
    );
    let mut running = slurm.with(project.offload(&["run"])).start();
    running.wait_until("a test has begun", || project.exists("started"));
    running.signal(Signal::SIGINT);
    let done = running.finish().exits(130);
    assert_eq!(done.results().count("not-run"), 1);
    slurm.check_nothing_left(&done);
}

/// What the documentation shows is what runs here.
#[test]
fn the_documented_configuration_works() {
    let text = include_str!("../suites/providers/slurm.toml");
    assert!(include_str!("../../host/docs/slurm.md").contains(text), "host/docs/slurm.md shows another configuration");
    let Some(slurm) = Slurm::get() else { return };
    let project = Project::new().config(text).file("tests/test_it.py", "def test_it():\n    pass\n");
    let path = format!("{}:{}", offload_tests::python_bin().display(), std::env::var("PATH").expect("PATH is set"));
    let done = slurm.with(project.offload(&["run"])).env("PATH", path).finish().exits(0);
    assert_eq!(done.results().ids(), ["tests/test_it.py::test_it"]);
    slurm.check_nothing_left(&done);
}
