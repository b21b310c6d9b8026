//! What a process itself takes of the machine.

use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The kernel keeps the peak itself, so only what was reached in the last moment can be missed.
const POLL: Duration = Duration::from_millis(5);

/// Without its children.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// The peak of its resident memory.
    pub megabytes: f64,
    pub cpu_seconds: f64,
    pub wall_seconds: f64,
}

/// Follows a process to its end. Its children do not count, as they do in what `wait4` gives.
pub fn watch(process: &mut Child) -> Result<(Usage, Option<i32>)> {
    let mut usage = Usage::default();
    let begun = Instant::now();
    let status = loop {
        if let Some(kilobytes) = resident_peak(process.id()) {
            usage.megabytes = usage.megabytes.max(kilobytes / 1000.0);
        }
        if let Some(seconds) = cpu_seconds(process.id()) {
            usage.cpu_seconds = usage.cpu_seconds.max(seconds);
        }
        if let Some(status) = process.try_wait().context("failed to wait for a process")? {
            break status;
        }
        std::thread::sleep(POLL);
    };
    usage.wall_seconds = begun.elapsed().as_secs_f64();
    if usage.megabytes == 0.0 {
        bail!("this measure reads /proc/<pid>, which only Linux has");
    }
    Ok((usage, status.code()))
}

fn resident_peak(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// User and system time, in the kernel's hundredths of a second.
fn cpu_seconds(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, in parentheses, may hold anything.
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}
