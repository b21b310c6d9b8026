//! The engines that providers are tested against, started by the scripts of `tests/backends/`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{console, workspace};

/// Each has a script of its name that takes `up` and `down`.
const ENGINES: [&str; 3] = ["podman", "ssh", "slurm"];

/// Set where no engine may be missing.
const REQUIRED: &str = "OFFLOAD_TEST_ENGINES";

/// By this exit code `up` says that the engine cannot be had here; what it printed says why.
const NOT_HERE: i32 = 3;

/// The engines that run; they end with this value.
pub struct Running(Vec<&'static str>);

/// Starts every engine that can be had here, and names the others.
pub fn up() -> Result<Running> {
    let mut running = Running(Vec::new());
    for engine in ENGINES {
        // What came up half-way has to come down as well.
        running.0.push(engine);
        let output = Command::new(script(engine)).arg("up").output();
        let output = output.with_context(|| format!("failed to start the script of {engine}"))?;
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let said = said.trim();
        match output.status.code() {
            Some(0) => {}
            Some(NOT_HERE) if std::env::var_os(REQUIRED).is_none() => {
                console::say(&format!("skipped: the tests of {engine}, since {said}"));
            }
            _ => bail!("{engine} did not start ({}):\n{said}", output.status),
        }
    }
    Ok(running)
}

impl Drop for Running {
    fn drop(&mut self) {
        for engine in &self.0 {
            if let Err(error) = Command::new(script(engine)).arg("down").status() {
                console::error(&format!("failed to end {engine}: {error}"));
            }
        }
    }
}

fn script(engine: &str) -> PathBuf {
    workspace::root().join("tests").join("backends").join(format!("{engine}.sh"))
}
