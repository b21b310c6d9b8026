//! A project of its own for each test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tempfile::TempDir;

use crate::{Finished, Invocation, engines};

/// A directory with files and an `offload.toml`, and a temporary directory in which no run may leave anything.
pub struct Project {
    root: Rc<TempDir>,
}

impl Default for Project {
    fn default() -> Self {
        Self::new()
    }
}

impl Project {
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("e2e-").tempdir().expect("a temporary directory can be made");
        for dir in ["project", "tmp"] {
            fs::create_dir(root.path().join(dir)).expect("a directory can be made");
        }
        Self { root: Rc::new(root) }
    }

    /// A project whose one group is pytest on the files given to [`Project::file`], with the local provider.
    pub fn pytest() -> Self {
        Self::new().config(&pytest_config("", ""))
    }

    /// The same with more keys in `[offload]`, and more in the group's table.
    pub fn pytest_with(offload: &str, group: &str) -> Self {
        Self::new().config(&pytest_config(offload, group))
    }

    /// Adds or replaces a file.
    #[must_use]
    pub fn file(self, path: &str, contents: impl AsRef<[u8]>) -> Self {
        self.write(path, contents);
        self
    }

    /// Adds a file that can be run.
    #[must_use]
    pub fn script(self, path: &str, contents: &str) -> Self {
        let file = self.write(path, contents);
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("a file can be made executable");
        self
    }

    /// The `offload.toml`. `{python}` stands for a Python that has pytest.
    #[must_use]
    pub fn config(self, text: &str) -> Self {
        let text = if text.contains("{python}") {
            text.replace("{python}", &path_text(&engines::python()))
        } else {
            text.to_owned()
        };
        self.file("offload.toml", text)
    }

    /// A copy of a directory becomes the project.
    #[must_use]
    pub fn copy_of(self, directory: &Path) -> Self {
        let status = std::process::Command::new("cp")
            .arg("-R")
            .arg(format!("{}/.", directory.display()))
            .arg(self.path())
            .status()
            .expect("cp starts");
        assert!(status.success(), "cp -R {} ended with {status}", directory.display());
        self
    }

    /// Adds a link to a directory that is elsewhere.
    #[must_use]
    pub fn link(self, path: &str, to: &Path) -> Self {
        std::os::unix::fs::symlink(to, self.path().join(path)).expect("a link can be made");
        self
    }

    /// Writes a file below the project, with the directories above it.
    pub fn write(&self, path: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let file = self.path().join(path);
        fs::create_dir_all(file.parent().expect("a file lies in a directory")).expect("a directory can be made");
        fs::write(&file, contents).expect("a file can be written");
        file
    }

    /// A file's text.
    pub fn read(&self, path: &str) -> String {
        let bytes = fs::read(self.path().join(path)).unwrap_or_else(|error| panic!("failed to read {path}: {error}"));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub fn exists(&self, path: &str) -> bool {
        self.path().join(path).exists()
    }

    /// The project's directory.
    pub fn path(&self) -> PathBuf {
        self.root.path().join("project")
    }

    /// What `TMPDIR` is for everything that runs here.
    pub fn temporary(&self) -> PathBuf {
        self.root.path().join("tmp")
    }

    /// A directory beside the project, for what must not be part of it.
    pub fn beside(&self) -> &Path {
        self.root.path()
    }

    /// Keeps the directories for as long as it lives.
    pub(crate) fn keeper(&self) -> Rc<TempDir> {
        Rc::clone(&self.root)
    }

    /// `offload` with these arguments, in the project's directory.
    pub fn offload(&self, arguments: &[&str]) -> Invocation<'_> {
        Invocation::new(self, arguments)
    }

    /// `offload run` with these arguments, to its end, with everything checked that must hold after any run.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Finished {
        let mut all = vec!["run"];
        all.extend(arguments);
        self.offload(&all).finish()
    }
}

/// Defaults that suit small tests, except where `offload` sets the same key.
fn pytest_config(offload: &str, group: &str) -> String {
    let mut text = String::from("[offload]\n");
    for (key, default) in [("max_parallel", 2), ("retry_count", 0), ("test_timeout_secs", 60)] {
        if !offload.contains(key) {
            text.push_str(&format!("{key} = {default}\n"));
        }
    }
    format!(
        "{text}{offload}\n\n[provider]\ntype = \"local\"\n\n\
         [groups.python]\ntype = \"pytest\"\npython = \"{{python}}\"\n{group}\n"
    )
}

fn path_text(path: &Path) -> String {
    path.to_str().expect("the target directory's path is UTF-8").to_owned()
}
