//! Files that tests leave in their sandboxes and that people want to keep.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::Mutex;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::config::ArtifactGlob;
use crate::model::Failure;
use crate::process::{Command, Exit, Output, Stdio};
use crate::provider::Sandbox;

/// What is kept of one sandbox at most.
const MOST: usize = 10_000;

/// How many files are brought by one call of a provider.
const AT_ONCE: usize = 100;

/// How many sandboxes are asked at once.
const SANDBOXES: usize = 16;

/// By this file the directory is known to be offload's own.
const OURS: &str = ".offload-artifacts";

/// Prints the working directory and the files below what is named, each with NUL behind it.
const LIST: &str = r#"
printf '%s\0' "$(pwd -P)"
for root do
    if [ -e "$root" ]; then find "$root" -type f -print0; fi
done
"#;

/// Which files of sandboxes are kept, and where.
#[derive(Clone)]
pub(super) struct Artifacts {
    globs: Vec<ArtifactGlob>,
    to: PathBuf,
    /// Where lists of files go until they are read.
    scratch: PathBuf,
    since: SystemTime,
    /// Directories of this machine that sandboxes share.
    seen: Arc<std::sync::Mutex<HashSet<Vec<u8>>>>,
}

/// What became of it.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) files: usize,
    pub(super) failures: Vec<Failure>,
}

impl Artifacts {
    /// Nothing if nothing is to be kept. What an earlier run kept there is removed.
    pub(super) fn of(globs: &[ArtifactGlob], output_dir: &Path, scratch: &Path) -> Option<Self> {
        if globs.is_empty() {
            return None;
        }
        let to = output_dir.join("artifacts");
        if to.join(OURS).is_file() {
            // What stays is seen where a file of this run cannot be written.
            let _ = fs::remove_dir_all(&to);
        }
        Some(Self {
            globs: globs.to_vec(),
            to,
            scratch: scratch.to_owned(),
            since: SystemTime::now(),
            seen: Arc::default(),
        })
    }

    /// Where the files are, each below the name of its sandbox.
    pub(super) fn directory(&self) -> &Path {
        &self.to
    }

    /// Brings them from these sandboxes, which rest.
    pub(super) async fn gather(&self, sandboxes: Vec<Sandbox>) -> Gathered {
        let mut gathered = Gathered::default();
        let mut waiting = sandboxes.into_iter();
        let mut tasks = JoinSet::new();
        loop {
            while tasks.len() < SANDBOXES
                && let Some(sandbox) = waiting.next()
            {
                let artifacts = self.clone();
                tasks.spawn(async move { artifacts.of_one(&sandbox).await });
            }
            match tasks.join_next().await {
                None => return gathered,
                Some(Ok(Ok(of_one))) => {
                    gathered.files += of_one.files;
                    gathered.failures.extend(of_one.failures);
                }
                Some(Ok(Err(failure))) => gathered.failures.push(failure),
                // It was ended with the run.
                Some(Err(_)) => {}
            }
        }
    }

    async fn of_one(&self, sandbox: &Sandbox) -> Result<Gathered, Failure> {
        let listed = self.list(sandbox).await?;
        let mut words = listed.split(|byte| *byte == 0);
        let directory = words.next().unwrap_or_default();
        if sandbox.is_this_machine() && !self.is_first(directory) {
            return Ok(Gathered::default());
        }
        let to = self.to.join(sandbox.name().as_str());
        let is_wanted = |path: &str| self.globs.iter().any(|glob| glob.matches(path));
        let (paths, nameless): (Vec<_>, Vec<_>) = words.partition(|path| std::str::from_utf8(path).is_ok());
        // Providers are asked for files by names that are text.
        let mut nameless = nameless.into_iter().map(String::from_utf8_lossy);
        let nameless = nameless.find(|path| below(path).is_some_and(is_wanted));
        let paths = paths.into_iter().filter_map(|path| std::str::from_utf8(path).ok()).filter_map(below);
        let wanted = paths.filter(|path| is_wanted(path));
        let is_fresh = |path: &&str| !sandbox.is_this_machine() || self.is_fresh(directory, path);
        let files: HashSet<&str> = wanted.filter(is_fresh).take(MOST + 1).collect();
        if files.len() > MOST {
            let message = format!("more than {MOST} files of {} match `artifacts`: none is kept", sandbox.name());
            return Err(Failure::new("too-many-artifacts", message).with_help("make the patterns match less"));
        }
        if !files.is_empty() {
            let made = fs::create_dir_all(&self.to).and_then(|()| fs::write(self.to.join(OURS), ""));
            made.map_err(|error| unwritable(&self.to, &error))?;
        }
        let pairs: Vec<_> = files.into_iter().map(|path| (path.to_owned(), to.join(path))).collect();
        for (_, local) in &pairs {
            let folder = local.parent().unwrap_or(&to);
            fs::create_dir_all(folder).and_then(|()| self.stays(local, folder)).map_err(|e| unwritable(folder, &e))?;
        }
        for some in pairs.chunks(AT_ONCE) {
            let some: Vec<_> = some.iter().map(|(remote, local)| (remote.clone(), local.as_path())).collect();
            sandbox.download(&some).await?;
        }
        let missing: Vec<_> =
            pairs.iter().filter(|(_, local)| !local.exists()).map(|(path, _)| path.as_str()).collect();
        let (count, name) = (missing.len(), sandbox.name());
        let mut failures = Vec::new();
        if let Some(first) = missing.first() {
            let message = format!("artifacts of {name} could not be brought: {count}, {first} among them");
            failures.push(Failure::new("artifacts-failed", message));
        }
        if let Some(path) = nameless {
            let message =
                format!("artifacts of {name} are left there, since their names are not UTF-8, such as {path}");
            failures.push(Failure::new("artifacts-failed", message));
        }
        Ok(Gathered { files: pairs.len() - count, failures })
    }

    /// A repository may have brought links: nothing is written by them.
    fn stays(&self, local: &Path, folder: &Path) -> io::Result<()> {
        let named = folder.strip_prefix(&self.to).map_err(io::Error::other)?;
        let is_link = fs::symlink_metadata(local).is_ok_and(|metadata| metadata.is_symlink());
        if is_link || folder.canonicalize()? != self.to.canonicalize()?.join(named) || self.to.is_symlink() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "a link leads elsewhere"));
        }
        Ok(())
    }

    async fn list(&self, sandbox: &Sandbox) -> Result<Vec<u8>, Failure> {
        let failed = |why: String| {
            Failure::new("artifacts-failed", format!("cannot list the artifacts of {}: {why}", sandbox.name()))
        };
        let list = self.scratch.join(format!("artifacts-{}", sandbox.name()));
        let log = File::create(&list).map_err(|error| failed(error.to_string()))?;
        let stdout = Output { log: Some(Box::new(log)), ..Output::default() };
        let stdio = Arc::new(Mutex::new(Stdio { stdout, ..Stdio::default() }));
        let roots: HashSet<_> = self.globs.iter().map(ArtifactGlob::root).collect();
        let argv = ["sh", "-c", LIST, "offload"].map(str::to_owned).into_iter().chain(roots).collect();
        let exec_id = Uuid::new_v4().simple().to_string();
        let exit = sandbox.exec(&exec_id, &Command { argv, ..Command::default() }, stdio.clone()).await?;
        if exit != Exit::Code(0) {
            let said = std::mem::take(&mut stdio.lock().await.stderr.capture).into_bytes();
            return Err(failed(String::from_utf8_lossy(&said).trim().to_owned()));
        }
        fs::read(&list).map_err(|error| failed(error.to_string()))
    }

    fn is_first(&self, directory: &[u8]) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        seen.insert(directory.to_owned())
    }

    /// Whether this run wrote the file: a directory of this machine has those of earlier runs as well, and logs of ours.
    fn is_fresh(&self, directory: &[u8], path: &str) -> bool {
        let file = Path::new(&*String::from_utf8_lossy(directory)).join(path);
        // `output_dir` may be a symbolic link, or lie behind one.
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let ours = [Some(self.to.clone()), self.to.parent().map(|output_dir| output_dir.join("logs"))];
        let place = real(&file);
        let ours = ours.iter().flatten().any(|directory| place.starts_with(real(directory)));
        let modified = file.metadata().and_then(|metadata| metadata.modified());
        !ours && modified.is_ok_and(|modified| modified >= self.since)
    }
}

fn unwritable(folder: &Path, error: &io::Error) -> Failure {
    Failure::new("unwritable", format!("cannot make {}: {error}", folder.display()))
        .with_help("make room, or change `output_dir`")
}

/// The path as the working directory sees it. A sandbox may print anything: what leads out of there is left out.
fn below(path: &str) -> Option<&str> {
    let path = path.strip_prefix("./")?;
    let stays = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    (stays && !path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_of_ours_are_left_out_behind_links_too() {
        let place = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(place.path().join("real/logs")).expect("directories");
        std::os::unix::fs::symlink("real", place.path().join("linked")).expect("a link");
        let glob = ArtifactGlob::new("**/*").expect("a pattern");
        let artifacts = Artifacts::of(&[glob], &place.path().join("linked"), place.path()).expect("some are wanted");
        // Times of files are coarse.
        std::thread::sleep(std::time::Duration::from_millis(50));
        for path in ["real/logs/local-1-1.stdout", "real/picture.png"] {
            fs::write(place.path().join(path), "").expect("a file");
        }
        let is_fresh = |path: &str| artifacts.is_fresh(place.path().as_os_str().as_encoded_bytes(), path);
        assert!(!is_fresh("real/logs/local-1-1.stdout"));
        assert!(is_fresh("real/picture.png"));
    }

    #[test]
    fn paths_that_lead_out_are_left_out() {
        assert_eq!(below("./a/b c"), Some("a/b c"));
        for path in ["", "./", "/etc/passwd", "../x", "./../x", "./a/../../x", "a"] {
            assert_eq!(below(path), None, "{path}");
        }
    }
}
