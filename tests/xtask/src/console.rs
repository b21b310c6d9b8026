//! The one place that prints.

use std::time::{Duration, Instant};

use anyhow::Result;

/// Announces a step, does it, and says how long it took.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    say(&format!("\n=== {what}"));
    let begun = Instant::now();
    let done = work()?;
    say(&format!("=== {what}: done in {}", seconds(begun.elapsed())));
    Ok(done)
}

/// What a person should read.
#[expect(clippy::print_stdout, reason = "the home of this program's output")]
pub fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "the home of this program's output")]
pub fn error(text: &str) {
    eprintln!("error: {text}");
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
