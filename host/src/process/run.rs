//! Runs one command and pumps its streams.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin};
use tokio::sync::mpsc;

use super::again;
use super::capture::Capture;
use super::group::Group;
use crate::model::Stream;

/// After a command has ended, how long its output may stay open: something that it left running may hold it for ever.
const DRAIN: Duration = Duration::from_secs(1);

/// How much is read or written at once.
const PIECE: usize = 64 << 10;

/// Whoever prints as much at once does not wait for anybody to gather more.
const AT_ONCE: usize = 4 << 10;

/// A program and its arguments; no shell is implied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    pub argv: Vec<String>,
    /// Set on top of `environment`.
    pub env: Vec<(String, String)>,
    pub cwd: Option<PathBuf>,
    pub environment: Environment,
}

/// What the variables of a command start from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// All of this process's.
    #[default]
    Inherited,
    /// Those of this process that have these names.
    Only(Vec<String>),
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    Signal(i32),
}

impl From<std::process::ExitStatus> for Exit {
    fn from(status: std::process::ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Code(-1),
        }
    }
}

/// Where one output stream of a command goes.
#[derive(Default)]
pub struct Output {
    pub capture: Capture,
    /// Takes all of it.
    pub log: Option<Box<dyn Write + Send + Sync>>,
    /// Is told of it as it comes, and holds the command up when it does not keep pace.
    pub tap: Option<mpsc::Sender<(Stream, Vec<u8>)>>,
    /// How long more may gather after some was read: whoever prints a line every now and then wakes nobody each time.
    pub gather: Option<Duration>,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("capture", &self.capture).field("is_logged", &self.log.is_some()).finish()
    }
}

impl Output {
    /// Adds bytes that came from `stream`.
    pub async fn write(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        self.capture.push(bytes);
        if let Some(log) = &mut self.log {
            log.write_all(bytes)?;
        }
        if let Some(tap) = &self.tap
            && tap.send((stream, bytes.to_vec())).await.is_err()
        {
            self.tap = None;
        }
        Ok(())
    }
}

/// What a command reads.
#[derive(Debug, Default)]
pub struct Input {
    pub bytes: VecDeque<u8>,
    /// Whatever comes here follows; the end of the channel is the end of the input.
    pub more: Option<mpsc::UnboundedReceiver<Vec<u8>>>,
}

impl Input {
    /// The next bytes; none at the end.
    pub async fn next(&mut self, at_most: usize) -> Option<Vec<u8>> {
        while self.bytes.is_empty() {
            self.bytes.extend(self.more.as_mut()?.recv().await?);
        }
        let length = self.bytes.len().min(at_most);
        Some(self.bytes.drain(..length).collect())
    }
}

impl From<Vec<u8>> for Input {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into(), more: None }
    }
}

/// The standard streams of a command.
#[derive(Debug, Default)]
pub struct Stdio {
    /// Given to the command, then closed.
    pub stdin: Input,
    pub stdout: Output,
    pub stderr: Output,
}

/// A finished command whose output was kept.
#[derive(Debug)]
pub struct Captured {
    pub exit: Exit,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// Runs a command to its end, then ends what it left running in its group. Dropping the future ends all of it.
///
/// # Errors
/// The program could not be started, or its log could not be written.
pub async fn run(command: &Command, stdio: &mut Stdio) -> io::Result<Exit> {
    let mut child = spawn(command)?;
    let group = Group::of(&child);
    let exit = drive(&mut child, stdio).await;
    drop(group);
    exit.map_err(unkept)
}

/// Runs a command to its end and keeps the first and last MiB of its output. What it started in the background and left
/// running goes on: that may be the sandbox itself. Dropping the future ends all of it.
///
/// # Errors
/// The program could not be started.
pub async fn capture(command: &Command, stdin: Vec<u8>) -> io::Result<Captured> {
    let mut child = spawn(command)?;
    let group = Group::of(&child);
    let mut stdio = Stdio { stdin: stdin.into(), ..Stdio::default() };
    let exit = drive(&mut child, &mut stdio).await.map_err(unkept)?;
    group.release();
    Ok(Captured { exit, stdout: stdio.stdout.capture.into_bytes(), stderr: stdio.stderr.capture.into_bytes() })
}

/// The file of a program by the search path of this process, whatever that of the command says: whoever was granted a program
/// by its name meant that one.
fn find(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return None;
    }
    let is_program = |path: &PathBuf| {
        std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(program)).find(is_program)
}

pub(super) fn spawn(command: &Command) -> io::Result<Child> {
    let Some((program, arguments)) = command.argv.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"));
    };
    let mut process = tokio::process::Command::new(program);
    if let Environment::Only(names) = &command.environment {
        if let Some(found) = find(program) {
            process = tokio::process::Command::new(found);
            process.arg0(program);
        }
        process.env_clear().envs(names.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    }
    again::forget(&mut process);
    process
        .args(arguments)
        .envs(command.env.iter().map(|(name, value)| (name, value)))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true);
    if let Some(cwd) = &command.cwd {
        process.current_dir(cwd);
    }
    in_own_session(&mut process);
    process.spawn()
}

/// A group alone would still belong to the terminal of whoever started us: reading from that, or changing its settings, stops a
/// process of any other group than the terminal's own, and nobody would let it go on. In a session of its own it has no terminal. Its
/// group has the number of the process, as with `process_group(0)`.
fn in_own_session(process: &mut tokio::process::Command) {
    // SAFETY: between fork and exec only what is safe in a signal handler may be called, since another thread may hold any lock.
    // setsid(2) is, and the number that it fails with becomes an error without allocating anything. It needs nothing of this process's
    // memory.
    #[expect(unsafe_code, reason = "the standard library has no safe way to start a process in a new session")]
    unsafe {
        process.pre_exec(|| nix::unistd::setsid().map(drop).map_err(io::Error::from));
    }
}

/// The program was started, and ended early: there is nowhere for what it says to go.
fn unkept(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("its output cannot be kept: {error}"))
}

async fn drive(child: &mut Child, stdio: &mut Stdio) -> io::Result<Exit> {
    let feed = feed(child.stdin.take(), std::mem::take(&mut stdio.stdin));
    let stdout = pump(child.stdout.take(), Stream::Stdout, &mut stdio.stdout);
    let stderr = pump(child.stderr.take(), Stream::Stderr, &mut stdio.stderr);
    let pumps = async { tokio::try_join!(stdout, stderr) };
    tokio::pin!(feed, pumps);
    let (mut fed, mut drained) = (false, false);
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            () = &mut feed, if !fed => fed = true,
            result = &mut pumps, if !drained => {
                result?;
                drained = true;
            }
        }
    };
    if !drained && let Ok(result) = tokio::time::timeout(DRAIN, pumps).await {
        result?;
    }
    Ok(status.into())
}

async fn feed(stdin: Option<ChildStdin>, mut input: Input) {
    let Some(mut stdin) = stdin else { return };
    while let Some(bytes) = input.next(PIECE).await {
        // A command that does not read its input is no error; whether it did its work shows in its results.
        if stdin.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn pump(pipe: Option<impl AsyncRead + Unpin>, stream: Stream, output: &mut Output) -> io::Result<()> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    let mut buffer = vec![0; PIECE];
    loop {
        let length = pipe.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        output.write(stream, &buffer[..length]).await?;
        if let Some(pause) = output.gather.filter(|_| length < AT_ONCE) {
            tokio::time::sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn sh(line: &str) -> Command {
        Command { argv: ["sh", "-c", line].map(String::from).to_vec(), ..Command::default() }
    }

    #[tokio::test]
    async fn gives_exit_and_both_streams() {
        let captured = capture(&sh("cat; echo no >&2; exit 3"), b"in".to_vec()).await.unwrap();
        assert_eq!(captured.exit, Exit::Code(3));
        assert_eq!((captured.stdout, captured.stderr), (b"in".to_vec(), b"no\n".to_vec()));
    }

    #[tokio::test]
    async fn finds_only_the_variables_that_it_may() {
        let environment = Environment::Only(vec!["PATH".into(), "NO_SUCH_VARIABLE".into()]);
        let env = vec![("GIVEN".into(), "x".into())];
        let command =
            Command { env, environment, ..sh("env | cut -d= -f1 | grep -v '^PWD$\\|^_$\\|^SHLVL$\\|^OLDPWD$'") };
        let captured = capture(&command, Vec::new()).await.unwrap();
        let mut names: Vec<_> = std::str::from_utf8(&captured.stdout).unwrap().lines().collect();
        names.sort_unstable();
        assert_eq!(names, ["GIVEN", "PATH"]);
    }

    #[tokio::test]
    async fn says_which_signal_ended_it() {
        assert_eq!(run(&sh("kill -9 $$"), &mut Stdio::default()).await.unwrap(), Exit::Signal(9));
    }

    #[tokio::test]
    async fn each_is_in_a_session_of_its_own() {
        // The shell is the leader, and has no terminal that it could be stopped by.
        let captured = capture(&sh("echo $$; ps -o sid= -o pgid= -p $$; : </dev/tty"), Vec::new()).await.unwrap();
        let said = String::from_utf8(captured.stdout).unwrap();
        let numbers: Vec<_> = said.split_whitespace().collect();
        assert!(matches!(numbers[..], [own, session, group] if own == session && own == group), "{said}");
        assert_ne!(captured.exit, Exit::Code(0), "there is no terminal");
    }

    #[tokio::test]
    async fn does_not_wait_for_what_was_left_running() {
        let started = Instant::now();
        let mut stdio = Stdio::default();
        assert_eq!(run(&sh("sleep 600 & echo $!"), &mut stdio).await.unwrap(), Exit::Code(0));
        assert!(started.elapsed() < Duration::from_secs(60));
        let left = String::from_utf8(stdio.stdout.capture.into_bytes()).unwrap();
        assert!(ends_soon(left.trim()).await, "process {left} still runs");
    }

    #[tokio::test]
    async fn ends_the_group_when_dropped() {
        let scratch = tempfile::tempdir().unwrap();
        let note = scratch.path().join("pid");
        let command = sh(&format!("sleep 600 & echo $! > {}; wait", note.display()));
        let cancelled = tokio::time::timeout(Duration::from_millis(500), run(&command, &mut Stdio::default())).await;
        assert!(cancelled.is_err());
        let left = std::fs::read_to_string(note).unwrap();
        assert!(ends_soon(left.trim()).await, "process {left} still runs");
    }

    async fn ends_soon(process: &str) -> bool {
        let process = nix::unistd::Pid::from_raw(process.parse().unwrap());
        for _ in 0..500 {
            let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            if nix::sys::signal::kill(process, None).is_err() || state.contains(") Z ") {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }
}
