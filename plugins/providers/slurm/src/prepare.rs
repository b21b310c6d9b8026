//! Whether allocations can be made at all.

use offload_plugin::prelude::*;

use crate::settings::Settings;
use crate::{script, trouble};

/// Exit codes of the script.
const NO_PROGRAM: Exit = Exit::Code(3);
const NO_CONTROLLER: Exit = Exit::Code(4);

/// # Errors
/// What keeps every allocation from being made, in Slurm's own words.
pub fn check(settings: &Settings) -> Result<(), Failure> {
    let finished = script::prepare(settings.partition.as_deref()).capture()?;
    match finished.exit {
        Exit::Code(0) => Ok(()),
        NO_PROGRAM => {
            let program = String::from_utf8_lossy(&finished.stdout).trim().to_owned();
            Err(Failure::new("prepare-failed", format!("`{program}` is not installed"))
                .with_help("run offload where jobs are submitted: on a login node, or in a job"))
        }
        NO_CONTROLLER => {
            let message = format!("Slurm's controller does not answer: {}", trouble::words(&finished));
            Err(Failure::new("prepare-failed", message).with_help("`scontrol ping` shows when it is back"))
        }
        _ => {
            let partition = settings.partition.as_deref().unwrap_or_default();
            let message = format!("partition {partition} cannot be used: {}", trouble::words(&finished));
            Err(Failure::new("prepare-failed", message).with_help("`sinfo` shows the partitions that there are"))
        }
    }
}
