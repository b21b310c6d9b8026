//! What a run of the binary said and left.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::{Junit, Project, Results};

/// `offload`, ended by itself.
pub struct Finished {
    pub command: String,
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
    /// Bytes that the program itself held at most; 0 where the system does not tell.
    pub peak_memory: u64,
    /// Where the reports are, unless the configuration names another place.
    pub output_dir: PathBuf,
    /// The reports can be read after the project itself went out of scope.
    _directories: Rc<TempDir>,
}

impl Finished {
    #[track_caller]
    pub(crate) fn new(project: &Project, command: String, status: ExitStatus, stdout: &[u8], stderr: &[u8]) -> Self {
        let (stdout, stderr) =
            (String::from_utf8_lossy(stdout).into_owned(), String::from_utf8_lossy(stderr).into_owned());
        let Some(code) = status.code() else {
            panic!("`{command}` was ended by signal {:?}; it said:\n{stdout}{stderr}", status.signal());
        };
        Self {
            command,
            code,
            stdout,
            stderr,
            took: Duration::ZERO,
            peak_memory: 0,
            output_dir: project.path().join("test-results"),
            _directories: project.keeper(),
        }
    }

    /// The exit code is this one.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "the exit code of `{}`; it said:\n{}", self.command, self.said());
        self
    }

    /// Something that was shown, wherever.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.said().contains(text), "`{}` did not say {text:?}; it said:\n{}", self.command, self.said());
        self
    }

    /// Expects that workers ran the tests. Only one that fails may have been looked at once more, in a process of its own.
    #[track_caller]
    pub fn ran_in_workers(&self) {
        assert!(!self.events_of("worker-started").is_empty(), "{}", self.said());
        assert!(!self.said().contains("runs in batches"), "{}", self.said());
    }

    #[track_caller]
    pub fn does_not_say(self, text: &str) -> Self {
        assert!(!self.said().contains(text), "`{}` said {text:?}:\n{}", self.command, self.said());
        self
    }

    /// Standard output and then standard error.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    #[track_caller]
    pub fn results(&self) -> Results {
        Results::parse(&self.report("results.json"))
    }

    #[track_caller]
    pub fn junit(&self) -> Junit {
        Junit::parse(&self.report("junit.xml"))
    }

    /// Everything that happened, in order.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        self.report("events.jsonl")
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line} is no event: {error}")))
            .collect()
    }

    /// The events of one kind.
    #[track_caller]
    pub fn events_of(&self, kind: &str) -> Vec<Value> {
        self.events().into_iter().filter(|event| event["event"] == kind).collect()
    }

    /// A report's text.
    #[track_caller]
    pub fn report(&self, name: &str) -> String {
        let path = self.output_dir.join(name);
        fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; `{}` said:\n{}", path.display(), self.command, self.said()))
    }

    pub fn has_report(&self, name: &str) -> bool {
        self.output_dir.join(name).exists()
    }

    /// One test's verdict, as results.json has it.
    #[track_caller]
    pub fn verdict(&self, id: &str) -> String {
        self.results().verdict(id).to_owned()
    }
}
