//! Finds processes that left their group, by what they inherited. Reads `/proc`, so elsewhere than on Linux it finds none.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The variable that every process of an exec inherits: its value is the exec's id.
pub const EXEC_ID: &str = "OFFLOAD_EXEC_ID";

/// The variable by which whatever still runs is known to be of this sandbox of this run, long after both are gone.
pub const SANDBOX: &str = "OFFLOAD_SANDBOX";

/// How long a process that is left may take to notice that its parent has gone, and to end by itself.
const GRACE: Duration = Duration::from_millis(500);

/// How often it is looked for meanwhile, and after it was killed.
const PAUSE: Duration = Duration::from_millis(10);

/// Characters of a command line that are shown.
const SHOWN: usize = 160;

/// What the processes that are looked for have in their environment.
#[derive(Clone, Debug)]
pub struct Mark {
    variable: Vec<u8>,
    /// Whether what the variable's value begins with is enough.
    begins: bool,
    /// Processes that need not be looked at: they were there before.
    older: Arc<HashSet<i32>>,
}

impl Mark {
    /// All processes of an exec.
    pub fn exec(exec_id: &str) -> Self {
        Self { variable: format!("{EXEC_ID}={exec_id}").into_bytes(), begins: false, older: Arc::default() }
    }

    /// All processes of an exec that is about to begin. To look at every process of the machine again and again costs more than many
    /// an exec.
    pub fn new_exec(exec_id: &str) -> Self {
        Self { older: Arc::new(processes().collect()), ..Self::exec(exec_id) }
    }

    /// All processes of a run's sandboxes.
    pub fn run(run_id: &str) -> Self {
        Self { variable: format!("{SANDBOX}={run_id}/").into_bytes(), begins: true, older: Arc::default() }
    }

    fn is_on(&self, environ: &[u8]) -> bool {
        environ
            .split(|byte| *byte == 0)
            .any(|variable| if self.begins { variable.starts_with(&self.variable) } else { variable == self.variable })
    }
}

/// A process that was left running and is ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    pub process: i32,
    /// Its words as far as there is room: none is cut, so that a secret in one can still be found and masked.
    pub command: String,
}

impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` (process {})", self.command, self.process)
    }
}

/// Kills whatever still carries this mark: what called `setsid` is in no group of ours.
pub async fn sweep(mark: &Mark) {
    // A process may be forking while it is looked for, and one that is about to become another program has no environment for
    // a moment: look until nothing was found several times in a row.
    let mut quiet = 0;
    for _ in 0..50 {
        let found = marked(mark).await;
        quiet = if found.is_empty() { quiet + 1 } else { 0 };
        if quiet == 4 {
            return;
        }
        for process in found {
            let _ = kill(process, Signal::SIGKILL);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Ends what still carries this mark although all that started it has ended, and says what that was. Looks once where there is
/// nothing.
pub async fn end_strays(mark: &Mark) -> Vec<Stray> {
    let mut pause = PAUSE;
    let mut waited = Duration::ZERO;
    let mut left = marked(mark).await;
    while !left.is_empty() && waited < GRACE {
        tokio::time::sleep(pause).await;
        waited += pause;
        pause *= 2;
        left = marked(mark).await;
    }
    let strays: Vec<_> = left.into_iter().filter_map(stray).collect();
    if !strays.is_empty() {
        sweep(mark).await;
    }
    strays
}

async fn marked(mark: &Mark) -> Vec<Pid> {
    let mark = mark.clone();
    // A file for each process of the machine: nothing else has to wait for that.
    tokio::task::spawn_blocking(move || find(&mark)).await.unwrap_or_default()
}

fn find(mark: &Mark) -> Vec<Pid> {
    processes()
        .filter(|process| !mark.older.contains(process))
        .filter(|process| std::fs::read(format!("/proc/{process}/environ")).is_ok_and(|environ| mark.is_on(&environ)))
        .map(Pid::from_raw)
        .collect()
}

fn processes() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Nothing of a process that has just ended.
fn stray(process: Pid) -> Option<Stray> {
    let line = std::fs::read(format!("/proc/{process}/cmdline")).ok().filter(|line| !line.is_empty())?;
    Some(Stray { process: process.as_raw(), command: shown(&line) })
}

fn shown(line: &[u8]) -> String {
    let mut shown = String::new();
    for word in line.split(|byte| *byte == 0) {
        let word = String::from_utf8_lossy(word);
        if shown.chars().count() + word.chars().count() > SHOWN {
            shown.push_str(" …");
            break;
        }
        shown.push(' ');
        shown.push_str(&word);
    }
    shown.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn marks_are_whole_variables() {
        let exec = Mark::exec("e1");
        assert!(exec.is_on(b"PATH=/bin\0OFFLOAD_EXEC_ID=e1\0"));
        assert!(!exec.is_on(b"OFFLOAD_EXEC_ID=e12\0NOTE=OFFLOAD_EXEC_ID=e1\0"));
        let run = Mark::run("r1");
        assert!(run.is_on(b"OFFLOAD_SANDBOX=r1/local-1\0"));
        assert!(!run.is_on(b"OFFLOAD_SANDBOX=r12/local-1\0"));
    }

    #[test]
    fn no_word_of_a_command_line_is_cut() {
        assert_eq!(shown(b"sleep\x00197\0"), "sleep 197");
        let long = format!("sh\0-c\0{}\0x\0", "y".repeat(SHOWN));
        assert_eq!(shown(long.as_bytes()), "sh -c …");
        assert_eq!(shown("é".repeat(SHOWN + 1).as_bytes()), "…");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_is_left_is_ended_and_named() {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let start = |seconds| Command::new("sleep").arg(seconds).env(EXEC_ID, &id).process_group(0).spawn().unwrap();
        let mark = Mark::new_exec(&id);
        let (mut stays, mut goes) = (start("600"), start("0.05"));
        let waiting = std::thread::spawn(move || (goes.wait().unwrap(), stays.wait().unwrap(), stays.id()));
        let strays = end_strays(&mark).await;
        let (gone, ended, process) = waiting.join().unwrap();
        assert!(gone.success() && !ended.success());
        assert_eq!(strays, [Stray { process: process.cast_signed(), command: "sleep 600".to_owned() }]);
        assert_eq!(end_strays(&mark).await, []);
    }
}
