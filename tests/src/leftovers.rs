//! What a run may not leave behind.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Project, invocation::MARKER};

/// A killed process may need a moment until the kernel has taken it away.
const GRACE: Duration = Duration::from_secs(2);

/// Names the project in the environment of everything that is started in it.
pub fn marker(project: &Project) -> String {
    project.beside().display().to_string()
}

/// Nothing that was started still runs, and nothing of offload's is left in the temporary directory.
#[track_caller]
pub fn check(project: &Project) {
    let begun = Instant::now();
    while !processes(project).is_empty() && begun.elapsed() < GRACE {
        std::thread::sleep(Duration::from_millis(20));
    }
    let left = processes(project);
    let lines: Vec<String> = left.iter().map(|process| command_line(*process)).collect();
    end(project);
    assert!(lines.is_empty(), "processes were left running: {lines:#?}");
    let files = entries(&project.temporary());
    assert!(files.is_empty(), "files were left in the temporary directory: {files:#?}");
}

/// Ends what still runs.
pub fn end(project: &Project) {
    for process in processes(project) {
        let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
    }
}

/// Living processes that inherited this project's marker.
fn processes(project: &Project) -> Vec<i32> {
    let marker = format!("{MARKER}={}", marker(project)).into_bytes();
    let Ok(all) = fs::read_dir("/proc") else { return Vec::new() };
    all.flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|process| {
            fs::read(format!("/proc/{process}/environ"))
                .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|variable| variable == marker))
        })
        .collect()
}

fn command_line(process: i32) -> String {
    let words = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    format!("{process}: {}", String::from_utf8_lossy(&words).replace('\0', " "))
}

/// Only what offload itself made: the suites under test leave files of their own there.
fn entries(dir: &Path) -> Vec<String> {
    let Ok(all) = fs::read_dir(dir) else { return Vec::new() };
    all.flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("offload") || name.starts_with("ofl-"))
        .collect()
}
