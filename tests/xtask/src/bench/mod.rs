//! `cargo xtask bench`: what the project promises about speed and size, measured on this machine.

mod crate_suites;
mod memory;
mod overhead;
mod packaging;
mod sample;
mod size;
mod sleeps;
mod speed;
mod start;
mod table;
mod usage;
mod workload;

use anyhow::Result;
use clap::Subcommand;

use crate::{console, fetch, program, python, toolchain, workspace};

#[derive(Subcommand)]
pub enum Which {
    /// Start, overhead, memory and size in a few minutes
    Quick,
    /// Beside pytest, pytest-xdist and cargo-nextest, and beside what is possible at all, in half an hour
    Speed,
    /// Tests that sleep, in few and in many sandboxes: a part of `speed`, in five minutes
    Schedule,
}

/// Builds the release binary, measures, and prints aims and figures. Missing an aim is shown, not an error: figures
/// depend on the machine.
pub fn run(which: &Which) -> Result<()> {
    let measure = match which {
        Which::Quick => quick,
        Which::Speed => speed::measure,
        Which::Schedule => sleeps::measure,
    };
    console::step("wasm target", toolchain::wasm_target)?;
    console::step("release build", || {
        program::run(program::cargo(workspace::root()).args(["build", "--release", "--package", "offload"]))
    })?;
    console::step("Python environment", python::for_suites)?;
    fetch::run(None)?;
    console::say(&table::render(&measure()?));
    Ok(())
}

fn quick() -> Result<Vec<table::Figure>> {
    Ok(vec![
        console::step("warm start of `offload validate`", start::measure)?,
        console::step("host overhead on packaging", overhead::measure)?,
        console::step("peak memory of the host on packaging", memory::measure)?,
        console::step("size of the release binary", size::measure)?,
    ])
}
