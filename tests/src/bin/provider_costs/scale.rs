//! Hundreds of sandboxes of Modal at once: what the host, and what speaks to Modal for it, take of this machine.

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use offload_tests::{FakeModal, usage};
use serde::Serialize;

const SANDBOXES: u32 = 200;
const TESTS: u32 = 2000;
/// What each of the tests takes.
const SECONDS: u32 = 3;

/// How often it is looked.
const POLL: Duration = Duration::from_millis(100);

/// After so many looks new processes are looked for.
const SEARCH_EVERY: usize = 10;

/// How the helper is called on its command line.
const HELPER: &str = "offload-modal-helper";

#[derive(Serialize)]
pub struct Scale {
    /// Seconds, from the command line to the reports.
    makespan: f64,
    /// What it would be if nothing took any time but the tests.
    bound: f64,
    host_cpu: f64,
    helper_cpu: f64,
    /// The peaks of both, in MB.
    memory: f64,
    helpers: usize,
}

/// Runs the tests.
///
/// # Errors
/// The run did not end as it should.
pub fn measure() -> Result<Scale> {
    let (project, server) = FakeModal::with_sleepers(SANDBOXES, TESTS, SECONDS);
    let running = server.run(&project, &[]).patience(Duration::from_secs(300)).start();
    let host = running.id();
    let over = AtomicBool::new(false);
    let (done, taken) = std::thread::scope(|scope| {
        let watching = scope.spawn(|| watch(host, &over));
        let done = running.finish();
        over.store(true, Ordering::Relaxed);
        (done, watching.join().expect("watching does not panic"))
    });
    let passed = done.results().count("passed");
    ensure!(done.code == 0 && passed == TESTS as usize, "{passed} tests passed:\n{}", done.said());
    let helpers: Vec<_> = taken.iter().filter(|(process, _)| **process != host).map(|(_, taken)| taken).collect();
    Ok(Scale {
        makespan: done.took.as_secs_f64(),
        bound: f64::from(TESTS / SANDBOXES * SECONDS),
        host_cpu: taken.get(&host).map_or(f64::NAN, |taken| taken.cpu),
        helper_cpu: helpers.iter().map(|taken| taken.cpu).sum(),
        memory: taken.values().map(|taken| taken.memory).sum(),
        helpers: helpers.len(),
    })
}

#[derive(Default)]
struct Taken {
    cpu: f64,
    memory: f64,
}

fn watch(host: u32, over: &AtomicBool) -> HashMap<u32, Taken> {
    let mut known = HashMap::from([(host, Taken::default())]);
    for look in 0.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        if look % SEARCH_EVERY == 0 {
            for helper in helpers_of(host) {
                known.entry(helper).or_default();
            }
        }
        for (process, taken) in &mut known {
            taken.cpu = taken.cpu.max(usage::cpu_seconds(*process).unwrap_or_default());
            let kilobytes = usage::peak_kilobytes(*process).unwrap_or_default();
            taken.memory = taken.memory.max(kilobytes as f64 / 1000.0);
        }
        std::thread::sleep(POLL);
    }
    known
}

fn helpers_of(host: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers.filter(|&process| usage::parent(process) == Some(host) && is_helper(process)).collect()
}

fn is_helper(process: u32) -> bool {
    let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains(HELPER)
}
