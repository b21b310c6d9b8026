//! Engines that `tests/backends/<name>.sh up` has started: podman, sshd, a Slurm cluster.

use std::fs;

use crate::engines;

/// Set where no engine may be missing, as in continuous integration.
const REQUIRED: &str = "OFFLOAD_TEST_ENGINES";

/// An engine that runs, and how tests reach it.
pub struct Backend {
    variables: Vec<(String, String)>,
}

impl Backend {
    /// The engine of this name. Where it does not run, the test has to end: it was told why on standard error.
    ///
    /// # Panics
    /// It does not run, and `OFFLOAD_TEST_ENGINES=required` says that all do.
    #[track_caller]
    #[expect(clippy::print_stderr, reason = "a skipped test says so by name")]
    pub fn of(name: &str) -> Option<Self> {
        let file = engines::target().join("backends").join(name).join("env");
        let Ok(text) = fs::read_to_string(&file) else {
            let missing = format!("{name} does not run; `tests/backends/{name}.sh up` starts it");
            assert!(std::env::var_os(REQUIRED).is_none(), "{missing}");
            eprintln!("skipped: {missing}");
            return None;
        };
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Some(Self { variables: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect() })
    }

    /// A value that the script left for tests.
    #[track_caller]
    pub fn get(&self, name: &str) -> &str {
        let found = self.variables.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("the backend says nothing of {name}")).1
    }

    /// What its programs need in their environment: everything in capitals that the script left.
    pub fn environment(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        variables.filter(|(name, _)| !name.bytes().any(|byte| byte.is_ascii_lowercase()))
    }
}
