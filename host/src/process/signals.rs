//! What this process was told to do with signals before it began.

use std::process::Command;

use nix::sys::signal::Signal;

/// Whether this process was started with a signal ignored, as `nohup` does with SIGHUP: to listen to the signal would undo that.
pub fn ignores(signal: Signal) -> bool {
    told_by_kernel(signal).unwrap_or_else(|| told_by_child(signal))
}

/// Reads it from `/proc`, where there is one.
fn told_by_kernel(signal: Signal) -> Option<bool> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    Some(mask & (1 << (signal as i32 - 1)) != 0)
}

/// A child inherits it: one that sends itself the signal lives on only where the signal is ignored.
fn told_by_child(signal: Signal) -> bool {
    let name = signal.as_str().trim_start_matches("SIG");
    Command::new("sh").args(["-c", "kill -s \"$1\" $$", "offload", name]).status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_asking_say_the_same() {
        // Nobody ignores SIGTERM. Rust itself ignores SIGPIPE, and gives children the default back.
        assert_eq!(told_by_kernel(Signal::SIGTERM).unwrap_or(false), told_by_child(Signal::SIGTERM));
        assert_eq!(
            told_by_kernel(Signal::SIGHUP).unwrap_or_else(|| told_by_child(Signal::SIGHUP)),
            told_by_child(Signal::SIGHUP)
        );
        assert_ne!(told_by_kernel(Signal::SIGPIPE), Some(false));
    }
}
