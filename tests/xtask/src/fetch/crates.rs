//! Crates with their own tests, through cargo, which checks what it downloads against its lock file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::program;

struct Crate {
    name: &'static str,
    version: &'static str,
    sha256: &'static str,
}

const CRATES: &[Crate] = &[
    Crate {
        name: "semver",
        version: "1.0.26",
        sha256: "56e6fa9c48d24d85fb3de5ad847117517440f6beceb7798af16b4a87d616b8d0",
    },
    Crate {
        name: "indexmap",
        version: "2.10.0",
        sha256: "fe4cd85333e22411419a0bcae1297d25e58c9443848b11dc6a86fefe8c78a661",
    },
];

/// Brings what is missing into `dir/rs`.
pub fn fetch(dir: &Path) -> Result<()> {
    let into = dir.join("rs");
    let missing: Vec<&Crate> = CRATES.iter().filter(|wanted| !directory(&into, wanted).is_dir()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let project = throw_away_project(&into)?;
    program::run(program::cargo(&project).args(["fetch", "--quiet"])).context("failed to fetch the crates")?;
    let lock = fs::read_to_string(project.join("Cargo.lock")).context("failed to read what cargo locked")?;
    let metadata = program::output(program::cargo(&project).args(["metadata", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("failed to read what cargo says of the crates")?;
    for wanted in missing {
        if !lock.contains(wanted.sha256) {
            bail!("the registry's {} {} is not the one that is pinned here", wanted.name, wanted.version);
        }
        copy(&source(&metadata, wanted)?, &directory(&into, wanted))?;
    }
    fs::remove_dir_all(&project).with_context(|| format!("failed to remove {}", project.display()))
}

fn directory(into: &Path, wanted: &Crate) -> PathBuf {
    into.join(format!("{}-{}", wanted.name, wanted.version))
}

/// A package whose only purpose is to depend on what we want.
fn throw_away_project(into: &Path) -> Result<PathBuf> {
    let project = into.join(".fetch");
    let manifest = project.join("Cargo.toml");
    let mut text = String::from("[package]\nname = \"fetch\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n");
    for wanted in CRATES {
        text.push_str(&format!("{} = \"={}\"\n", wanted.name, wanted.version));
    }
    fs::create_dir_all(project.join("src")).with_context(|| format!("failed to make {}", project.display()))?;
    fs::write(project.join("src/lib.rs"), "").context("failed to write the package that fetches crates")?;
    fs::write(&manifest, text).with_context(|| format!("failed to write {}", manifest.display()))?;
    Ok(project)
}

/// Where cargo unpacked the crate.
fn source(metadata: &Value, wanted: &Crate) -> Result<PathBuf> {
    let manifest = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == wanted.name && package["version"] == wanted.version)
        .and_then(|package| package["manifest_path"].as_str())
        .with_context(|| format!("cargo does not know {} {}", wanted.name, wanted.version))?;
    Ok(Path::new(manifest).parent().unwrap_or(Path::new("/")).to_owned())
}

/// Copies beside and renames, so that a directory that is there is whole.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let half = PathBuf::from(format!("{}.half", to.display()));
    if half.exists() {
        fs::remove_dir_all(&half).with_context(|| format!("failed to remove {}", half.display()))?;
    }
    program::run(Command::new("cp").arg("-R").arg(from).arg(&half))?;
    // A workspace of its own, although it lies in the directory of another.
    let manifest = half.join("Cargo.toml");
    let mut text = fs::read_to_string(&manifest).with_context(|| format!("failed to read {}", manifest.display()))?;
    text.push_str("\n[workspace]\n");
    fs::write(&manifest, text).with_context(|| format!("failed to write {}", manifest.display()))?;
    fs::rename(&half, to).with_context(|| format!("failed to move {}", half.display()))
}
