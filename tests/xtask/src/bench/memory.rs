//! How much memory the host itself takes at most.

use std::process::Child;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{packaging, table::Figure};

const KILOBYTES_IN_MEGABYTE: f64 = 1000.0;
/// The kernel keeps the peak itself, so only what was reached in the last moment can be missed.
const POLL: Duration = Duration::from_millis(5);

pub fn measure() -> Result<Figure> {
    let project = packaging::Project::new("bench-memory")?;
    let mut offload = project.offload(&["--parallel", "2"]).spawn().context("failed to start offload")?;
    let peak = watch(&mut offload)?;
    project.check_result()?;
    Ok(Figure {
        what: "peak memory of the host, packaging".to_owned(),
        aim: 120.0,
        measured: peak / KILOBYTES_IN_MEGABYTE,
        unit: "MB",
        note: "resident, two sandboxes, without their processes".to_owned(),
    })
}

/// The peak of the process's resident memory in kilobytes. Its children's does not count, as it does in what `wait4` gives.
fn watch(process: &mut Child) -> Result<f64> {
    let mut peak = 0.0_f64;
    loop {
        if let Some(now) = resident_peak(process.id()) {
            peak = peak.max(now);
        }
        if let Some(status) = process.try_wait().context("failed to wait for offload")? {
            if !status.success() {
                bail!("offload ended with {status}");
            }
            break;
        }
        std::thread::sleep(POLL);
    }
    if peak == 0.0 {
        bail!("this measure reads /proc/<pid>/status, which only Linux has");
    }
    Ok(peak)
}

fn resident_peak(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
