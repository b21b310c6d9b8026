//! Finds processes that left their group.

use std::time::Duration;

/// The variable that every process of an exec inherits: its value is the exec's id.
pub const EXEC_ID: &str = "OFFLOAD_EXEC_ID";

/// Kills whatever still carries this exec's id in its environment: what called `setsid` is in no group of ours. Reads
/// `/proc`, so elsewhere than on Linux it does nothing.
pub async fn sweep(exec_id: &str) {
    let marker = format!("{EXEC_ID}={exec_id}").into_bytes();
    // A process may be forking while it is looked for, and one that is about to become another program has no environment for
    // a moment: look until nothing was found several times in a row.
    let mut quiet = 0;
    for _ in 0..50 {
        let found = marked(&marker);
        quiet = if found.is_empty() { quiet + 1 } else { 0 };
        if quiet == 4 {
            return;
        }
        for process in found {
            let _ = nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGKILL);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn marked(marker: &[u8]) -> Vec<nix::unistd::Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|process| {
            std::fs::read(format!("/proc/{process}/environ"))
                .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|variable| variable == marker))
        })
        .map(nix::unistd::Pid::from_raw)
        .collect()
}
