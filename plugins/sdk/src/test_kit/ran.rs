//! What a test says that a process did.

use crate::framework::{FinishedRun, ResultFile};
use crate::types::{Captured, Exit, Failure};

/// A process that was not run, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Ran {
    pub(super) output: Result<Captured, Failure>,
    files: Vec<(String, Vec<u8>)>,
}

impl Ran {
    /// It exited with this code.
    pub fn exit(code: i32) -> Self {
        Self::ended(Exit::Code(code))
    }

    /// It was ended by this signal.
    pub fn signal(number: i32) -> Self {
        Self::ended(Exit::Signal(number))
    }

    /// It could not be started: there is no such program.
    pub fn missing() -> Self {
        Self { output: Err(Failure::new("not-started", "there is no such program")), files: Vec::new() }
    }

    /// And it had printed this.
    #[must_use]
    pub fn stdout(mut self, bytes: impl AsRef<[u8]>) -> Self {
        if let Ok(output) = &mut self.output {
            output.stdout.extend_from_slice(bytes.as_ref());
        }
        self
    }

    /// And it had printed this to standard error.
    #[must_use]
    pub fn stderr(mut self, bytes: impl AsRef<[u8]>) -> Self {
        if let Ok(output) = &mut self.output {
            output.stderr.extend_from_slice(bytes.as_ref());
        }
        self
    }

    /// And it had written this file; a framework gets it back if it has asked for it.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>, contents: impl AsRef<[u8]>) -> Self {
        self.files.push((path.into(), contents.as_ref().to_vec()));
        self
    }

    fn ended(exit: Exit) -> Self {
        Self { output: Ok(Captured { exit, stdout: Vec::new(), stderr: Vec::new() }), files: Vec::new() }
    }

    /// As a framework is told of it that asked for these files.
    pub(super) fn finished(self, result_files: Vec<String>) -> Result<FinishedRun, Failure> {
        let Self { output, files } = self;
        let contents = |path: &str| files.iter().find(|(name, _)| name == path).map(|(_, contents)| contents.clone());
        let file = |path: String| ResultFile { contents: contents(&path), path };
        Ok(FinishedRun { output: output?, files: result_files.into_iter().map(file).collect() })
    }
}
