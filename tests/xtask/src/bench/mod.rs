//! `cargo xtask bench`: what the project promises about speed and size, measured on this machine.

mod crate_suites;
mod memory;
mod only;
mod overhead;
mod packaging;
mod plugins;
mod providers;
mod sample;
mod size;
mod sleeps;
mod speed;
mod start;
mod table;
mod usage;
mod vitest_suites;
mod workload;

use anyhow::Result;
use clap::Subcommand;
use only::Only;

use crate::{console, fetch, python, release, toolchain};

#[derive(Subcommand)]
pub enum Which {
    /// Start, overhead, memory and size in a few minutes
    Quick,
    /// Beside pytest, pytest-xdist, cargo-nextest and vitest, and beside what is possible at all, in half an hour
    Speed {
        /// Only the cases that have this in their names, like `indexmap`, and no mean of several
        #[arg(long, value_name = "NAME", default_value_t)]
        only: Only,
    },
    /// What it costs that plugins are components, beside the same code compiled for this machine
    Plugins,
    /// What a sandbox costs with each provider, beside its engine's own programs, and what hundreds of them take
    Providers,
    /// Tests that sleep, in few and in many sandboxes: a part of `speed`, in five minutes
    Schedule,
}

/// Builds the release binary, measures, and prints aims and figures. Missing an aim is shown, not an error: figures
/// depend on the machine.
pub fn run(which: &Which) -> Result<()> {
    console::step("wasm target", toolchain::wasm_target)?;
    let programs: &[&str] = match which {
        Which::Plugins => &["plugin_costs"],
        Which::Providers => &["provider_costs"],
        Which::Quick | Which::Speed { .. } | Which::Schedule => &[],
    };
    console::step("release build", || release::build(programs))?;
    console::step("Python environment", python::for_suites)?;
    fetch::run(None)?;
    let figures = match which {
        Which::Quick => quick(),
        Which::Speed { only } => speed::measure(only),
        Which::Plugins => plugins::measure(),
        Which::Providers => providers::measure(),
        Which::Schedule => sleeps::measure(&Only::default()),
    };
    console::say(&table::render(&figures?));
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
