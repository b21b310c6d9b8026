//! `cargo xtask test`: everything that continuous integration runs.

use anyhow::Result;

use crate::{console, fetch, program, python, toolchain, workspace};

/// The plugins that do what they should not. They are compiled as the built-in ones are, into a folder of their own.
const GUESTS: [&str; 10] = [
    "build",
    "--profile",
    "plugin",
    "--target",
    "wasm32-wasip2",
    "--package",
    "offload-guest-framework",
    "--package",
    "offload-guest-provider",
    "--target-dir",
];

/// Brings what is missing, then checks and tests the whole workspace.
pub fn run() -> Result<()> {
    let root = workspace::root();
    console::step("wasm target", toolchain::wasm_target)?;
    console::step("format", || program::run(program::cargo(root).args(["fmt", "--all", "--check"])))?;
    console::step("Python environments", || {
        python::with_pytest()?;
        python::with_each_pytest()?;
        python::with_plugins()?;
        python::for_suites()
    })?;
    console::step("cargo-nextest", toolchain::nextest)?;
    console::step("misbehaving plugins", || {
        program::run(program::cargo(root).args(GUESTS).arg(workspace::target().join("guests")))
    })?;
    fetch::run(None)?;
    console::step("clippy", || {
        program::run(program::cargo(root).args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    // The end-to-end tests drive the real binary, which building only tests would leave out.
    console::step("build", || program::run(program::cargo(root).args(["build", "--workspace", "--all-targets"])))?;
    console::step("doc tests", || program::run(program::cargo(root).args(["test", "--workspace", "--doc"])))?;
    // Last, since its summary is what people and machines look for at the end.
    console::step("tests", || program::run(program::cargo(root).args(["nextest", "run", "--workspace"])))
}
