//! `cargo xtask simulate`: how near the schedule comes to the bound, without running a test.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, ValueEnum};
use offload::orchestrator::simulation::{Mode, Scenario, simulate};
use serde_json::Value;

/// Makespan over its lower bound, for policies and numbers of sandboxes.
#[derive(Parser)]
#[command(name = "cargo xtask simulate")]
struct Arguments {
    /// Durations of a run: its results.json
    #[arg(long, value_name = "FILE", conflicts_with_all = ["shape", "tests"])]
    from: Option<PathBuf>,
    /// Durations that are made up
    #[arg(long, value_enum, default_value_t = Shape::Heavy)]
    shape: Shape,
    /// How many tests are made up
    #[arg(long, default_value_t = 400)]
    tests: usize,
    /// Seconds that the tests that are made up take together
    #[arg(long, default_value_t = 160.0)]
    total: f64,
    /// Numbers of sandboxes, each a column
    #[arg(long, value_delimiter = ',', default_value = "1,2,10,50,200")]
    sandboxes: Vec<usize>,
    /// Seconds until a sandbox is up
    #[arg(long, default_value_t = 0.0)]
    creation: f64,
    /// Seconds by which each further sandbox comes up later
    #[arg(long, default_value_t = 0.0)]
    stagger: f64,
    /// Seconds that a test process takes to start
    #[arg(long, default_value_t = 0.02)]
    process: f64,
    /// Seconds between a sandbox's word and the answer
    #[arg(long, default_value_t = 0.005)]
    latency: f64,
    /// Seconds to load a unit
    #[arg(long, default_value_t = 0.0)]
    unit: f64,
    /// Every so many tests one takes its process with it the first time; 0 for none
    #[arg(long, default_value_t = 0)]
    crash_every: usize,
    /// How many times as long the first sandbox takes for everything
    #[arg(long, default_value_t = 1.0)]
    straggler: f64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shape {
    /// A few tests take most of the time, as in real suites (a Pareto distribution); each is its own unit
    Heavy,
    /// All take as long; ten to a unit
    Even,
    /// As heavy, in units of very different size
    Units,
}

/// What is compared, and whether it may know the durations.
const POLICIES: [(&str, Mode, bool); 6] = [
    ("list, in order", Mode::List, false),
    ("list, longest first", Mode::LongestFirst, true),
    ("batches, first run", Mode::Batches, false),
    ("batches, history", Mode::Batches, true),
    ("workers, first run", Mode::Workers, false),
    ("workers, history", Mode::Workers, true),
];

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.sandboxes.iter().all(|count| *count > 0), "there is no run without a sandbox");
    let tests = match &arguments.from {
        Some(path) => recorded(path)?,
        None => made_up(arguments.shape, arguments.tests, arguments.total),
    };
    let total: f64 = tests.iter().map(|(seconds, _)| seconds).sum();
    let longest = tests.iter().map(|(seconds, _)| *seconds).fold(0.0, f64::max);
    let mut text = format!("{} tests, {total:.1} s together, the longest {longest:.2} s\n\n", tests.len());
    text += &format!("{:<22}", "makespan / bound, with");
    text += &arguments.sandboxes.iter().map(|count| format!("{count:>9}")).collect::<String>();
    for (name, mode, known) in POLICIES {
        text += &format!("\n{name:<22}");
        for sandboxes in &arguments.sandboxes {
            let scenario = Scenario {
                tests: tests.clone(),
                sandboxes: *sandboxes,
                mode,
                known,
                creation: arguments.creation,
                stagger: arguments.stagger,
                process: arguments.process,
                latency: arguments.latency,
                unit: arguments.unit,
                crash_every: arguments.crash_every,
                straggler: arguments.straggler,
            };
            let result = simulate(&scenario);
            ensure!(result.ended.iter().all(|times| *times == 1), "{name}: a test did not end exactly once");
            text += &format!("{:>9.3}", result.ratio());
        }
    }
    print(&text);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is the program's output")]
fn print(text: &str) {
    println!("{text}");
}

/// The tests of a run in the order of discovery, with what their last attempts took.
fn recorded(path: &std::path::Path) -> Result<Vec<(f64, u32)>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    let results: Value = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))?;
    let Some(tests) = results["tests"].as_array() else {
        bail!("{} has no tests: is it a results.json?", path.display());
    };
    let mut units: Vec<&str> = Vec::new();
    let mut recorded = Vec::with_capacity(tests.len());
    for test in tests {
        // Tests of one file follow each other; those without are units of their own.
        let unit = test["file"].as_str().or_else(|| test["id"].as_str()).unwrap_or_default();
        if units.last() != Some(&unit) {
            units.push(unit);
        }
        recorded.push((test["duration"].as_f64().unwrap_or_default(), u32::try_from(units.len())?));
    }
    Ok(recorded)
}

/// The same for the same arguments: the order is mixed by a multiplication, not by chance.
fn made_up(shape: Shape, count: usize, total: f64) -> Vec<(f64, u32)> {
    let number = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    let place = |index: usize| ((index * 7919) % count.max(1)) as f64 / count.max(1) as f64;
    let heavy = |index: usize| (1.0 - place(index)).powf(-0.8).min(40.0);
    let tests: Vec<_> = match shape {
        Shape::Even => (0..count).map(|index| (1.0, number(index / 10))).collect(),
        Shape::Heavy => (0..count).map(|index| (heavy(index), number(index))).collect(),
        Shape::Units => (0..count).map(|index| (heavy(index), number(index).isqrt())).collect(),
    };
    let sum: f64 = tests.iter().map(|(seconds, _)| seconds).sum();
    tests.into_iter().map(|(seconds, unit)| (seconds * total / sum.max(f64::MIN_POSITIVE), unit)).collect()
}
