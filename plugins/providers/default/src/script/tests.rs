//! The scripts, run by the shell of this machine, with `sh -c` as the person's `exec_command`.

use std::fs;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use super::*;

/// A directory that goes with the test, and in which the commands run.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("default-provider-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a test directory can be made");
        Self(path)
    }

    fn with(self, file: &str, contents: &str) -> Self {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().expect("files are below the directory")).expect("directories can be made");
        fs::write(path, contents).expect("files can be written");
        self
    }

    fn path(&self, below: &str) -> String {
        self.0.join(below).to_str().expect("paths are UTF-8").to_owned()
    }

    fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.0.join(file)).ok()
    }

    fn settings(&self) -> Settings {
        Settings {
            prepare_command: None,
            create_command: "create".to_owned(),
            exec_command: "sh -c {command}".to_owned(),
            destroy_command: "destroy".to_owned(),
            download_command: None,
            timeout_secs: None,
            copy_dirs: Vec::new(),
            env: [("CONFIGURED".to_owned(), "it's set".to_owned())].into(),
            working_dir: Some(self.path("")),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(command: &Command) -> Output {
    std::process::Command::new(&command.argv[0])
        .args(&command.argv[1..])
        .envs(command.env.iter().map(|(name, value)| (name, value)))
        .current_dir(command.cwd.as_deref().expect("tests have a directory"))
        .stdin(Stdio::null())
        .output()
        .expect("sh starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn lines_run_in_the_configured_directory_and_environment() {
    let place = Place::new("line").with("file", "found");
    let output = run(&line(&place.settings(), "cat file; printf ' %s' \"$CONFIGURED\"".to_owned()));
    assert_eq!(stdout(&output), "found it's set");
}

#[test]
fn a_download_is_judged_by_what_it_left() {
    let place = Place::new("download").with("a", "stale").with("b", "stale");
    let locals = [place.path("a"), place.path("b")];
    let output =
        run(&download(&place.settings(), "echo noise; echo new >b; exit 4", locals.iter().map(String::as_str)));
    assert_eq!((stdout(&output).as_str(), output.status.code()), ("0\n", Some(4)));
    assert_eq!(place.read("b").as_deref(), Some("new\n"));
}

#[test]
fn every_sandbox_is_destroyed_whatever_the_others_do() {
    let place = Place::new("destroy").with("tidied", "");
    let lines = [
        ("rm tidied".to_owned(), "echo gone >one".to_owned()),
        ("exit 1".to_owned(), "echo ignored; echo \"it's stuck\" >&2; exit 7".to_owned()),
        ("echo noise >&2".to_owned(), "echo gone >three".to_owned()),
    ];
    let output = run(&destroy(&place.settings(), &lines));
    assert_eq!(stdout(&output), "1 7 it's stuck\0");
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(place.read("tidied"), None);
    assert!(place.read("one").is_some() && place.read("three").is_some());
    assert!(run(&destroy(&place.settings(), &[])).stdout.is_empty());
}
