//! Packages of vitest under target/, from pinned versions.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{program, workspace};

/// The oldest major version that offload works with, and the newest that runs on Node 20.
const VERSIONS: &[(&str, &[&str])] =
    &[("vitest3", &["vitest@3.2.7", "vite@7.3.8"]), ("vitest4", &["vitest@4.1.12", "vite@7.3.8"])];

/// A directory with `node_modules` for each version.
pub fn with_each_version() -> Result<()> {
    VERSIONS.iter().try_for_each(|(name, pins)| packages(name, pins))
}

fn packages(name: &str, pins: &[&str]) -> Result<()> {
    let dir = workspace::target().join(name);
    // Written last, so that an installation that was interrupted is made again.
    let stamp = dir.join("pins.txt");
    let wanted = pins.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    fs::create_dir_all(&dir).with_context(|| format!("failed to make {}", dir.display()))?;
    let manifest = dir.join("package.json");
    fs::write(&manifest, "{ \"private\": true }\n")
        .with_context(|| format!("failed to write {}", manifest.display()))?;
    program::run(
        Command::new("npm")
            .current_dir(&dir)
            .args(["install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"])
            .args(pins),
    )
    .with_context(|| format!("failed to install vitest into {}; it needs Node 20 or newer with npm", dir.display()))?;
    fs::write(&stamp, wanted).with_context(|| format!("failed to write {}", stamp.display()))
}
