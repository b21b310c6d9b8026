//! Short ways to say what components say most.

use crate::excerpt::last_lines;
use crate::framework::{FinishedRun, RunPlan};
use crate::process;
use crate::types::{Captured, Command, Exit, Failure, Found, Outcome, Test};

/// How much of a program's standard error is shown: its last lines say what went wrong.
const COMPLAINT_BYTES: usize = 2048;

/// The same of one that reports on many files, such as a compiler.
const REPORT_BYTES: usize = 8192;

impl Captured {
    /// What a program said when it did not do what it was asked: the end of its standard error, or how it ended if it
    /// said nothing.
    pub fn complaint(&self) -> String {
        match (last_lines(&self.stderr, COMPLAINT_BYTES), self.exit) {
            (said, _) if !said.is_empty() => said,
            (_, Exit::Code(code)) => format!("exit code {code}"),
            (_, Exit::Signal(signal)) => format!("signal {signal}"),
        }
    }

    /// The end of a message about a program that said much about why it failed: its words on lines of their own, or that there
    /// are none.
    pub fn report(&self) -> String {
        match last_lines(&self.stderr, REPORT_BYTES) {
            said if said.is_empty() => " and said nothing".to_owned(),
            said => format!(":\n{said}"),
        }
    }
}

impl Command {
    /// A program with its arguments, in the directory and with the variables that the place of execution has.
    pub fn new<I>(argv: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self { argv: argv.into_iter().map(Into::into).collect(), env: Vec::new(), cwd: None }
    }

    /// A script for `sh` with its arguments, `$1` and so on: nothing in them is ever read as shell text.
    pub fn script<'a>(script: &'a str, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(["sh", "-c", script, "offload"].into_iter().chain(arguments))
    }

    /// Runs it on the host, to its end; for providers, and short commands.
    ///
    /// # Errors
    /// It could not be started.
    pub fn capture(&self) -> Result<Captured, Failure> {
        process::capture(self, &[])
    }
}

impl Failure {
    /// A failure that would only happen again. `message` is one lowercase sentence without a full stop.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), help: None, retryable: false }
    }

    /// Says what the person can do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says that the same call may succeed when it is made again.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }
}

impl Outcome {
    /// An outcome of which nothing more is known: see [`Outcome::status`] for the words.
    pub fn new(id: impl Into<String>, status: &str) -> Self {
        Self {
            id: id.into(),
            status: status.to_owned(),
            duration: 0.0,
            message: None,
            details: None,
            stdout: None,
            stderr: None,
            properties: Vec::new(),
            name: None,
            classname: None,
            file: None,
        }
    }

    /// Says in one line why.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }
}

impl Found {
    /// These tests and nothing else.
    pub fn new(tests: Vec<Test>) -> Self {
        Self { tests, problems: Vec::new(), max_failures: None, deselected: Vec::new(), memo: None }
    }
}

impl RunPlan {
    /// A command that reads nothing and leaves no files that anybody wants.
    pub fn new(command: Command) -> Self {
        Self { command, stdin: Vec::new(), result_files: Vec::new() }
    }
}

impl FinishedRun {
    /// What is in the result file of this path; nothing where there is no such file.
    pub fn contents(&self, path: &str) -> Option<&[u8]> {
        self.files.iter().find(|file| file.path == path)?.contents.as_deref()
    }
}

impl Test {
    /// A test of which only the id is known.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            unit: None,
            file: None,
            line: None,
            name: None,
            classname: None,
            tags: Vec::new(),
            skipped: false,
            stage: 0,
        }
    }
}
