//! What the process says to the one that started it.

use serde::{Serialize, Serializer};

use super::{Summary, Verdict};

/// Exit codes as documented: nothing but "passed, some flaky" is ever 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// 0: all tests passed.
    Success,
    /// 1: some tests failed or weren't run, or the reports are not whole.
    Failure,
    /// 2: all tests passed, but some were flaky.
    Flaky,
    /// 3: no test was found: usage, configuration, a plugin or discovery did not allow it, or there is none.
    NothingFound,
    /// 128 + the signal that ended the run.
    Interrupted(u8),
}

impl ExitCode {
    /// The code of a run that ended by itself.
    pub fn of(summary: &Summary) -> Self {
        if summary.total() == 0 {
            Self::NothingFound
        } else if summary.bad() > 0 {
            Self::Failure
        } else if summary.count(Verdict::Flaky) > 0 {
            Self::Flaky
        } else {
            Self::Success
        }
    }

    /// The code of the same run where its reports could not be written: they are what most users go by.
    pub fn without_reports(self) -> Self {
        match self {
            Self::Success | Self::Flaky => Self::Failure,
            told => told,
        }
    }

    pub fn get(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Flaky => 2,
            Self::NothingFound => 3,
            Self::Interrupted(signal) => 128 + signal,
        }
    }
}

impl Serialize for ExitCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.get())
    }
}
