//! One try at one test.

use serde::{Deserialize, Serialize};

use super::{AttemptNumber, SandboxName};

/// How one attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Passed,
    Failed,
    /// Set-up, tear-down or collection failed, or the result could not be had.
    Error,
    Skipped,
    #[serde(rename = "xfailed")]
    XFailed,
    #[serde(rename = "xpassed")]
    XPassed,
    /// The test's process died under it.
    Crashed,
    TimedOut,
}

impl Status {
    /// Whether this attempt speaks against the test.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Error | Self::Crashed | Self::TimedOut)
    }

    /// Whether another attempt may give another answer. A test that overran once would only overrun again.
    pub fn is_retried(self) -> bool {
        self.is_failure() && self != Self::TimedOut
    }
}

/// What one attempt gave, however it was found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub status: Status,
    /// Seconds.
    pub duration: f64,
    /// One line: the assertion, the reason of a skip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The traceback or diff in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<(String, String)>,
    /// As the framework's own JUnit says, where only the run could tell; absent means what discovery said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classname: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

impl Outcome {
    /// An outcome of which nothing more is known.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            status,
            duration: 0.0,
            message: Some(message.into()),
            details: None,
            stdout: None,
            stderr: None,
            properties: Vec::new(),
            name: None,
            classname: None,
            file: None,
        }
    }
}

/// An attempt that counts: it ended by the test's own doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counts from 1 for each test.
    pub number: AttemptNumber,
    /// Absent for what discovery itself reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxName>,
    /// Where its process's output is: a path in the output directory, to which `.stdout` and `.stderr` are added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    #[serde(flatten)]
    pub outcome: Outcome,
}
