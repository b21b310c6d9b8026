//! One start of the binary, bounded in time and cleaned up after.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::{Finished, Project, engines, leftovers, truth, usage};

/// Every process below the binary inherits it.
pub(crate) const MARKER: &str = "OFFLOAD_E2E_MARKER";
/// No test needs longer unless it says so: what takes this long never ends.
const PATIENCE: Duration = Duration::from_secs(150);
const POLL: Duration = Duration::from_millis(5);

/// How many were started by this test.
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// `offload` about to be started.
pub struct Invocation<'project> {
    project: &'project Project,
    command: Command,
    shown: String,
    patience: Duration,
}

/// `offload` at work.
pub struct Running<'project> {
    project: &'project Project,
    child: Child,
    outputs: [PathBuf; 2],
    shown: String,
    begun: Instant,
    patience: Duration,
    peak_memory: u64,
}

impl<'project> Invocation<'project> {
    pub(crate) fn new(project: &'project Project, arguments: &[&str]) -> Self {
        let program = engines::offload();
        Self::of(project, &program, arguments)
    }

    /// Another program that uses offload, in the same surroundings.
    pub fn of(project: &'project Project, program: &std::path::Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(project.path()).stdin(Stdio::null()).process_group(0);
        // What the surrounding test runner, cargo or a person's shell set is no concern of the program under test.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let foreign = ["NEXTEST", "CARGO_", "PYTEST", "OFFLOAD_", "INSTA_", "RUST_"];
            if foreign.iter().any(|prefix| text.starts_with(prefix)) && text != "CARGO_HOME" {
                command.env_remove(&name);
            }
        }
        for name in [
            "RUSTFLAGS",
            "RUSTC_WRAPPER",
            "VIRTUAL_ENV",
            "PYTHONPATH",
            "NO_COLOR",
            "CI",
            "GITHUB_ACTIONS",
            "LD_LIBRARY_PATH",
        ] {
            command.env_remove(name);
        }
        command
            .env("TMPDIR", project.temporary())
            .env("OFFLOAD_CACHE_DIR", engines::target().join("test-cache"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env(MARKER, leftovers::marker(project));
        let shown = format!("offload {}", arguments.join(" "));
        Self { project, command, shown, patience: PATIENCE }
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    #[must_use]
    pub fn envs<V: AsRef<std::ffi::OsStr>>(mut self, variables: impl IntoIterator<Item = (&'static str, V)>) -> Self {
        self.command.envs(variables);
        self
    }

    /// How long it may take before it is ended and the test fails.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts it and returns at once.
    pub fn start(mut self) -> Running<'project> {
        // One may be at work beside another.
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let outputs = ["stdout", "stderr"].map(|name| self.project.beside().join(format!("{name}-{number}")));
        let into = |path: &PathBuf| File::create(path).expect("a file can be made");
        self.command.stdout(into(&outputs[0])).stderr(into(&outputs[1]));
        let child = self.command.spawn().expect("offload starts");
        Running {
            project: self.project,
            child,
            outputs,
            shown: self.shown,
            begun: Instant::now(),
            patience: self.patience,
            peak_memory: 0,
        }
    }

    /// Runs it to its end and checks what must always hold.
    #[track_caller]
    pub fn finish(self) -> Finished {
        self.start().finish()
    }

    /// Runs it to its end where an earlier one was killed and left things behind.
    #[track_caller]
    pub fn finish_among_leftovers(self) -> Finished {
        self.start().ended()
    }
}

impl Running<'_> {
    /// Sends it a signal, as a terminal or a CI system would.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("offload still runs");
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until something is true of the project, or fails.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, mut holds: impl FnMut() -> bool) {
        while !holds() {
            if let Some(status) = self.poll() {
                panic!("offload ended with {status} before {what}; it said:\n{}", self.said());
            }
            self.check_patience();
            std::thread::sleep(POLL);
        }
    }

    /// Waits for its end and checks what must always hold.
    #[track_caller]
    pub fn finish(self) -> Finished {
        let project = self.project;
        let finished = self.ended();
        leftovers::check(project);
        finished
    }

    /// Ends it in a way that it does not notice.
    pub fn kill(mut self) {
        self.child.kill().expect("offload still runs");
        self.child.wait().expect("offload can be waited for");
    }

    #[track_caller]
    fn ended(mut self) -> Finished {
        let status = loop {
            if let Some(status) = self.poll() {
                break status;
            }
            self.check_patience();
            std::thread::sleep(POLL);
        };
        let [stdout, stderr] = self.outputs.each_ref().map(|path| fs::read(path).expect("the output can be read"));
        let mut finished = Finished::new(self.project, self.shown.clone(), status, &stdout, &stderr);
        finished.took = self.begun.elapsed();
        finished.peak_memory = self.peak_memory;
        truth::check(&finished);
        finished
    }

    fn poll(&mut self) -> Option<ExitStatus> {
        if let Some(kilobytes) = usage::peak_kilobytes(self.child.id()) {
            self.peak_memory = self.peak_memory.max(kilobytes * 1024);
        }
        self.child.try_wait().expect("offload can be waited for")
    }

    #[track_caller]
    fn check_patience(&self) {
        if self.begun.elapsed() > self.patience {
            let _ = killpg(self.pid(), Signal::SIGKILL);
            leftovers::end(self.project);
            panic!("`{}` did not end in {:?}; it said:\n{}", self.shown, self.patience, self.said());
        }
    }

    fn said(&self) -> String {
        self.outputs
            .iter()
            .map(|path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned())
            .collect()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }
}
