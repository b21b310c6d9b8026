//! The directory that a run's reports are in.

use std::{
    ffi::OsStr,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::ReportError;
use crate::foreign_file;
use crate::model::{BatchId, SandboxName};

const LOGS: &str = "logs";
const EVENTS: &str = "events.jsonl";

/// The report directory of this run, cleared of what an earlier run left there.
#[derive(Debug)]
pub(super) struct OutputDir {
    path: PathBuf,
    /// The event log, locked for as long as this run may write here.
    events: File,
}

impl OutputDir {
    /// Creates it with `logs/`, and removes an earlier run's files, but nothing that offload did not write. A run that is
    /// under way has the directory to itself: two would mix their reports.
    pub fn prepare(path: &Path, junit: Option<&Path>) -> Result<Self, ReportError> {
        let logs = path.join(LOGS);
        // A repository may have brought links of these names: what they lead to is nobody's report.
        for directory in [path, &logs] {
            foreign_file::create_dir(directory).map_err(ReportError::create(directory))?;
        }
        let events = path.join(EVENTS);
        let locked = foreign_file::create(&events, false).map_err(ReportError::write(&events))?;
        if let Err(TryLockError::WouldBlock) = locked.try_lock() {
            return Err(ReportError::taken(path));
        }
        // Where nothing can be locked, nobody is kept out.
        let output = Self { path: path.to_owned(), events: locked };
        output.events.set_len(0).map_err(ReportError::write(&events))?;
        remove_if_there(&output.results())?;
        if let Some(junit) = junit {
            remove_if_there(junit)?;
        }
        for entry in fs::read_dir(&logs).map_err(ReportError::read(&logs))? {
            let entry = entry.map_err(ReportError::read(&logs))?;
            if is_log_name(&entry.file_name()) {
                remove_if_there(&entry.path())?;
            }
        }
        Ok(output)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn events(&self) -> PathBuf {
        self.path.join(EVENTS)
    }

    /// The empty event log.
    pub fn open_events(&self) -> Result<File, ReportError> {
        self.events.try_clone().map_err(ReportError::write(self.events()))
    }

    pub fn results(&self) -> PathBuf {
        self.path.join("results.json")
    }

    /// Where a batch's output goes, without the extension: as a path to open, and as reports name it.
    pub fn log_stem(&self, sandbox: &SandboxName, batch: BatchId) -> (PathBuf, String) {
        let name = format!("{LOGS}/{sandbox}-{batch}");
        (self.path.join(&name), name)
    }
}

fn remove_if_there(path: &Path) -> Result<(), ReportError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ReportError::remove(path)(error)),
        _ => Ok(()),
    }
}

/// `<sandbox>-<batch>.stdout` or `.stderr`.
fn is_log_name(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let stem = name.strip_suffix(".stdout").or_else(|| name.strip_suffix(".stderr"));
    stem.and_then(|stem| stem.rsplit_once('-'))
        .is_some_and(|(_, batch)| !batch.is_empty() && batch.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_files_go() {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("test-results");
        fs::create_dir_all(dir.join("logs")).unwrap();
        let ours = ["junit.xml", "results.json", "logs/local-1-12.stdout", "logs/local-1-12.stderr"];
        let theirs = ["notes.txt", "logs/build.stdout", "logs/local-1-12.txt", "logs/-.stdout"];
        for file in ours.iter().chain(&theirs).chain(&[EVENTS]) {
            fs::write(dir.join(file), "old").unwrap();
        }

        let output = OutputDir::prepare(&dir, Some(&dir.join("junit.xml"))).unwrap();

        assert!(ours.iter().all(|file| !dir.join(file).exists()));
        assert_eq!(fs::read_to_string(dir.join(EVENTS)).unwrap(), "");
        assert!(theirs.iter().all(|file| dir.join(file).exists()));
        let (path, name) = output.log_stem(&"local-2".into(), BatchId::new(7));
        assert_eq!((path, name.as_str()), (dir.join("logs/local-2-7"), "logs/local-2-7"));
    }

    #[test]
    fn one_run_at_a_time_writes_here() {
        let place = tempfile::tempdir().unwrap();
        let first = OutputDir::prepare(place.path(), None).unwrap();
        fs::write(place.path().join("results.json"), "the first run's").unwrap();

        let error = OutputDir::prepare(place.path(), None).unwrap_err().to_string();
        assert!(error.contains("another run of offload writes its reports there; wait for its end"), "{error}");
        assert!(place.path().join("results.json").exists());

        drop(first);
        OutputDir::prepare(place.path(), None).expect("the first one has ended");
        assert!(!place.path().join("results.json").exists());
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("taken");
        fs::write(&file, "").unwrap();
        let error = OutputDir::prepare(&file, None).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot create the report directory") && error.contains("it is no directory"),
            "{error}"
        );
    }

    /// A repository can bring links.
    #[test]
    fn links_are_not_followed() {
        for (link, named) in [("", "it is a link"), ("logs", "it is a link"), (EVENTS, "it is a link")] {
            let place = tempfile::tempdir().unwrap();
            let elsewhere = place.path().join("elsewhere");
            fs::create_dir(&elsewhere).unwrap();
            fs::write(elsewhere.join("local-1-1.stdout"), "mine").unwrap();
            let dir = place.path().join("results");
            if !link.is_empty() {
                fs::create_dir(&dir).unwrap();
            }
            let to = if link == EVENTS { elsewhere.join("local-1-1.stdout") } else { elsewhere.clone() };
            std::os::unix::fs::symlink(to, if link.is_empty() { dir.clone() } else { dir.join(link) }).unwrap();
            let error = OutputDir::prepare(&dir, None).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
            assert_eq!(fs::read_to_string(elsewhere.join("local-1-1.stdout")).unwrap(), "mine");
        }
    }
}
