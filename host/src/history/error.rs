//! Why the history is not to be had.

use std::path::PathBuf;

/// What went wrong with the file of the history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("cannot {action} {}: {source}", .path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("cannot use {}: {source}", .path.display())]
    Database { path: PathBuf, source: rusqlite::Error },
    /// Whatever it is, it is left as it is.
    #[error(
        "{} is no history of offload, so it is left as it is: remove it, or name another file by `path` in [history]", .path.display()
    )]
    Foreign { path: PathBuf },
    /// The file is whole, so it is left alone.
    #[error("{} was written by a newer offload (its version is {found}, this one knows {known})", .path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
}
