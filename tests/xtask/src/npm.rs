//! Packages of npm under target/, from pinned versions.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::program;

/// No lock file, which would name where packages came from; and nothing of what is used has to run to be installed.
const OPTIONS: [&str; 5] = ["--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

/// Installs what a manifest names into `dir/node_modules`, unless that was done before.
pub fn install(dir: &Path, manifest: &str) -> Result<()> {
    // Written last, so that an installation that was interrupted is made again.
    let stamp = dir.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == manifest) {
        return Ok(());
    }
    fs::create_dir_all(dir).with_context(|| format!("failed to make {}", dir.display()))?;
    let file = dir.join("package.json");
    fs::write(&file, manifest).with_context(|| format!("failed to write {}", file.display()))?;
    program::run(Command::new("npm").arg("install").args(OPTIONS).current_dir(dir)).with_context(|| {
        format!("failed to install packages into {}; it needs Node 20 or newer with npm", dir.display())
    })?;
    fs::write(&stamp, manifest).with_context(|| format!("failed to write {}", stamp.display()))
}
