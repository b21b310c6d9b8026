//! What `cargo xtask bench providers` runs: what a sandbox costs through a provider, and what the engine's own programs take for
//! the same. Prints one JSON object; all times are medians, in milliseconds.

mod bare;
mod component;
mod engine;
mod scale;

use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde::{Deserialize, Serialize};

use engine::Engine;

/// How often everything is done.
pub const ROUNDS: usize = 7;

#[derive(Parser)]
struct Arguments {
    /// local, docker, ssh, slurm or modal
    provider: String,
    /// Measures the component only, with this table of settings, in the environment that is there
    #[arg(long, value_name = "JSON")]
    component: Option<String>,
    /// Measures hundreds of sandboxes at once, of modal
    #[arg(long, conflicts_with = "component")]
    scale: bool,
}

/// What the three steps in a sandbox's life take.
#[derive(Debug, Deserialize, Serialize)]
pub struct Steps {
    pub create: f64,
    pub exec: f64,
    pub destroy: f64,
}

#[derive(Serialize)]
struct Costs {
    provider: Steps,
    bare: Steps,
    /// A suite of 200 tests in 8 files, in two sandboxes, from the command line to the reports.
    suite: f64,
}

#[expect(clippy::print_stdout, reason = "its output is what it is for")]
fn main() -> Result<()> {
    let Arguments { provider, component, scale } = Arguments::parse();
    if scale {
        ensure!(provider == "modal", "only modal is measured with hundreds of sandboxes");
        println!("{}", serde_json::to_string(&scale::measure()?)?);
        return Ok(());
    }
    if let Some(settings) = component {
        println!("{}", serde_json::to_string(&component::measure(&provider, &settings)?)?);
        return Ok(());
    }
    let engine = Engine::of(&provider)?;
    let mut measuring = Command::new(std::env::current_exe().context("a program knows its own path")?);
    measuring.arg(&provider).arg("--component").arg(engine.settings().to_string()).envs(engine.environment());
    let output = measuring.output().context("failed to start itself")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let costs = Costs {
        provider: serde_json::from_slice(&output.stdout).context("failed to read the figures")?,
        bare: bare::measure(&engine)?,
        suite: engine.suite()?,
    };
    println!("{}", serde_json::to_string(&costs)?);
    Ok(())
}

/// The middle one, in milliseconds.
pub fn median(mut times: Vec<std::time::Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}
