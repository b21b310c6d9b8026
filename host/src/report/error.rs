//! A report that could not be written.

use std::{
    borrow::Cow,
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::limits::{self, Reached};

/// Which file could not be written or read, and why. Cheap to clone, as it is both told at once and returned at the end.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot {action} {}: {cause}; {}", path.display(), advice(*action, cause))]
pub struct ReportError {
    action: Action,
    path: PathBuf,
    cause: Arc<io::Error>,
}

impl ReportError {
    pub(super) fn create(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        Self::of(Action::Create, path.into())
    }

    pub(super) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        Self::of(Action::Write, path.into())
    }

    pub(super) fn read(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        Self::of(Action::Read, path.into())
    }

    pub(super) fn remove(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        Self::of(Action::Remove, path.into())
    }

    /// Another run is under way there.
    pub(super) fn taken(path: &Path) -> Self {
        let cause = io::Error::new(io::ErrorKind::ResourceBusy, "another run of offload writes its reports there");
        Self::of(Action::Use, path.to_owned())(cause)
    }

    fn of(action: Action, path: PathBuf) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self { action, path, cause: Arc::new(cause) }
    }
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Create,
    Write,
    Read,
    Remove,
    Use,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create the report directory",
            Self::Write => "write the report",
            Self::Read => "read back the report's data in",
            Self::Remove => "remove the earlier run's",
            Self::Use => "use the report directory",
        })
    }
}

fn advice(action: Action, cause: &io::Error) -> Cow<'static, str> {
    if let Some(Reached { limit, remedy }) = limits::reached(&cause.to_string()) {
        return format!("{limit}: {remedy}").into();
    }
    let advice = match cause.kind() {
        _ if matches!(action, Action::Use) => {
            "wait for its end, or set output_dir in [report] to a place of this run's own"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room on the disk, or set output_dir in [report] to another place"
        }
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "something else has that name: move it away, or set output_dir or junit_file in [report]"
        }
        _ => "make it writable, or set output_dir in [report] to another place",
    };
    advice.into()
}
