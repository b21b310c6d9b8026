//! How long `offload validate` takes when everything was compiled before.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::{packaging, sample, table::Figure};
use crate::workspace;

const ROUNDS: usize = 20;

/// Pairs of `validate` and `--version`, so that what any start of this binary costs can be seen beside.
pub fn measure() -> Result<Figure> {
    let project = packaging::Project::new("bench-start")?;
    // The first start compiles the plugins.
    time(&project.dir, &["validate"])?;
    let mut validate = Vec::new();
    let mut floor = Vec::new();
    for _ in 0..ROUNDS {
        validate.push(time(&project.dir, &["validate"])?);
        floor.push(time(&project.dir, &["--version"])?);
    }
    Ok(Figure {
        what: "warm start of `offload validate`".to_owned(),
        aim: Some(30.0),
        measured: sample::median(validate),
        unit: "ms",
        note: format!("median of {ROUNDS} pairs; `offload --version` takes {:.1} ms", sample::median(floor)),
    })
}

/// Milliseconds.
fn time(dir: &Path, arguments: &[&str]) -> Result<f64> {
    let mut command = Command::new(workspace::release_binary());
    command.args(arguments).current_dir(dir).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let status = command.status().context("failed to start offload")?;
    let taken = begun.elapsed().as_secs_f64() * 1000.0;
    if !status.success() {
        bail!("`offload {}` ended with {status} in {}", arguments.join(" "), dir.display());
    }
    Ok(taken)
}
