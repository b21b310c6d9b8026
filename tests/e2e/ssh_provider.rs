//! The `ssh` provider's own promises, kept with real sshd.

use nix::sys::signal::Signal;
use offload_tests::{Finished, Project, SshHosts};

/// Says on which host it ran, by the directory that is that host's alone.
const SUITE: &str = r#"
import os, pathlib, time, pytest

@pytest.mark.parametrize("number", range(4))
def test_it(number):
    time.sleep(0.3)
    assert pathlib.Path("data/a file.txt").read_text() == "content"
    host = pathlib.Path(os.environ["TMPDIR"]).parents[2].name
    pathlib.Path(os.environ["HOSTS_SEEN"], host).touch()
"#;

fn project(table: &str, group: &str) -> Project {
    Project::new().config(&format!(
        "[offload]\nmax_parallel = 3\nretry_count = 0\n{table}\n[groups.g]\ntype = \"pytest\"\npython = \"{{python}}\"\n{group}\n"
    ))
}

/// Nothing is left on the hosts; that nothing is left here was checked with the run's end.
#[track_caller]
fn check(hosts: &SshHosts, done: &Finished, passed: usize) {
    let results = done.results();
    assert_eq!((results.count("passed"), results.tests.len()), (passed, passed), "{}", done.said());
    hosts.check_nothing_left(&results.run_id);
}

#[test]
fn workers_run_on_several_hosts() {
    let Some(hosts) = SshHosts::up() else { return };
    let table = hosts.table(&["one", "two", "three"]);
    let project = project(&format!("{table}copy_dirs = [\"./tests:tests\"]\n"), "paths = [\"tests\"]")
        .file("tests/test_a.py", SUITE)
        .file("tests/test_b.py", SUITE)
        .file("tests/test_c.py", SUITE)
        .file("some data/a file.txt", "content");
    let seen = project.beside().join("seen");
    std::fs::create_dir(&seen).expect("a directory can be made");
    let seen_by_tests = format!("HOSTS_SEEN={}", seen.display());
    let done = project.run(&["--copy-dir", "some data:data", "--env", &seen_by_tests]).exits(0);
    assert!(!done.events_of("worker-started").is_empty());
    assert!(done.events_of("batch-started").is_empty(), "{}", done.said());
    let mut names: Vec<_> =
        std::fs::read_dir(&seen).expect("it is there").flatten().map(|seen| seen.file_name()).collect();
    names.sort();
    assert_eq!(names, ["one", "three", "two"]);
    check(&hosts, &done, 12);
}

#[test]
fn the_documented_configuration_works() {
    let Some(hosts) = SshHosts::up() else { return };
    let written = include_str!("../suites/providers/ssh.toml").replace("\"python3\"", "\"{python}\"");
    let project = Project::new()
        .config(&written)
        .file("ssh_config", std::fs::read(hosts.config()).expect("there is a configuration of ssh"))
        .file("tests/test_it.py", "import os\n\ndef test_it():\n    assert os.environ['GREETING'] == 'hello'\n");
    check(&hosts, &project.run(&[]).exits(0), 1);
}

#[test]
fn the_page_shows_this_configuration() {
    let page = include_str!("../../host/docs/ssh.md");
    assert!(page.contains(include_str!("../suites/providers/ssh.toml")), "host/docs/ssh.md shows it to the letter");
}

/// A group whose command ends with this code; the tests of odd numbers fail.
#[track_caller]
fn check_custom(code: u8, odd: &str, verdict: &str) {
    let Some(hosts) = SshHosts::up() else { return };
    let runner = format!(
        "out=$1\nshift\n{{\n    echo '<testsuite>'\n    for id; do\n        case $id in *[13579]) odd='{odd}' ;; *) odd= ;; esac\n        \
         echo \"<testcase name='$id' time='0.1'>$odd</testcase>\"\n    done\n    echo '</testsuite>'\n}} >\"$out\"\nexit {code}\n"
    );
    let project = Project::new().file("copied/run.sh", runner).config(&format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n{}copy_dirs = [\"copied:.\"]\n[groups.g]\ntype = \"default\"\n\
         discover_command = \"seq 6\"\nrun_command = \"sh run.sh {{result_file}} {{tests}}\"\n",
        hosts.table(&["one", "two"])
    ));
    let done = project.run(&[]);
    assert!(done.events_of("sandbox-failed").is_empty(), "{}", done.said());
    let results = done.results();
    for test in &results.tests {
        let is_odd = test.id.parse::<u32>().is_ok_and(|number| number % 2 == 1);
        // A batch without an odd one has no failure that would explain the code.
        let expected = if is_odd {
            vec![verdict]
        } else if code == 0 {
            vec!["passed"]
        } else {
            vec!["passed", "error"]
        };
        assert!(expected.contains(&test.verdict.as_str()), "{} is {}: {}", test.id, test.verdict, done.said());
    }
    hosts.check_nothing_left(&results.run_id);
}

#[test]
fn groups_of_any_command_bring_their_files_back() {
    check_custom(0, "", "passed");
}

/// It is what ssh itself ends with when a connection breaks.
#[test]
fn an_exit_code_of_255_is_the_commands_own() {
    check_custom(255, "<failure message=\"odd\"/>", "failed");
}

/// Awkward values arrive, and no command line of any process tells them.
#[test]
fn variables_arrive_and_stay_secret() {
    let Some(hosts) = SshHosts::up() else { return };
    let test = r#"
import os, pathlib

def test_values():
    assert os.environ["AWKWARD"] == "it's $5 & \"more\" \\ \\\\ !\n*"
    assert os.environ["LATER"] == "given"

def test_secret():
    secret = os.environ["SECRET"].encode()
    for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert secret not in process.read_bytes(), process
        except (FileNotFoundError, ProcessLookupError):
            pass

def test_directory():
    assert os.path.dirname(os.environ["TMPDIR"]) == os.path.dirname(os.getcwd())
"#;
    let secret = format!("hush-{}", std::process::id());
    let table = hosts.table(&["one"]);
    let project = project(
        &format!(
            "{table}copy_dirs = [\".:.\"]\n[provider.env]\nAWKWARD = \"it's $$5 & \\\"more\\\" \\\\ \\\\\\\\ !\\n*\"\n\
             LATER = \"configured\"\nSECRET = \"{secret}\"\n"
        ),
        "",
    )
    .file("test_it.py", test);
    check(&hosts, &project.run(&["--env", "LATER=given"]).exits(0), 3);
}

/// sshd allows ten sessions on a connection by default; what does not fit gets a connection of its own, and the tests hear
/// nothing of that.
#[test]
fn more_sandboxes_than_sessions() {
    let Some(hosts) = SshHosts::up() else { return };
    let project = Project::new()
        .file("copied/run.sh", "sleep 3\necho \"<testsuite><testcase name='$2' time='3'/></testsuite>\" >\"$1\"\n")
        .config(&format!(
            "[offload]\nmax_parallel = 14\nretry_count = 0\n{}slots = 14\ncopy_dirs = [\"copied:.\"]\n\
             [groups.g]\ntype = \"default\"\nschedule_individual = true\ndiscover_command = \"seq 14\"\n\
             run_command = \"sh run.sh {{result_file}} {{tests}}\"\n",
            hosts.table(&["loopback"])
        ));
    let done = project.run(&[]).exits(0).does_not_say("mux").does_not_say("refused");
    assert!(done.events_of("sandbox-up").len() > 10, "{}", done.said());
    check(&hosts, &done, 14);
}

#[test]
fn a_directory_of_the_hosts_stays() {
    let Some(hosts) = SshHosts::up() else { return };
    let shared = hosts.temporary("two").join(format!("project-{}", std::process::id()));
    std::fs::create_dir(&shared).expect("a directory can be made");
    std::fs::write(shared.join("test_it.py"), "def test_it():\n    pass\n").expect("a file can be written");
    let table = hosts.table(&["two"]);
    let project =
        project(&format!("{table}remote_dir = {shared:?}\n"), "").file("test_it.py", "def test_it():\n    pass\n");
    check(&hosts, &project.run(&[]).exits(0), 1);
    assert!(shared.join("test_it.py").exists());
    std::fs::remove_dir_all(shared).expect("it can be removed");
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    let Some(hosts) = SshHosts::up() else { return };
    let marks = tempfile();
    let test = format!(
        "import pathlib, subprocess, time, pytest\n\n@pytest.mark.parametrize('number', range(10))\ndef test_slow(number):\n    \
         subprocess.Popen(['sleep', '300'], start_new_session=True)\n    \
         pathlib.Path({marks:?}, pathlib.Path(__file__).stem + str(number)).touch()\n    \
         time.sleep(300)\n"
    );
    let table = hosts.table(&["one", "two"]);
    let project =
        project(&format!("{table}copy_dirs = [\".:.\"]\n"), "").file("test_a.py", &test).file("test_b.py", &test);
    let mut running = project.offload(&["run"]).start();
    running.wait_until("two tests have begun", || std::fs::read_dir(&marks).is_ok_and(|entries| entries.count() >= 2));
    running.signal(Signal::SIGINT);
    let done = running.finish().exits(130);
    std::fs::remove_dir_all(&marks).expect("it can be removed");
    assert_eq!(done.results().tests.len(), 20);
    hosts.check_nothing_left(&done.results().run_id);
}

/// A directory outside of the project, which would be copied.
fn tempfile() -> String {
    let path = std::env::temp_dir().join(format!("ssh-marks-{}", std::process::id()));
    std::fs::create_dir_all(&path).expect("a directory can be made");
    path.display().to_string()
}

#[test]
fn wrong_settings_are_named() {
    let table = |keys: &str| format!("[provider]\ntype = \"ssh\"\n{keys}\n");
    let refused = |keys: &str, expected: &str| {
        let project = project(&table(keys), "").file("test_it.py", "def test_it():\n    pass\n");
        project.run(&[]).exits(3).says(expected);
    };
    refused("", "hosts");
    refused("hosts = []", "hosts");
    refused("hosts = [\"-oProxyCommand=x\"]", "hosts");
    refused("hosts = [\"a\"]\nslots_on = { b = 2 }", "slots_on names b, which is not among hosts");
}
