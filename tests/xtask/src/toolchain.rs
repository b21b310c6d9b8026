//! What cargo needs besides itself; brought when it is missing.

use std::process::Command;

use anyhow::{Context, Result};

use crate::{program, workspace};

/// The target that plugins are compiled for.
const WASM_TARGET: &str = "wasm32-wasip2";
/// Runs the tests of this workspace, and those of the `cargo` framework.
const NEXTEST: &str = "0.9.143";

/// Adds the plugins' target where rustup does not have it yet.
pub fn wasm_target() -> Result<()> {
    if std::env::var_os("OFFLOAD_PREBUILT_PLUGINS").is_some() {
        return Ok(());
    }
    let libraries = program::output(Command::new("rustc").current_dir(workspace::root()).args([
        "--print",
        "target-libdir",
        "--target",
        WASM_TARGET,
    ]));
    if libraries.is_ok_and(|dir| std::path::Path::new(dir.trim()).is_dir()) {
        return Ok(());
    }
    program::run(Command::new("rustup").current_dir(workspace::root()).args(["target", "add", WASM_TARGET]))
        .with_context(|| format!("failed to add the target {WASM_TARGET}, which the plugins are compiled for"))
}

/// Installs cargo-nextest where there is none.
pub fn nextest() -> Result<()> {
    if program::succeeds(program::cargo(workspace::root()).args(["nextest", "--version"])) {
        return Ok(());
    }
    // A target directory of its own is kept by CI caches and does not disturb the workspace's.
    program::run(
        program::cargo(workspace::root())
            .args(["install", "cargo-nextest", "--locked", "--version", NEXTEST])
            .env("CARGO_TARGET_DIR", workspace::target().join("cargo-nextest")),
    )
    .context("failed to install cargo-nextest")
}
