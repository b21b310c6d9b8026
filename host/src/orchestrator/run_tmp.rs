//! A temporary directory that all sandboxes of a run on this machine share, and that goes with the run. Whatever they make once a
//! run, and lock meanwhile, lies there; so do the temporary directories that each of them has for itself.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::model::{Failure, RunId};

/// The variable by which tests know it.
pub(super) const VARIABLE: &str = "OFFLOAD_RUN_TMP";

/// With six letters more it is the directory's name. Short, since tests make sockets some directories below, and the path of a socket
/// has room for 108 bytes, on macOS for 104.
const PREFIX: &str = "ofl-";

/// The file in it that tells whose it is.
const LABEL: &str = ".offload-run";

/// A label is never longer.
const LONGEST_LABEL: u64 = 256;

/// How often its removal is tried: what was killed just now may have been about to write a file.
const TRIES: usize = 5;

pub(super) struct RunTmp(TempDir);

impl RunTmp {
    /// Makes it in the temporary directory, or in `/tmp` where that lies inside of `copied`, which is copied as a whole.
    pub(super) fn make(run_id: &RunId, copied: Option<&Path>) -> io::Result<Self> {
        let mut base = std::env::temp_dir().canonicalize()?;
        if copied.and_then(|tree| tree.canonicalize().ok()).is_some_and(|tree| base.starts_with(tree)) {
            base = PathBuf::from("/tmp");
        }
        let made =
            tempfile::Builder::new().prefix(PREFIX).permissions(Permissions::from_mode(0o700)).tempdir_in(base)?;
        fs::write(made.path().join(LABEL), run_id.as_str())?;
        Ok(Self(made))
    }

    /// Its path, where variables can hold it.
    pub(super) fn text(&self) -> Option<&str> {
        self.0.path().to_str()
    }

    /// Removes it, with whatever tests have left in it. May be broken off and called again.
    pub(super) async fn remove(&self) -> Result<(), Failure> {
        let path = self.0.path().to_owned();
        let shown = path.display().to_string();
        let removed = tokio::task::spawn_blocking(move || remove(&path)).await;
        removed.unwrap_or(Ok(())).map_err(|error| {
            Failure::new("tmp-left", format!("the run's temporary directory {shown} could not be removed: {error}"))
        })
    }
}

/// Those of all runs, with the runs' ids: of a run that was killed it stays.
pub fn left() -> Vec<(String, PathBuf)> {
    let mut bases: Vec<_> =
        [std::env::temp_dir(), PathBuf::from("/tmp")].into_iter().filter_map(|base| base.canonicalize().ok()).collect();
    bases.dedup();
    let entries = bases.into_iter().filter_map(|base| fs::read_dir(base).ok()).flat_map(Iterator::flatten);
    entries.filter_map(|entry| Some((labelled(&entry.path())?, entry.path()))).collect()
}

/// The run of a directory that is one of ours.
fn labelled(path: &Path) -> Option<String> {
    path.file_name()?.to_str()?.strip_prefix(PREFIX)?;
    let is_mine = |metadata: &fs::Metadata| metadata.uid() == nix::unistd::geteuid().as_raw();
    path.symlink_metadata().ok().filter(|metadata| metadata.is_dir() && is_mine(metadata))?;
    let label = path.join(LABEL);
    label.symlink_metadata().ok().filter(|metadata| metadata.is_file() && metadata.len() < LONGEST_LABEL)?;
    fs::read_to_string(label).ok()
}

/// Removes a directory with all that is in it, also what may not be written to.
///
/// # Errors
/// Something in it is not ours to remove.
pub fn remove(path: &Path) -> io::Result<()> {
    let mut tries = 1;
    loop {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.exists() => return Ok(()),
            Err(_) if tries < TRIES => {
                open_up(path);
                std::thread::sleep(Duration::from_millis(20));
                tries += 1;
            }
            removed => return removed,
        }
    }
}

/// Lets us remove what tests have protected. What cannot be changed shows when it is removed.
fn open_up(directory: &Path) {
    let Ok(metadata) = directory.symlink_metadata() else { return };
    if !metadata.is_dir() {
        return;
    }
    let _ = fs::set_permissions(directory, Permissions::from_mode(metadata.mode() | 0o700));
    let Ok(entries) = fs::read_dir(directory) else { return };
    entries.flatten().for_each(|entry| open_up(&entry.path()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_short_private_and_known_by_its_run() {
        let run = RunId::new("20260101-000000-abcdef".to_owned());
        let tmp = RunTmp::make(&run, None).unwrap();
        let path = tmp.0.path().to_owned();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(path.file_name().unwrap().len(), 10);
        assert!(left().contains(&(run.as_str().to_owned(), path.clone())));
        fs::create_dir_all(path.join("locked/deep")).unwrap();
        for directory in ["locked/deep", "locked"] {
            fs::set_permissions(path.join(directory), Permissions::from_mode(0o500)).unwrap();
        }
        tmp.remove().await.unwrap();
        assert!(!path.exists());
        // As after a removal that was broken off.
        tmp.remove().await.unwrap();
    }

    #[test]
    fn it_is_never_inside_of_what_is_copied() {
        let run = RunId::new("r1".to_owned());
        let tree = std::env::temp_dir();
        let inside = RunTmp::make(&run, Some(Path::new("/"))).unwrap();
        assert!(inside.0.path().starts_with("/tmp"));
        let beside = RunTmp::make(&run, Some(&tree.join("no-such-tree"))).unwrap();
        assert!(beside.0.path().starts_with(tree.canonicalize().unwrap()));
    }

    #[test]
    fn nothing_of_others_is_taken_for_one() {
        let place = tempfile::tempdir().unwrap();
        let named = place.path().join("ofl-abcdef");
        fs::create_dir(&named).unwrap();
        assert_eq!(labelled(&named), None);
        std::os::unix::fs::symlink("/etc/hostname", named.join(LABEL)).unwrap();
        assert_eq!(labelled(&named), None);
        let other = place.path().join("other");
        fs::create_dir(&other).unwrap();
        fs::write(other.join(LABEL), "r1").unwrap();
        assert_eq!(labelled(&other), None);
    }
}
