//! The lines, run by login shells of this machine as sshd would run them.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use offload_plugin::types::Command;

use super::*;

const NASTY: &str = "it's \\ \\\\ \\' $HOME `id` $(id) \"x\" !! *\n~ {a,b} (x) %\u{e9}";

/// A directory that goes with the test, as the temporary directory of a host.
struct Host {
    place: PathBuf,
    shell: &'static str,
}

impl Host {
    fn new(name: &str, shell: &'static str) -> Self {
        let place = std::env::temp_dir().join(format!("ssh-provider-{name}-{shell}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).expect("a test directory can be made");
        Self { place: place.canonicalize().expect("it exists"), shell }
    }

    fn start(&self, line: &str) -> Child {
        use std::os::unix::process::CommandExt;
        std::process::Command::new(self.shell)
            .args(["-c", line])
            .env("TMPDIR", &self.place)
            .current_dir(&self.place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("the shell starts")
    }

    fn run(&self, line: &str, stdin: &str) -> Output {
        let mut child = self.start(line);
        // A line that reads nothing closes the pipe: that is no concern of the test.
        let _ = child.stdin.take().expect("it is piped").write_all(stdin.as_bytes());
        child.wait_with_output().expect("it ends")
    }

    #[track_caller]
    fn printed(&self, line: &str, stdin: &str) -> String {
        let output = self.run(line, stdin);
        assert!(output.status.success(), "{}: {line}\n{}", self.shell, String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("the output is UTF-8")
    }

    #[track_caller]
    fn sandbox(&self, environment: &str) -> Sandbox {
        let printed = self.printed(&create("r1", "ssh-1", None), environment);
        let lines: Vec<_> = printed.lines().collect();
        assert_eq!(lines[0], CREATED);
        Sandbox {
            host: "here".to_owned(),
            scratch: lines[1].to_owned(),
            work: lines[2].to_owned(),
            connection: None,
            stored: Default::default(),
        }
    }

    fn entries(&self) -> usize {
        fs::read_dir(&self.place).expect("it exists").count()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.place);
    }
}

/// The login shells that this machine has.
fn shells() -> impl Iterator<Item = &'static str> {
    let is_there = |shell: &&str| std::process::Command::new(shell).args(["-c", "true"]).output().is_ok();
    ["sh", "bash", "dash", "zsh", "fish"].into_iter().filter(is_there)
}

fn sh(line: &str) -> String {
    inside::command(&Command::script(line, [])).expect("a good line")
}

fn soon(mut holds: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !holds() {
        if begun.elapsed() > Duration::from_secs(20) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

#[test]
fn every_login_shell_passes_words_on() {
    for shell in shells() {
        let host = Host::new("words", shell);
        assert_eq!(host.printed(&script("printf %s \"$1\"", &[NASTY]), ""), NASTY, "{shell}");
        let sandbox = host.sandbox(&format!("export GIVEN={}\n", quote(NASTY)));
        let line = inside::command(&Command {
            env: vec![("ON_THE_LINE".to_owned(), NASTY.to_owned())],
            ..Command::script("printf '%s|%s|%s|%s|' \"$1\" \"$GIVEN\" \"$ON_THE_LINE\" \"$TMPDIR\"; cat", [NASTY])
        });
        let printed = host.printed(&exec(&sandbox, "e1", &line.expect("a good line")), "input");
        assert_eq!(printed, format!("{NASTY}|{NASTY}|{NASTY}|{}/tmp|input", sandbox.scratch), "{shell}");
        host.printed(&destroy(&[&sandbox]), "");
        assert_eq!(host.entries(), 0, "{shell}");
    }
}

#[test]
fn exit_codes_are_those_of_the_command() {
    let host = Host::new("codes", "sh");
    let sandbox = host.sandbox("");
    for code in [0, 1, 7, 254, 255] {
        let output = host.run(&exec(&sandbox, "e", &sh(&format!("exit {code}"))), "");
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        let inquired = host.printed(&inquire(&sandbox, "e"), "");
        assert_eq!(inquired.trim(), if code == 255 { ENDED } else { CUT });
    }
    assert_eq!(host.printed(&inquire(&sandbox, "another"), "").trim(), CUT);
    host.printed(&destroy(&[&sandbox]), "");
    assert_eq!(host.run(&exec(&sandbox, "e", &sh("exit 3")), "").status.code(), Some(255));
    assert_eq!(host.printed(&inquire(&sandbox, "e"), ""), "");
}

#[test]
fn what_is_left_running_ends_with_the_command() {
    let host = Host::new("rest", "sh");
    let sandbox = host.sandbox("");
    let begun = Instant::now();
    let printed = host.printed(&exec(&sandbox, "e", &sh("sleep 600 & echo $!")), "");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let process = PathBuf::from("/proc").join(printed.trim());
    assert!(soon(|| !process.exists()), "{} still runs", process.display());
}

/// What it left in its group, and what moved itself to another.
#[test]
fn cancelling_ends_all_of_it() {
    let host = Host::new("cancel", "sh");
    let sandbox = host.sandbox("");
    let line = sh("setsid sleep 600 & sleep 601 & echo $! >started; wait");
    let mut child = host.start(&exec(&sandbox, "e", &line));
    let started = PathBuf::from(&sandbox.work).join("started");
    assert!(soon(|| fs::read_to_string(&started).is_ok_and(|text| text.ends_with('\n'))), "it did not start");
    host.printed(&cancel(&sandbox, "e"), "");
    child.wait().expect("it ends");
    let process = PathBuf::from("/proc").join(fs::read_to_string(&started).expect("it was written").trim());
    assert!(soon(|| !process.exists()), "{} still runs", process.display());
    // One that comes late does not begin.
    let late = host.run(&exec(&sandbox, "e", &sh("echo too late")), "");
    assert_eq!((late.status.code(), late.stdout.as_slice()), (Some(255), b"".as_slice()));
}

#[test]
fn what_nobody_waits_for_ends_by_itself() {
    let host = Host::new("orphan", "sh");
    let sandbox = host.sandbox("");
    // Its parent stands for the session's process of sshd.
    let line = exec(&sandbox, "e", &sh("echo $$ >started; exec sleep 600"));
    let mut session = host.start(&format!("sh -c {} & wait", quote(&line)));
    let started = PathBuf::from(&sandbox.work).join("started");
    assert!(soon(|| fs::read_to_string(&started).is_ok_and(|text| text.ends_with('\n'))), "it did not start");
    session.kill().expect("it runs");
    session.wait().expect("it ends");
    let process = PathBuf::from("/proc").join(fs::read_to_string(&started).expect("it was written").trim());
    assert!(soon(|| !process.exists()), "{} still runs", process.display());
}

#[test]
fn destroying_ends_what_runs() {
    let host = Host::new("destroy", "sh");
    let (one, two) = (host.sandbox(""), host.sandbox(""));
    let mut child = host.start(&exec(&one, "e", &sh("touch started; sleep 600")));
    let started = PathBuf::from(&one.work).join("started");
    assert!(soon(|| started.exists()), "it did not start");
    host.printed(&destroy(&[&one, &two]), "");
    child.wait().expect("it ends");
    assert_eq!(host.entries(), 0);
    // One that is gone is no failure.
    host.printed(&destroy(&[&one]), "");
}

#[test]
fn sandboxes_are_found_again() {
    let host = Host::new("list", "sh");
    let sandbox = host.sandbox("");
    fs::create_dir(host.place.join("offload.not-ours")).expect("a directory");
    let listed = host.printed(&list(), "");
    let [line] = listed.lines().collect::<Vec<_>>()[..] else { panic!("{listed}") };
    let mut parts = line.splitn(3, ' ');
    assert_eq!(parts.next(), Some(LEFT));
    assert!(parts.next().is_some_and(|created| created.parse::<u64>().is_ok()), "{line}");
    assert_eq!(parts.next(), Some(sandbox.scratch.as_str()));
}

#[test]
fn commands_can_run_in_a_directory_that_stays() {
    let host = Host::new("stays", "sh");
    let printed = host.printed(&create("r1", "ssh-1", Some("a b/c")), "");
    assert_eq!(printed.lines().nth(2), host.place.join("a b/c").to_str());
}

#[test]
fn a_directory_that_comes_to_an_early_end_takes_the_sandbox_with_it() {
    let host = Host::new("early", "sh");
    let sandbox = host.sandbox("");
    let output = host.run(&unpack(&sandbox, &sandbox.locate("tests")), "offload-copy\nno tar archive");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(host.entries(), 0);
}

#[test]
fn a_host_says_what_it_is() {
    let host = Host::new("examined", "sh");
    let printed = host.printed(&examine(), "");
    assert!(printed.starts_with(READY) && printed.lines().count() == 1, "{printed}");
    assert_eq!(host.printed(&greet(), "").trim(), READY);
    assert_eq!(host.entries(), 0);
}
