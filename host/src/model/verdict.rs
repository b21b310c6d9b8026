//! What is finally said of a test.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Status;

/// Every discovered test ends in exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Passed,
    /// Failed by itself and then passed by itself.
    Flaky,
    Failed,
    Error,
    Skipped,
    #[serde(rename = "xfailed")]
    XFailed,
    #[serde(rename = "xpassed")]
    XPassed,
    Crashed,
    TimedOut,
    /// The run ended before it had a result.
    NotRun,
}

impl Verdict {
    pub const ALL: [Self; 10] = [
        Self::Passed,
        Self::Flaky,
        Self::Failed,
        Self::Error,
        Self::Crashed,
        Self::TimedOut,
        Self::NotRun,
        Self::Skipped,
        Self::XFailed,
        Self::XPassed,
    ];

    /// The verdict on a test whose last attempt ended so, after `earlier_failures` that did not count as final.
    pub fn from_last(status: Status, earlier_failures: bool) -> Self {
        match status {
            Status::Passed | Status::XPassed | Status::XFailed | Status::Skipped if earlier_failures => Self::Flaky,
            Status::Passed => Self::Passed,
            Status::Failed => Self::Failed,
            Status::Error => Self::Error,
            Status::Skipped => Self::Skipped,
            Status::XFailed => Self::XFailed,
            Status::XPassed => Self::XPassed,
            Status::Crashed => Self::Crashed,
            Status::TimedOut => Self::TimedOut,
        }
    }

    /// Whether the run cannot be called a success with this.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Error | Self::Crashed | Self::TimedOut | Self::NotRun)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Flaky => "flaky",
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Skipped => "skipped",
            Self::XFailed => "xfailed",
            Self::XPassed => "xpassed",
            Self::Crashed => "crashed",
            Self::TimedOut => "timed-out",
            Self::NotRun => "not-run",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
