//! Where a run keeps what it brings back from sandboxes, until it has read it.

use std::io;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::model::RunId;

const PREFIX: &str = "offload-results-";

/// A directory that goes with the run.
pub(super) fn make(run_id: &RunId) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(&format!("{PREFIX}{run_id}-")).tempdir()
}

/// The directories of all runs, with the runs' ids: of one that was killed its own stays.
pub fn left() -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return Vec::new() };
    let of_run = |path: PathBuf| {
        let name = path.file_name()?.to_str()?;
        let (run_id, _random) = name.strip_prefix(PREFIX)?.rsplit_once('-')?;
        Some((run_id.to_owned(), path))
    };
    entries.flatten().filter_map(|entry| of_run(entry.path())).collect()
}
