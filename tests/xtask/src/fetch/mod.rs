//! Real suites that nobody here wrote, pinned by version and digest, for the end-to-end tests and benchmarks.

mod crates;
mod sdists;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{console, workspace};

/// Brings all suites into `dir`, or `target/suites`: `py/<name>-<version>` and `rs/<name>-<version>`.
pub fn run(dir: Option<&Path>) -> Result<()> {
    let dir = dir.map_or_else(default_dir, Path::to_owned);
    std::fs::create_dir_all(&dir).with_context(|| format!("failed to make {}", dir.display()))?;
    let dir = dir.canonicalize().with_context(|| format!("failed to find {}", dir.display()))?;
    console::step(&format!("real suites in {}", dir.display()), || {
        sdists::fetch(&dir)?;
        crates::fetch(&dir)
    })
}

/// Where the tests look for them.
pub fn default_dir() -> PathBuf {
    workspace::target().join("suites")
}
