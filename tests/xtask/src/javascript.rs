//! Components made of JavaScript, with the toolchain that their package.json pins.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{npm, program, workspace};

/// What a component is made of besides the contract, below its own directory.
const SOURCES: [&str; 3] = ["package.json", "build.mjs", "src"];

/// Runs the example's own tests and makes `target/examples/node_test.wasm` of it.
pub fn example() -> Result<()> {
    let source = workspace::root().join("plugins/examples/node-test");
    program::run(Command::new("node").args(["--test", "--test-reporter=spec"]).current_dir(&source))
        .context("failed to test the example in JavaScript, which takes Node.js 20 or later")?;
    let wit = workspace::root().join("wit");
    build(&source, &wit, &workspace::target().join("examples/node_test.wasm"))
}

/// In a copy, since npm puts what it installs beside the package.
fn build(source: &Path, wit: &Path, component: &Path) -> Result<()> {
    let copy = component.with_extension("build");
    // Written last, so that what was interrupted is made again.
    let stamp = copy.join("made-of.txt");
    let mut wanted = contents(wit)?;
    for part in SOURCES {
        wanted += &contents(&source.join(part))?;
    }
    if component.is_file() && fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let manifest = source.join("package.json");
    let manifest = fs::read_to_string(&manifest).with_context(|| format!("failed to read {}", manifest.display()))?;
    npm::install(&copy, &manifest)?;
    program::run(Command::new("cp").arg("-R").args(SOURCES.map(|part| source.join(part))).arg(&copy))?;
    program::run(Command::new("node").arg("build.mjs").arg(component).arg(wit).current_dir(&copy))?;
    fs::write(&stamp, wanted).with_context(|| format!("failed to write {}", stamp.display()))
}

/// A file, or all files below a directory, with their names.
fn contents(path: &Path) -> Result<String> {
    if !path.is_dir() {
        let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
        return Ok(format!("{}\n{text}\n", path.display()));
    }
    let entries = fs::read_dir(path).with_context(|| format!("failed to list {}", path.display()))?;
    let mut entries = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    entries.sort();
    entries.iter().map(|entry| contents(entry)).collect()
}
