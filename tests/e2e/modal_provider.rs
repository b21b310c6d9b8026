//! The `modal` provider's promises: the real SDK of Modal, against a stand-in for its servers.

use std::time::Duration;

use nix::sys::signal::Signal;
use offload_tests::{FakeModal, Finished, Project, python};

const GROUP: &str = "[groups.g]\ntype = \"pytest\"\npython = \"{python}\"\n";

/// A project with these tests and keys of `[provider]`, and the server that it uses.
fn project(tests: &str, more: &str) -> (Project, FakeModal) {
    let project = Project::new().file("test_it.py", tests);
    let fake = FakeModal::start(&project);
    let table = FakeModal::install(&project);
    let config = format!("[offload]\nmax_parallel = 2\nretry_count = 0\n{table}{more}\n{GROUP}");
    (project.config(&config), fake)
}

/// How many processes took tests while they ran.
fn workers(done: &Finished) -> usize {
    done.events_of("worker-started").len()
}

#[test]
fn warm_workers_run_pytest() {
    let suite = "import os, pytest\n\n@pytest.mark.parametrize('number', range(40))\ndef test_it(number):\n    \
                 assert os.environ['MODAL_SANDBOX_ID']\n\ndef test_fails():\n    assert 1 == 2\n";
    let (project, fake) = project(suite, "");
    let done = fake.run(&project, &[]).finish().exits(1);
    assert_eq!(done.results().count("passed"), 40);
    assert_eq!(done.results().count("failed"), 1);
    assert!(workers(&done) >= 1, "{:?}", done.events());
    // Each process of the SDK asks for a token of its own.
    assert_eq!(fake.calls("AuthTokenGet"), 1);
    fake.check_nothing_left();
}

#[test]
fn the_image_is_built_once_and_known_again() {
    let (project, fake) = project("def test_it():\n    assert open('built').read() == 'yes\\n'\n", "");
    project.write("Dockerfile", "FROM python:3.12\nWORKDIR /app\nCOPY test_it.py .\nRUN echo yes >built\n");
    for _ in 0..2 {
        fake.run(&project, &[]).finish().exits(0);
    }
    let builds = fake.calls("ImageJoinStreaming");
    fake.run(&project, &[]).finish().exits(0);
    assert_eq!(fake.calls("ImageJoinStreaming"), builds);
    fake.check_nothing_left();
}

#[test]
fn a_failing_build_shows_what_it_said_last() {
    let (project, fake) = project("def test_it():\n    pass\n", "");
    project.write("Dockerfile", "FROM python:3.12\nRUN echo no such package as frobnicate >&2; exit 4\n");
    let done = fake.run(&project, &[]).finish().exits(1).says("no such package as frobnicate").says("exit code 4");
    assert_eq!(done.results().count("not-run"), 1);
    fake.check_nothing_left();
}

#[test]
fn a_dockerfile_that_is_not_there_is_named() {
    let (project, fake) = project("def test_it():\n    pass\n", "");
    std::fs::remove_file(project.path().join("Dockerfile")).expect("it was there");
    let done = fake.run(&project, &[]).finish().exits(1).says("there is no Dockerfile in");
    assert_eq!(done.results().count("not-run"), 1);
}

/// Looks for the variables in the environment, and at what anybody sees who lists processes.
const SECRETIVE: &str = r#"
import os, pathlib

def test_it():
    assert os.environ["AWKWARD"] == "it's $5 & \"more\"\n\\ é"
    assert os.environ["EMPTY"] == ""
    assert os.environ["LATER"] == "given"
    assert os.environ["STORED_SECRET"] == "it's $secret"
    for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes()
        except OSError:
            continue
        assert os.environ["TOKEN"].encode() not in line, line
"#;

#[test]
fn variables_arrive_unharmed_and_unseen() {
    let more = "secrets = [\"stored\"]\n[provider.env]\nAWKWARD = \"it's $$5 & \\\"more\\\"\\n\\\\ é\"\nEMPTY = \"\"\n\
                LATER = \"configured\"\nTOKEN = \"t0ken-${THE_TOKEN}-of-a-person\"\n";
    let (project, fake) = project(SECRETIVE, more);
    fake.run(&project, &["--env", "LATER=given"]).env("THE_TOKEN", "f81d4fae").finish().exits(0);
    fake.check_nothing_left();
}

#[test]
fn a_secret_that_does_not_exist_is_named() {
    let (project, fake) = project("def test_it():\n    pass\n", "secrets = [\"forgotten\"]\n");
    fake.run(&project, &[]).finish().exits(1).says("forgotten");
    fake.check_nothing_left();
}

#[test]
fn copy_dirs_fill_sandboxes() {
    let suite = "import os, pathlib\n\ndef test_it():\n    here = pathlib.Path('data')\n    \
                 assert (here / 'a file.txt').read_text() == 'content'\n    assert os.readlink(here / 'link') == 'a file.txt'\n    \
                 assert (here / 'empty').is_dir()\n    assert os.access(here / 'run', os.X_OK)\n";
    let (project, fake) = project(suite, "copy_dirs = [\"./more:more\"]\n");
    let project = project
        .file("some data/a file.txt", "content")
        .script("some data/run", "true\n")
        .file("more/large", vec![7_u8; 3 << 20]);
    std::fs::create_dir(project.path().join("some data/empty")).expect("a directory can be made");
    std::os::unix::fs::symlink("a file.txt", project.path().join("some data/link")).expect("a link can be made");
    project.write("Dockerfile", "FROM python:3.12\nWORKDIR /app\nCOPY test_it.py .\n");
    fake.run(&project, &["--copy-dir", "some data:data"]).finish().exits(0);
    fake.check_nothing_left();
    fake.run(&project, &["--copy-dir", "nowhere:data"]).finish().exits(1).says("nowhere is no directory");
    fake.check_nothing_left();
}

/// A group of a person's own, whose results come as files and whose commands are longer than an argument may be.
#[test]
fn custom_groups_bring_their_results() {
    let (project, fake) = project("", "");
    let project = project.file(
        "run.sh",
        "out=$1; shift; [ $# -gt 1 ] || exit 9\n{ echo '<testsuite>'\nfor id; do echo \"<testcase name='$id'/>\"; done\n\
         echo '</testsuite>'; } >\"$out\"\n",
    );
    let config = project.read("offload.toml");
    let (before, _) = config.split_once("[groups.g]").expect("it has a group");
    let project = project.config(&format!(
        "{before}[groups.g]\ntype = \"default\"\ndiscover_command = \"seq -f 'a_rather_long_name_of_a_test_%015.0f' 4000\"\n\
         run_command = \"sh run.sh {{result_file}} {{tests}}\"\n"
    ));
    let done = fake.run(&project, &[]).finish().exits(0);
    assert_eq!(done.results().count("passed"), 4000);
    fake.check_nothing_left();
}

#[test]
fn tests_end_their_process_and_only_themselves() {
    let suite = "import os, pytest, signal, time\n\n@pytest.mark.parametrize('number', range(8))\ndef test_it(number):\n    \
                 if number == 2:\n        os.kill(os.getpid(), signal.SIGKILL)\n    if number == 5:\n        os._exit(3)\n";
    let (project, fake) = project(suite, "");
    let done = fake.run(&project, &[]).finish().exits(1);
    assert_eq!(done.results().count("passed"), 6, "{:?}", done.results().summary);
    assert_eq!(done.results().count("crashed"), 2, "{:?}", done.results().summary);
    fake.check_nothing_left();
}

/// What a command started is looked for in the sandbox and ended, too: the project checks that nothing runs on.
#[test]
fn what_takes_too_long_ends_with_all_that_it_started() {
    let suite = "import subprocess, time\n\ndef test_quick():\n    pass\n\ndef test_slow():\n    \
                 subprocess.Popen(['sleep', '300'], start_new_session=True)\n    time.sleep(300)\n";
    let (project, fake) = project(suite, "");
    let config = format!("{}per_test_timeout_secs = 2\n", project.read("offload.toml"));
    let project = project.config(&config);
    let done = fake.run(&project, &[]).finish().exits(1);
    assert_eq!(done.results().count("timed-out"), 1, "{:?}", done.results().summary);
    assert_eq!(done.results().count("passed"), 1, "{:?}", done.results().summary);
    fake.check_nothing_left();
}

#[test]
fn who_is_not_logged_in_is_told_how() {
    let (project, fake) = project("def test_it():\n    pass\n", "");
    fake.goes_wrong("refuse", "always");
    fake.run(&project, &[]).finish().exits(1).says("modal token new").says("MODAL_TOKEN_ID");
}

#[test]
fn a_python_without_the_sdk_says_what_to_install() {
    let (project, fake) = project("def test_it():\n    pass\n", "");
    let config = project.read("offload.toml");
    let table = FakeModal::install(&project);
    let other = table.lines().find(|line| line.starts_with("python")).expect("it names a Python");
    let project = project.config(&config.replace(other, &format!("python = {:?}", python())));
    fake.run(&project, &[]).finish().exits(1).says("pip install 'modal==1.6.4'");
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    let suite = "import pathlib, pytest, time\n\ndef test_quick():\n    pass\n\n@pytest.mark.parametrize('number', range(9))\n\
                 def test_slow(number):\n    pathlib.Path('started').touch()\n    time.sleep(300)\n";
    let (project, fake) = project(suite, "");
    let mut running = fake.run(&project, &[]).start();
    let state = project.beside().join("modal");
    running.wait_until("a test has begun", || state.join("sandbox-0/started").exists());
    running.signal(Signal::SIGINT);
    let done = running.finish().exits(130);
    assert!(done.took < Duration::from_secs(40), "{:?}", done.took);
    assert_eq!(done.results().tests.len(), 10);
    fake.check_nothing_left();
}

#[test]
fn what_a_killed_run_left_is_found_and_ended() {
    let suite = "import pathlib, time\n\ndef test_slow():\n    pathlib.Path('started').touch()\n    time.sleep(300)\n";
    let (project, fake) = project(suite, "");
    let mut running = fake.run(&project, &["-p", "1"]).start();
    let state = project.beside().join("modal");
    running.wait_until("the test has begun", || state.join("sandbox-0/started").exists());
    let clean = || project.offload(&["clean"]).envs(fake.environment()).finish_among_leftovers().exits(0);
    assert!(clean().stdout.contains("its run is under way"));
    running.kill();
    assert_eq!(fake.living().len(), 1);
    let removed = clean();
    assert!(removed.stdout.contains("removed modal-1 (sb-"), "{}", removed.stdout);
    fake.check_nothing_left();
    assert_eq!(clean().stdout, "nothing is left of earlier runs\n");
}

#[test]
fn the_doctor_says_what_is_there_and_what_is_missing() {
    let (project, fake) = project("def test_it():\n    pass\n", "");
    let done = project.offload(&["doctor"]).envs(fake.environment()).finish().exits(0);
    for words in ["modal SDK: 1.6.4 with", "modal account: logged in", "everything is there"] {
        assert!(done.stdout.contains(words), "{}", done.stdout);
    }
    std::fs::remove_file(project.path().join("Dockerfile")).expect("it was there");
    fake.goes_wrong("refuse", "always");
    let done = project.offload(&["doctor"]).envs(fake.environment()).finish().exits(1);
    for words in ["problem modal account", "mend it: run `modal token new`", "problem dockerfile", "2 problems"] {
        assert!(done.stdout.contains(words), "{}", done.stdout);
    }
    let config = project.read("offload.toml").replace("modal-venv", "pytest-venv");
    let done = project.config(&config).offload(&["doctor"]).envs(fake.environment()).finish().exits(1);
    assert!(done.stdout.contains("mend it: pip install 'modal==1.6.4'"), "{}", done.stdout);
}
