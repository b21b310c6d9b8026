//! Which runs of this user on this machine are under way, and which ended without having cleared up: a run that does not know
//! that it was killed cannot say so itself.
//!
//! Each run has a file of its name that it holds a lock on. The system releases the lock of whoever dies, and a run that has
//! destroyed all its sandboxes removes the file.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::RunId;
use crate::user_folder;

/// Nobody asks after runs that ended so long ago.
const MEMORY: Duration = Duration::from_secs(90 * 24 * 3600);

/// A run that is under way.
#[derive(Debug)]
pub struct Presence {
    path: PathBuf,
    _locked: File,
}

/// What this machine knows of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    UnderWay,
    /// It ended and may have left something behind.
    Ended,
    /// It was none of this user's on this machine, or left nothing behind.
    Nothing,
}

impl Presence {
    /// Says that a run is under way. Where that cannot be written down, nobody will know.
    pub fn announce(run_id: &RunId) -> Option<Self> {
        let folder = folder()?;
        let announced = Self::announce_in(&folder, run_id);
        announced.inspect_err(|error| tracing::debug!("{}: {error}", folder.display())).ok()
    }

    fn announce_in(folder: &Path, run_id: &RunId) -> std::io::Result<Self> {
        fs::create_dir_all(folder)?;
        forget_old(folder);
        let path = folder.join(run_id.as_str());
        // Nobody else finds it before it is locked.
        let hidden = folder.join(format!(".{run_id}"));
        let mut locked = File::create_new(&hidden)?;
        let announced = locked
            .lock()
            .and_then(|()| locked.write_all(this_machine().as_bytes()))
            .and_then(|()| fs::rename(&hidden, &path));
        if let Err(error) = announced {
            // A run that nobody could see alive must not be taken for a dead one.
            let _ = fs::remove_file(&hidden);
            return Err(error);
        }
        Ok(Self { path, _locked: locked })
    }

    /// Says that the run has left nothing behind.
    pub fn cleared(self) {
        // One that stays says less than the truth, and nothing wrong.
        let _ = fs::remove_file(&self.path);
    }
}

/// What is known of a run.
pub fn of(run_id: &str) -> Known {
    folder().map_or(Known::Nothing, |folder| of_in(&folder, run_id))
}

/// Forgets a run that ended: what it had left behind is gone.
pub fn forget(run_id: &str) {
    if let Some(folder) = folder()
        && of_in(&folder, run_id) == Known::Ended
    {
        // As above.
        let _ = fs::remove_file(folder.join(run_id));
    }
}

fn of_in(folder: &Path, run_id: &str) -> Known {
    // An engine may say anything: only names of ours are looked for.
    let is_name = run_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let Some(mut file) = File::open(folder.join(run_id)).ok().filter(|_| is_name) else { return Known::Nothing };
    let locked = file.try_lock_shared();
    let mut machine = String::new();
    match locked {
        Err(TryLockError::WouldBlock) => Known::UnderWay,
        // Homes are shared, and locks may hold on one machine only.
        Ok(()) if file.read_to_string(&mut machine).is_ok() && machine == this_machine() => Known::Ended,
        _ => Known::Nothing,
    }
}

fn this_machine() -> String {
    nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn folder() -> Option<PathBuf> {
    Some(user_folder::caches()?.join("runs"))
}

fn forget_old(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > MEMORY));
        if is_old {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_known_until_it_has_cleared_up() {
        let folder = tempfile::tempdir().expect("a directory");
        let at = |run: &str| of_in(folder.path(), run);
        let first = Presence::announce_in(folder.path(), &RunId::new("r1".to_owned())).expect("announced");
        let second = Presence::announce_in(folder.path(), &RunId::new("r2".to_owned())).expect("announced");
        assert_eq!((at("r1"), at("r2"), at("r3")), (Known::UnderWay, Known::UnderWay, Known::Nothing));
        first.cleared();
        // As if it had been killed.
        drop(second);
        assert_eq!((at("r1"), at("r2")), (Known::Nothing, Known::Ended));
    }

    #[test]
    fn a_run_of_another_machine_is_none_of_ours() {
        let folder = tempfile::tempdir().expect("a directory");
        fs::write(folder.path().join("r1"), "elsewhere").expect("a file");
        assert_eq!(of_in(folder.path(), "r1"), Known::Nothing);
    }

    #[test]
    fn names_that_no_run_has_are_not_looked_for() {
        let folder = tempfile::tempdir().expect("a directory");
        fs::write(folder.path().join("file"), "").expect("a file");
        let inside = folder.path().join("runs");
        fs::create_dir(&inside).expect("a directory");
        assert_eq!(of_in(&inside, "../file"), Known::Nothing);
        assert_eq!(of_in(&inside, ""), Known::Nothing);
    }
}
