//! The example plugin in Python: its own tests, and the component that the end-to-end tests use.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{program, python, workspace};

/// The world of the contract that it is made for.
const WORLD: &str = "framework-plugin";

/// Builds `target/examples/unittest.wasm`, after its own tests have passed.
pub fn build() -> Result<()> {
    let bin = python::with_componentize()?;
    let root = workspace::root().canonicalize().context("failed to find the workspace")?;
    let source = root.join("plugins/examples/unittest");
    let examples = workspace::target().join("examples");
    let bindings = examples.join("unittest-bindings");
    fs::create_dir_all(&examples).with_context(|| format!("failed to make {}", examples.display()))?;
    if bindings.exists() {
        // They are never written over.
        fs::remove_dir_all(&bindings).with_context(|| format!("failed to remove {}", bindings.display()))?;
    }
    let componentize = |task: &str, arguments: &[&Path]| {
        let mut command = Command::new(bin.join("componentize-py"));
        command.current_dir(&source).arg("-d").arg(root.join("wit")).args(["-q", "-w", WORLD]);
        command.arg(task).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1");
        program::run(&mut command)
    };
    componentize("bindings", &[&bindings])?;
    let mut tests = Command::new(bin.join("python"));
    tests
        .current_dir(&source)
        .args(["-m", "unittest"])
        .env("PYTHONPATH", &bindings)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    program::run(&mut tests).context("failed in the tests of the example plugin in Python")?;
    componentize("componentize", &[Path::new("app"), Path::new("-o"), &examples.join("unittest.wasm")])
}
