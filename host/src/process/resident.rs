//! A process that stays, and is spoken to in lines.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use super::group::Group;
use super::run::{Command, spawn};

/// How long one that was told to end may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A process and its streams. Dropping `process` ends it with everything in its group.
pub struct Resident {
    pub process: ResidentProcess,
    pub stdin: LineWriter,
    pub stdout: Lines<BufReader<ChildStdout>>,
    pub stderr: Lines<BufReader<ChildStderr>>,
}

pub struct ResidentProcess {
    child: Child,
    _group: Group,
}

/// What it reads, a line at a time; dropping it is the end.
pub struct LineWriter(ChildStdin);

impl Resident {
    /// # Errors
    /// The program could not be started.
    pub fn start(command: &Command) -> io::Result<Self> {
        let mut child = spawn(command)?;
        let group = Group::of(&child);
        let missing = || io::Error::other("the process has no standard streams");
        let stdin = LineWriter(child.stdin.take().ok_or_else(missing)?);
        let stdout = BufReader::new(child.stdout.take().ok_or_else(missing)?).lines();
        let stderr = BufReader::new(child.stderr.take().ok_or_else(missing)?).lines();
        Ok(Self { process: ResidentProcess { child, _group: group }, stdin, stdout, stderr })
    }
}

impl ResidentProcess {
    /// Waits until it has ended by itself.
    pub async fn wait(&mut self) {
        // Where it cannot be waited for it is gone.
        let _ = self.child.wait().await;
    }

    /// Waits until it has ended, which it does once it has nothing more to read, but not without end.
    pub async fn ended(mut self) {
        // Whatever it does then, its group ends here.
        let _ = tokio::time::timeout(PATIENCE, self.child.wait()).await;
    }
}

impl LineWriter {
    /// # Errors
    /// It reads no more.
    pub async fn write(&mut self, mut line: String) -> io::Result<()> {
        line.push('\n');
        self.0.write_all(line.as_bytes()).await
    }
}
