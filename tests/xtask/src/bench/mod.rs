//! `cargo xtask bench`: what the project promises about speed and size, measured on this machine.

mod memory;
mod overhead;
mod packaging;
mod sample;
mod size;
mod start;
mod table;

use anyhow::Result;
use clap::Subcommand;

use crate::{console, fetch, program, python, toolchain, workspace};

#[derive(Subcommand)]
pub enum Which {
    /// Start, overhead, memory and size in a few minutes
    Quick,
}

/// Builds the release binary, measures, and prints aims and figures. Missing an aim is shown, not an error: figures
/// depend on the machine.
pub fn run(which: &Which) -> Result<()> {
    match which {
        Which::Quick => quick(),
    }
}

fn quick() -> Result<()> {
    console::step("wasm target", toolchain::wasm_target)?;
    console::step("release build", || {
        program::run(program::cargo(workspace::root()).args(["build", "--release", "--package", "offload"]))
    })?;
    console::step("Python environment", python::for_suites)?;
    fetch::run(None)?;
    let figures = [
        console::step("warm start of `offload validate`", start::measure)?,
        console::step("host overhead on packaging", overhead::measure)?,
        console::step("peak memory of the host on packaging", memory::measure)?,
        console::step("size of the release binary", size::measure)?,
    ];
    console::say(&table::render(&figures));
    Ok(())
}
