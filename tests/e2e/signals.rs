//! Interrupted runs: nothing stays behind, and everything that is known is written.

use std::time::Duration;

use nix::sys::signal::Signal;
use offload_tests::{DefaultProvider, Finished, Invocation, Project};

const SLOW: &str = r#"
import pathlib, subprocess, time, pytest

def test_quick():
    pass

@pytest.mark.parametrize("number", range(20))
def test_slow(number):
    (pathlib.Path.cwd() / f"started-{number}").touch()
    subprocess.Popen(["sleep", "300"], start_new_session=True)
    time.sleep(300)
"#;

/// Interrupts while tests run.
fn interrupt(project: &Project, signal: Signal) -> Finished {
    let mut running = project.offload(&["run"]).start();
    let root = project.beside().to_owned();
    running.wait_until("a test has begun", || started(&root));
    running.signal(signal);
    running.finish()
}

/// Whether some sandbox, wherever it is, has begun a slow test.
fn started(root: &std::path::Path) -> bool {
    let Ok(entries) = std::fs::read_dir(root) else { return false };
    entries.flatten().any(|entry| {
        entry.file_name().to_string_lossy().starts_with("started-")
            || (entry.path().is_dir() && !entry.path().is_symlink() && started(&entry.path()))
    })
}

#[track_caller]
fn check(done: &Finished) {
    assert!(done.took < Duration::from_secs(40), "{:?}", done.took);
    let results = done.results();
    assert_eq!(results.tests.len(), 21);
    assert!(results.count("not-run") >= 18, "{:?}", results.summary);
    assert_eq!(done.junit().tests, 21);
}

#[test]
fn sigint_is_130() {
    let project = Project::pytest().file("test_it.py", SLOW);
    check(&interrupt(&project, Signal::SIGINT).exits(130));
}

#[test]
fn sigterm_is_143() {
    let project = Project::pytest().file("test_it.py", SLOW);
    check(&interrupt(&project, Signal::SIGTERM).exits(143));
}

#[test]
fn sighup_is_129() {
    let project = Project::pytest().file("test_it.py", SLOW);
    check(&interrupt(&project, Signal::SIGHUP).exits(129).says("the terminal was closed"));
}

/// Runs offload in a terminal, which is closed as soon as a test has begun: nobody reads what it says any more.
const IN_A_TERMINAL_THAT_GOES: &str = r#"
import os, pathlib, pty, sys, time

process, terminal = pty.fork()
if process == 0:
    os.execv(sys.argv[1], sys.argv[1:])
while not list(pathlib.Path().glob("started-*")):
    os.read(terminal, 65536)
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
"#;

#[test]
fn a_terminal_that_is_closed() {
    let project = Project::pytest().file("test_it.py", SLOW);
    let offload = offload_tests::offload();
    let arguments = ["-c", IN_A_TERMINAL_THAT_GOES, offload.to_str().expect("UTF-8"), "run"];
    check(&Invocation::of(&project, &offload_tests::python(), &arguments).env("TERM", "xterm").finish().exits(129));
}

#[test]
fn a_run_of_nohup_goes_on_when_its_terminal_is_closed() {
    let project = Project::pytest().file(
        "test_it.py",
        "import pathlib, time\ndef test_it():\n    pathlib.Path('started-0').touch()\n    time.sleep(2)\n",
    );
    let offload = offload_tests::offload();
    let arguments = ["-c", "trap '' HUP; exec \"$0\" run", offload.to_str().expect("UTF-8")];
    let mut running = Invocation::of(&project, "/bin/sh".as_ref(), &arguments).start();
    running.wait_until("the test has begun", || project.exists("started-0"));
    running.signal(Signal::SIGHUP);
    assert_eq!(running.finish().exits(0).results().count("passed"), 1);
}

#[test]
fn sandboxes_of_the_default_provider_are_destroyed() {
    let project = Project::new().file("test_it.py", SLOW);
    let table = DefaultProvider::default().install(&project);
    let project = project.config(&format!(
        "[offload]\nmax_parallel = 2\n{table}\n[groups.g]\ntype = \"pytest\"\npython = \"{{python}}\"\n"
    ));
    check(&interrupt(&project, Signal::SIGINT).exits(130));
    DefaultProvider::default().check_nothing_left(&project);
}

#[test]
fn while_discovering() {
    let project = Project::pytest()
        .file("test_it.py", "import pathlib, time\npathlib.Path('started-0').touch()\ntime.sleep(300)\n");
    let done = interrupt(&project, Signal::SIGINT).exits(130);
    assert!(done.took < Duration::from_secs(20), "{:?}", done.took);
}

#[test]
fn a_second_signal_hurries() {
    let project = Project::new().file("test_it.py", SLOW);
    let table = DefaultProvider::default().install(&project);
    // Destroying takes longer than a person waits.
    let project = project.config(&format!(
        "[offload]\nmax_parallel = 1\n{}\n[groups.g]\ntype = \"pytest\"\npython = \"{{python}}\"\n",
        table.replace("destroy_command = \"", "destroy_command = \"sleep 100; ")
    ));
    let mut running = project.offload(&["run"]).start();
    let root = project.beside().to_owned();
    running.wait_until("a test has begun", || started(&root));
    running.signal(Signal::SIGINT);
    std::thread::sleep(Duration::from_secs(1));
    running.signal(Signal::SIGINT);
    let done = running.finish().exits(130);
    assert!(done.took < Duration::from_secs(40), "{:?}", done.took);
}
