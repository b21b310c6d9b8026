//! The scripts, run by the shell of this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;
use std::time::{Duration, Instant};

use super::*;
use crate::seats;
use crate::settings::Settings;

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ssh-scripts-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a test directory can be made");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("paths are UTF-8")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn settings() -> Settings {
    offload_plugin::settings::parse(r#"{"hosts": ["h"], "ssh": "true"}"#).expect("the table has all keys")
}

fn run(command: &Command, temporary: &str) -> Output {
    std::process::Command::new(&command.argv[0])
        .args(&command.argv[1..])
        .env("TMPDIR", temporary)
        .output()
        .expect("sh starts")
}

fn printed(command: &Command, temporary: &str) -> String {
    let output = run(command, temporary);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

/// The directory of a run goes with whoever started the script.
#[test]
fn nothing_of_a_run_outlives_it() {
    let place = Place::new("open");
    let settings = settings();
    let command = open(&Client::new(&settings).expect("a program"));
    let note = place.0.join("opened");
    let script = format!("{} >{}; cat", join(&command.argv), note.display());
    let mut run = std::process::Command::new("sh")
        .args(["-c", &script])
        .env("TMPDIR", place.path())
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("sh starts");
    let begun = Instant::now();
    while !fs::read_to_string(&note).is_ok_and(|text| text.ends_with('\n')) {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(10));
    }
    let opened = PathBuf::from(fs::read_to_string(&note).expect("it was written").trim());
    assert!(opened.starts_with(&place.0) || opened.starts_with("/tmp"), "{}", opened.display());
    assert_eq!(fs::metadata(&opened).expect("it is there").permissions().mode() & 0o777, 0o700);
    run.kill().expect("it runs");
    run.wait().expect("it ends");
    while opened.exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} is left", opened.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn no_seat_is_taken_twice() {
    let place = Place::new("seats");
    let take = |slot: u32| {
        printed(&take_seat(place.path(), slot, &seats::in_order_for(slot, &[1, 2])), place.path()).trim().to_owned()
    };
    assert_eq!([take(0), take(1), take(2)], ["0-0", "1-0", "1-1"]);
    assert_eq!(take(3), "");
    // The sandbox that was there is gone.
    assert_eq!(take(1), "1-0");
    run(&leave_seat(place.path(), seats::Seat { host: 1, number: 0 }), place.path());
    assert_eq!(take(3), "1-0");
    assert_eq!(take(1), "");
}

#[test]
fn lines_run_side_by_side_and_answer_in_order() {
    let place = Place::new("side");
    let settings = settings();
    let client = Client::new(&settings).expect("a program");
    let lines = ["sleep 0.5; echo out; echo err >&2; exit 3", "printf 'a b'", "true"].map(str::to_owned);
    assert_eq!(printed(&side_by_side(&client, None, &lines), place.path()), "3 out\nerr\n\x000 a b\x000 \0");
    assert_eq!(printed(&side_by_side(&client, Some(place.path()), &lines[1..]), place.path()), "0 a b\x000 \0");
    assert_eq!(fs::read_dir(&place.0).expect("it exists").count(), 0);
}

#[test]
fn a_line_that_fails_is_explained_by_the_log() {
    let place = Place::new("explained");
    let log = place.0.join("log");
    fs::write(&log, "of another\n").expect("a file");
    let line = |end: &str| explained(log.to_str(), format!("echo because >>{}; {end}", log.display()));
    let explained = |end: &str| run(&Command::new(["sh".to_owned(), "-c".to_owned(), line(end)]), place.path());
    let failed = explained("exit 255");
    assert_eq!((failed.status.code(), failed.stderr.as_slice()), (Some(255), b"because\n".as_slice()));
    assert_eq!(explained("exit 0").stderr, b"");
    assert_eq!(printed(&said(log.to_str().expect("UTF-8")), place.path()), "of another\nbecause\nbecause\n");
    assert_eq!(printed(&said("/no such log"), place.path()), "");
}
