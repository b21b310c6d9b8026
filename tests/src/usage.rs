//! What a process itself takes of the machine, without its children. Known on Linux only.

use std::fs;

/// Kilobytes that it held at most.
pub fn peak_kilobytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// User and system time, which the kernel tells in hundredths of a second.
pub fn cpu_seconds(process: u32) -> Option<f64> {
    let stat = stat(process)?;
    let ticks = |field: usize| stat.get(field)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

/// The process that started it.
pub fn parent(process: u32) -> Option<u32> {
    stat(process)?.get(1)?.parse().ok()
}

/// The fields of `/proc/<pid>/stat` behind the name, which may hold anything.
fn stat(process: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}
