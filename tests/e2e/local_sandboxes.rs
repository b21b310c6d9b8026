//! What a sandbox of this machine has to itself: a temporary directory, a session, a true copy; and what it leaves behind.

use std::path::{Path, PathBuf};
use std::time::Duration;

use offload_tests::{Finished, Project, python};

fn project(provider: &str, group: &str) -> Project {
    Project::new().config(&format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\ntest_timeout_secs = 60\n[provider]\ntype = \"local\"\n{provider}\n\
         [groups.g]\ntype = \"pytest\"\npython = \"{{python}}\"\n{group}\n"
    ))
}

/// Tests of two files that write to one file in the temporary directory, and read what they wrote.
fn with_one_name(project: Project) -> Project {
    ["stock", "sales"].into_iter().fold(project, |project, what| {
        let test = format!(
            "import pathlib, pytest, tempfile, time\n\n@pytest.mark.parametrize('number', range(5))\ndef test_{what}(number):\n    \
             path = pathlib.Path(tempfile.gettempdir(), 'report.txt')\n    path.write_text(f'{what} {{number}}')\n    \
             time.sleep(0.2)\n    assert path.read_text() == f'{what} {{number}}'\n"
        );
        project.file(&format!("test_{what}.py"), test)
    })
}

#[test]
fn tests_that_use_one_name_in_the_temporary_directory_do_not_meet() {
    for group in ["", "worker = false"] {
        let done = with_one_name(project("", group)).run(&[]).exits(0);
        assert_eq!(done.results().count("passed"), 10);
    }
}

/// What each test finds in its environment, a file a test.
const TELLS: &str = "import json, os, pathlib, tempfile, time, pytest\n\n@pytest.mark.parametrize('number', range(8))\ndef test_it(number):\n    \
    time.sleep(0.1)\n    \
    names = ['TMPDIR', 'TMP', 'TEMP', 'OFFLOAD_RUN_TMP', 'OFFLOAD_SANDBOX_NAME']\n    \
    told = {name: os.environ.get(name) for name in names}\n    \
    told['exists'] = all(os.path.isdir(told[name]) for name in ['TMPDIR', 'OFFLOAD_RUN_TMP'])\n    \
    pathlib.Path('told', str(number)).write_text(json.dumps(told))\n    \
    (pathlib.Path(tempfile.gettempdir()) / f'left-{number}').mkdir(mode=0o500)\n";

fn told(project: &Project) -> Vec<serde_json::Value> {
    let numbers = 0..8;
    numbers.map(|number| serde_json::from_str(&project.read(&format!("told/{number}"))).expect("it is JSON")).collect()
}

fn distinct(told: &[serde_json::Value], name: &str) -> Vec<String> {
    let mut values: Vec<_> = told.iter().map(|one| one[name].as_str().unwrap_or("none").to_owned()).collect();
    values.sort();
    values.dedup();
    values
}

#[test]
fn each_sandbox_has_a_short_temporary_directory_that_goes_with_it() {
    let project = project("", "").file("test_it.py", TELLS).file("told/.keep", "");
    // Tests make sockets some directories below: of the 108 bytes of a socket's path many are left.
    project.offload(&["run"]).env("TMPDIR", "/tmp").finish().exits(0);
    let told = told(&project);
    let sandboxes = distinct(&told, "OFFLOAD_SANDBOX_NAME");
    for name in ["TMPDIR", "TMP", "TEMP"] {
        let directories = distinct(&told, name);
        assert_eq!(directories.len(), sandboxes.len(), "{directories:?}");
        for directory in directories {
            assert!(directory.len() <= 25, "{directory}");
            assert!(!Path::new(&directory).exists(), "{directory}");
        }
    }
    let shared = distinct(&told, "OFFLOAD_RUN_TMP");
    assert!(matches!(&shared[..], [one] if one.len() <= 25 && !Path::new(one).exists()), "{shared:?}");
    assert!(told.iter().all(|one| one["exists"] == true), "{told:?}");
}

#[test]
fn the_temporary_directory_may_stay_the_machine_s() {
    let project = project("private_tmp = false", "").file("test_it.py", TELLS).file("told/.keep", "");
    project.run(&[]).exits(0);
    let told = told(&project);
    assert_eq!(distinct(&told, "TMPDIR"), [project.temporary().display().to_string()]);
    assert_eq!(distinct(&told, "TMP"), ["none"]);
    assert_eq!(distinct(&told, "OFFLOAD_RUN_TMP").len(), 1);
    assert!(told.iter().all(|one| one["exists"] == true), "{told:?}");
}

#[test]
fn a_temporary_directory_that_the_person_names_is_theirs() {
    let project = project("", "").file("test_it.py", TELLS).file("told/.keep", "").file("mine/.keep", "");
    let mine = project.path().join("mine").display().to_string();
    project.run(&["--env", &format!("TMPDIR={mine}")]).exits(0);
    assert_eq!(distinct(&told(&project), "TMPDIR"), [mine]);
}

/// A directory that is inside of what is copied is no place for what the run shares.
#[test]
fn a_temporary_directory_inside_of_a_project_that_is_copied() {
    let project = project("isolation = \"copy\"", "")
        .file("tmp/.keep", "")
        .file("test_it.py", "import os, tempfile\ndef test_it():\n    assert not [name for name in os.listdir('tmp') if name.startswith('ofl-')]\n    tempfile.mkstemp()\n");
    let tmp = project.path().join("tmp");
    project.offload(&["run"]).env("TMPDIR", &tmp).finish().exits(0);
    let left = std::fs::read_dir(tmp).expect("a directory").count();
    assert_eq!(left, 1);
}

/// Starts offload in a terminal of its own, and passes its output and its exit code on.
const IN_A_TERMINAL: &str = "import os, pty, sys\nos.environ['SESSION'] = str(os.getsid(0))\nstatus = pty.spawn(sys.argv[1:])\nsys.exit(os.waitstatus_to_exitcode(status))\n";

#[track_caller]
fn run_in_a_terminal(project: &Project) -> Finished {
    let offload = offload_tests::offload();
    let offload = offload.to_str().expect("UTF-8");
    let arguments = ["-c", IN_A_TERMINAL, offload, "run"];
    offload_tests::Invocation::of(project, &python(), &arguments).env("TERM", "xterm").finish()
}

#[test]
fn an_interactive_shell_in_a_terminal_is_not_stopped() {
    let test = "import os, subprocess, pytest\n\nsubprocess.run(['sh', '-c', 'stty -echo </dev/tty || true'])\n\n\
        def test_interactive_shell():\n    done = subprocess.run(['bash', '-ic', 'echo hello'], capture_output=True, text=True)\n    \
        assert 'hello' in done.stdout\n\n\
        def test_settings_of_the_terminal():\n    subprocess.run(['sh', '-c', 'stty -echo </dev/tty || true'])\n\n\
        def test_session():\n    assert os.getsid(0) != int(os.environ['SESSION'])\n";
    for group in ["", "worker = false"] {
        let done = run_in_a_terminal(&project("", group).file("test_it.py", test)).exits(0);
        assert_eq!(done.results().count("passed"), 3);
        assert!(done.took < Duration::from_secs(30), "{:?}", done.took);
    }
}

const DETACHED: &str = "import os, subprocess, time, pytest\n\n\
    @pytest.fixture(scope='session', autouse=True)\ndef server():\n    \
    return subprocess.Popen(['sleep', '193'], start_new_session=True)\n\n\
    def test_forgets_it():\n    subprocess.Popen(['sleep', '197', os.environ['ACCESS_TOKEN']], start_new_session=True)\n\n\
    @pytest.mark.parametrize('number', range(5))\ndef test_needs_the_server(server, number):\n    \
    time.sleep(0.1)\n    assert server.poll() is None\n";

/// That they are gone is checked after every run.
#[test]
fn what_tests_leave_running_is_ended_and_named() {
    for group in ["", "worker = false"] {
        let done = project("", group)
            .file("test_it.py", DETACHED)
            .run(&["-p", "1", "--env", "ACCESS_TOKEN=0.1234567"])
            .exits(0)
            .says("left processes running that were ended")
            .says("`sleep 193` (process ")
            .says("`sleep 197 ***` (process ")
            .does_not_say("0.1234567");
        assert_eq!(done.results().count("passed"), 6);
    }
}

#[test]
fn what_ends_with_its_tests_is_not_named() {
    let test = "import subprocess, sys\n\ndef test_it():\n    \
        subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'], stdin=subprocess.PIPE, start_new_session=True)\n    \
        subprocess.Popen(['sleep', '300'])\n";
    project("", "").file("test_it.py", test).run(&[]).exits(0).does_not_say("left ");
}

/// A project whose tests read and write through links, beside what these lead to.
fn linked() -> (Project, PathBuf) {
    let project = Project::new()
        .file("../shared/data.txt", "shared")
        .file("own.txt", "own")
        .file(
            "run.py",
            "import sys\nassert open('out/data.txt').read() == 'shared'\nassert open('deep/chain').read() == 'shared'\n\
             assert open('in').read().startswith('own')\nopen('whole', 'a').write('!')\n\
             cases = ''.join(f'<testcase name=\"{name}\"/>' for name in sys.argv[1:])\n\
             open('junit.xml', 'w').write(f'<testsuite>{cases}</testsuite>')\n",
        )
        .file("deep/.keep", "")
        .config(
            "[offload]\nmax_parallel = 2\nretry_count = 0\n[provider]\ntype = \"local\"\n[groups.g]\ntype = \"default\"\n\
             discover_command = \"printf 'a\\\\nb\\\\nc\\\\nd\\\\n'\"\nrun_command = \"python3 run.py {tests}\"\nresult_file = \"junit.xml\"\n",
        );
    let own = project.path().join("own.txt");
    let project = project
        .link("out", Path::new("../shared"))
        .link("deep/chain", Path::new("../out/data.txt"))
        .link("in", Path::new("own.txt"))
        .link("whole", &own);
    (project, own)
}

#[test]
fn links_lead_where_they_led_from_a_private_copy() {
    let (project, own) = linked();
    let done = project.run(&[]).exits(0).says("private copy");
    assert_eq!(done.results().count("passed"), 4);
    assert_eq!(std::fs::read_to_string(own).expect("it is there"), "own", "the copy was written to");
}
