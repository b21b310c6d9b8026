//! Why results cannot be joined.

use std::path::PathBuf;

use crate::report::ReportError;

/// What keeps reports from being joined at all.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    #[error("cannot read {}: {source}; name the output directories of runs, each with its events.jsonl", .path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("line {number} of {} is no event: {source}", .path.display())]
    Line { path: PathBuf, number: usize, source: serde_json::Error },
    #[error("{} does not begin with the start of a run", .0.display())]
    NotARun(PathBuf),
    #[error("{} is one of those that are joined: name another directory with --output-dir", .0.display())]
    Overwrites(PathBuf),
    #[error("{} and {} are the same run", .0.display(), .1.display())]
    Twice(PathBuf, PathBuf),
    #[error(transparent)]
    Report(#[from] ReportError),
}
