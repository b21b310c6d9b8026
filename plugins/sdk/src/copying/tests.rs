//! The script, run by the shell of this machine, with `sh -c` as what reaches the sandbox.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::shell::quote;
use crate::types::Exit;

const NASTY: &str = "-it's a \"$HOME\" `id`\n*";

fn place_with(file: &str) -> TempDir {
    let place = tempfile::tempdir().expect("a directory");
    let path = place.path().join(file);
    fs::create_dir_all(path.parent().expect("files are below the directory")).expect("directories can be made");
    fs::write(path, "contents").expect("files can be written");
    place
}

fn run(command: &Command, place: &Path) -> Captured {
    let mut started = std::process::Command::new(&command.argv[0]);
    let output = started.args(&command.argv[1..]).current_dir(place).output().expect("sh starts");
    let exit = output.status.code().map_or(Exit::Signal(0), Exit::Code);
    Captured { exit, stdout: output.stdout, stderr: output.stderr }
}

fn unpack_to(place: &TempDir, below: &str) -> String {
    quote(&inside::unpack(place.path().join(below).to_str().expect("paths are UTF-8")))
}

#[track_caller]
fn check_fails(place: &TempDir, command: &Command, local: &str, expected: &str) {
    let failure = outcome(&run(command, place.path()), local, "/app", "sb-1", "pass it on");
    assert_eq!(failure.expect_err("nothing was copied").message, expected);
}

#[test]
fn a_directory_goes_through_exec() {
    let place = place_with(&format!("{NASTY}/sub/.file"));
    let finished =
        run(&send(NASTY, &format!("echo banner; sh -c {}", unpack_to(&place, "to it's place"))), place.path());
    assert_eq!(outcome(&finished, NASTY, "to it's place", "sb-1", ""), Ok(()));
    let copied = fs::read_to_string(place.path().join("to it's place/sub/.file"));
    assert_eq!(copied.expect("it was copied"), "contents");
}

#[test]
fn each_side_s_failure_is_told() {
    let place = place_with("from/file");
    let missing = "nowhere is no directory, so it cannot be copied to /app";
    check_fails(&place, &send("nowhere", "cat >/dev/null"), "nowhere", missing);
    let refused = send("from", "echo no such sandbox >&2; exit 3");
    check_fails(&place, &refused, "from", "copying from to /app in sb-1 failed: no such sandbox");
    let deaf = send("from", &format!("sh -c {} </dev/null", unpack_to(&place, "to")));
    check_fails(&place, &deaf, "from", "copying from into sb-1 failed: no standard input came there");
    let mut broken = send("from", &format!("sh -c {}", unpack_to(&place, "to")));
    broken.argv[2].insert_str(0, "tar() { command tar \"$@\"; echo broken >&2; return 2; }; ");
    check_fails(&place, &broken, "from", "copying from to /app in sb-1 failed: broken");
}
