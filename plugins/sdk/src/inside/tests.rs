//! The lines, run by the shell of this machine.

use std::io::Write;
use std::process::{Child, Output, Stdio};

use super::*;

const NASTY: [&str; 12] =
    ["a b", "it's", "\"", "$HOME", "`id`", "$(id)", "a\nb", "-n", "*", "", "é \u{1}", "\\ {command} !"];

fn spawn(line: &str) -> Child {
    std::process::Command::new("sh")
        .args(["-c", line])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sh starts")
}

fn sh(line: &str, stdin: &[u8]) -> Output {
    let mut child = spawn(line);
    // A line that reads nothing closes the pipe: that is no concern of the test.
    let _ = child.stdin.take().expect("it is piped").write_all(stdin);
    child.wait_with_output().expect("it ends")
}

#[track_caller]
fn printed(line: &str, stdin: &[u8]) -> String {
    let output = sh(line, stdin);
    assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

fn plan(argv: &[&str], env: &[(&str, &str)], cwd: Option<&str>) -> Command {
    Command {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        cwd: cwd.map(str::to_owned),
    }
}

/// A directory that goes with the test.
struct Place(String);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("default-provider-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a test directory can be made");
        Self(path.to_str().expect("paths are UTF-8").to_owned())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn arguments_arrive_as_they_are() {
    let line = command(&plan(&[&["printf", "%s\\0"], &NASTY[..]].concat(), &[], None)).expect("it can be planned");
    assert_eq!(printed(&line, b"").split_terminator('\0').collect::<Vec<_>>(), NASTY);
}

#[test]
fn variables_arrive_as_they_are() {
    for value in NASTY {
        let line = command(&plan(&["sh", "-c", "printf %s \"$A_1\""], &[("A_1", value), ("B", "")], None));
        assert_eq!(printed(&line.expect("it can be planned"), b""), value);
    }
}

#[test]
fn refuses_names_that_no_shell_can_set() {
    for name in ["", "1A", "A B", "A=B", "A;id", "é"] {
        assert!(
            command(&plan(&["true"], &[(name, "")], None)).is_err_and(|refused| refused.code == "invalid-environment")
        );
    }
}

#[test]
fn a_command_runs_in_its_directory_or_not_at_all() {
    let Place(root) = &Place::new("cwd");
    let directory = format!("{root}/-it's $HOME");
    printed(&make_directory(&directory), b"");
    let line = command(&plan(&["pwd"], &[], Some(&directory))).expect("it can be planned");
    assert_eq!(printed(&line, b"").trim_end(), directory);
    let relative = command(&plan(&["pwd"], &[], Some("-it's $HOME"))).expect("it can be planned");
    assert_eq!(printed(&format!("cd {root}; {relative}"), b"").trim_end(), directory);
    let missing = command(&plan(&["echo", "ran"], &[], Some("/no/such/directory"))).expect("it can be planned");
    let output = sh(&missing, b"");
    assert!(!output.status.success() && output.stdout.is_empty());
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let line = command(&plan(&["sh", "-c", "exit 7"], &[("A", "1")], None)).expect("it can be planned");
    assert_eq!(sh(&line, b"").status.code(), Some(7));
}

#[test]
fn a_stored_command_is_run_with_its_own_standard_input() {
    let place = Place::new("stored");
    let path = format!("{}/it's a command", place.0);
    let line = command(&plan(&["sh", "-c", "cat; exit 3"], &[], None)).expect("it can be planned");
    assert!(printed(&store(&path), line.as_bytes()).contains(COPIED));
    let output = sh(&run_stored(&path), b"input");
    assert_eq!((output.stdout.as_slice(), output.status.code()), (b"input".as_slice(), Some(3)));
    assert!(!sh(&store(&path), b"").status.success());
}

#[test]
fn unpacks_only_what_was_sent_to_it() {
    let place = Place::new("unpack");
    let to = format!("{}/it's there", place.0);
    assert!(String::from_utf8_lossy(&sh(&unpack(&to), b"").stdout).contains(NO_STDIN));
    assert!(!std::path::Path::new(&to).exists());
    assert!(!sh(&unpack(&to), b"offload-copy\nthis is no archive").status.success());
}

#[test]
fn removes_the_run_s_directory_with_its_last_sandbox() {
    let Place(root) = &Place::new("remove");
    let (one, two) = (format!("{root}/offload-r1/one"), format!("{root}/offload-r1/it's two"));
    printed(&format!("{}; {}", make_directory(&one), make_directory(&two)), b"");
    sh(&remove_scratch(&one), b"");
    assert!(!std::path::Path::new(&one).exists() && std::path::Path::new(&two).exists());
    printed(&remove_scratch(&two), b"");
    assert!(!std::path::Path::new(&root).join("offload-r1").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn kills_what_an_exec_started_and_nothing_else() {
    let exec_id = format!("it's {}", std::process::id());
    let other_id = format!("{exec_id}0");
    let sleeper = plan(&["sh", "-c", "sleep 60 & sleep 60"], &[("OFFLOAD_EXEC_ID", &exec_id)], None);
    let other = plan(&["sleep", "60"], &[("OFFLOAD_EXEC_ID", &other_id)], None);
    let mut sleeper = spawn(&command(&sleeper).expect("it can be planned"));
    let mut other = spawn(&command(&other).expect("it can be planned"));
    // The variable is in a process's environment only once it has been started by the shell.
    std::thread::sleep(std::time::Duration::from_millis(300));

    printed(&kill(&exec_id), b"");
    assert!(!sleeper.wait().expect("it ended").success());
    let mut left = String::new();
    std::io::Read::read_to_string(&mut sleeper.stdout.take().expect("it is piped"), &mut left)
        .expect("all of its processes closed it");
    assert_eq!(other.try_wait().expect("it can be asked"), None);

    printed(&kill(&other_id), b"");
    assert!(!other.wait().expect("it ended").success());
    printed(&kill(&exec_id), b"");
}
