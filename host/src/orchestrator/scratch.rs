//! Where a run keeps what it brings back from sandboxes, until it has read it.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::model::RunId;

const PREFIX: &str = "offload-results-";

/// A directory that goes with the run.
pub(super) fn make(run_id: &RunId) -> io::Result<TempDir> {
    // What tests said is in it, before it is masked.
    tempfile::Builder::new().prefix(&format!("{PREFIX}{run_id}-")).permissions(Permissions::from_mode(0o700)).tempdir()
}

/// The directories of all runs, with the runs' ids: of one that was killed its own stays.
pub fn left() -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return Vec::new() };
    let is_mine = |path: &Path| {
        let of = path.symlink_metadata();
        of.is_ok_and(|of| of.is_dir() && of.uid() == nix::unistd::geteuid().as_raw())
    };
    let of_run = |path: PathBuf| {
        let name = path.file_name()?.to_str()?;
        let (run_id, _random) = name.strip_prefix(PREFIX)?.rsplit_once('-')?;
        Some((run_id.to_owned(), path))
    };
    // Anybody may have made something of such a name there.
    entries.flatten().map(|entry| entry.path()).filter(|path| is_mine(path)).filter_map(of_run).collect()
}
