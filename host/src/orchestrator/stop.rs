//! Why a run ends before all of its tests have run.

use crate::model::NoticeLevel;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The framework was told to stop after so many failures (`-x`, `--maxfail`).
    MaxFailures,
    /// A test ended the whole test session of its framework on purpose (`pytest.exit`).
    Session,
    /// No sandbox is up and none will be.
    NoSandbox,
    /// Nobody has the tests that are left: a defect of offload, which must not make a run that never ends.
    Lost,
    /// SIGINT, SIGTERM or SIGHUP.
    Signal(u8),
}

impl Stop {
    /// Whether what has begun may come to its end, with its fixtures.
    pub(super) fn is_gentle(self) -> bool {
        matches!(self, Self::MaxFailures | Self::Session)
    }

    pub(super) fn notice(self) -> &'static str {
        match self {
            Self::MaxFailures => "stopping: as many tests failed as the framework's options allow",
            Self::Session => "stopping: the test session was ended from within, so the remaining tests were not run",
            Self::NoSandbox => "stopping: no sandbox could be created, so the remaining tests were not run",
            Self::Lost => "stopping: offload lost track of some tests, which is a defect of offload; they were not run",
            Self::Signal(2) => "interrupted: ending tests and destroying sandboxes; press Ctrl-C again to hurry",
            Self::Signal(1) => "the terminal was closed: ending tests and destroying sandboxes",
            Self::Signal(_) => "terminated: ending tests and destroying sandboxes",
        }
    }

    pub(super) fn level(self) -> NoticeLevel {
        match self {
            Self::MaxFailures | Self::Session => NoticeLevel::Info,
            Self::NoSandbox | Self::Lost => NoticeLevel::Error,
            Self::Signal(_) => NoticeLevel::Warning,
        }
    }
}
