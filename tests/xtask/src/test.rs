//! `cargo xtask test`: everything that continuous integration runs.

use anyhow::Result;

use crate::{
    backends, components, console, example_unittest, fetch, javascript, package, program, python, toolchain, vitest,
    workspace,
};

/// The components that tests load from a file: those that do what they should not, an example, and two that come with
/// offload.
const COMPONENTS: &[&str] = &[
    "offload-guest-framework",
    "offload-guest-provider",
    "offload-example-http-sandboxes",
    "offload-framework-default",
    "offload-provider-default",
    "offload-provider-docker",
    "offload-provider-slurm",
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
        python::with_modal()?;
        python::for_suites()
    })?;
    console::step("vitest", vitest::with_each_version)?;
    console::step("cargo-nextest", toolchain::nextest)?;
    console::step("components for tests", || components::build(COMPONENTS.iter().copied()))?;
    console::step("example plugin in Python", example_unittest::build)?;
    console::step("example in JavaScript", javascript::example)?;
    fetch::run(None)?;
    console::step("clippy", || {
        program::run(program::cargo(root).args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    // Before the build, which puts the workspace's own binary in its place again.
    package::run()?;
    console::step("packaged crate", package::install)?;
    // The end-to-end tests drive the real binary, which building only tests would leave out.
    console::step("build", || program::run(program::cargo(root).args(["build", "--workspace", "--all-targets"])))?;
    console::step("doc tests", || program::run(program::cargo(root).args(["test", "--workspace", "--doc"])))?;
    let engines = console::step("engines", backends::up)?;
    // Last, since its summary is what people and machines look for at the end.
    console::step("tests", || program::run(program::cargo(root).args(["nextest", "run", "--workspace"])))?;
    drop(engines);
    Ok(())
}
