//! What it costs that plugins are components.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{packaging, sample, table::Figure};
use crate::{console, fetch, program, python, workspace};

const ROUNDS: usize = 3;

/// Runs the program that measures the boundary, and whole runs to hold that against.
pub fn measure() -> Result<Vec<Figure>> {
    let costs = console::step("components and native code", costs)?;
    let wall = console::step("whole runs of packaging", run_of_packaging)?;
    let of = |name: &str| costs[name].as_f64().with_context(|| format!("the program did not measure {name:?}"));
    let figure =
        |what: &str, unit, aim, measured, note: String| Figure { what: what.to_owned(), aim, measured, unit, note };
    let plain =
        |what: &str, unit, note: &str| Ok::<_, anyhow::Error>(figure(what, unit, None, of(what)?, note.to_owned()));
    let (junit, junit_natively) = (of("50 MB of JUnit")?, of("50 MB of JUnit, native")?);
    let (through, natively) = (of("a run of the suite")?, of("a run of the suite, native")?);
    Ok(vec![
        plain("cold compile", "ms", "pytest's component, by Cranelift: once for each version of it")?,
        plain("warm load", "ms", "the same from the cache")?,
        plain("instantiate", "ms", "median of 1,000")?,
        plain("call", "ms", "`needs`, which gives back an empty list; mean of 1,000 instances' first calls")?,
        plain("memory of an instance, KiB", "KiB", "1,000 of them alive at once")?,
        plain("100,000 tests out", "ms", "found by the framework default in a list of ids")?,
        plain("100,000 tests in", "ms", "handed to pytest's worker, and made into its orders")?,
        figure(
            "50 MB of JUnit",
            "times",
            Some(2.0),
            junit / junit_natively,
            format!("to native code: {junit:.0} ms and {junit_natively:.0} ms"),
        ),
        figure(
            "a run of packaging",
            "%",
            Some(1.0),
            (through - natively) / wall / 10.0,
            format!("of {wall:.1} s added: all its calls take {through:.0} ms, in native code {natively:.0} ms"),
        ),
    ])
}

fn costs() -> Result<Value> {
    let cache = tempfile::tempdir().context("failed to make a directory")?;
    let mut command = Command::new(workspace::target().join("release").join("plugin_costs"));
    command.arg("all").arg("--suite").arg(fetch::default_dir().join("py").join("packaging-25.0"));
    command.arg("--python").arg(python::for_suites()?.join("python")).env("OFFLOAD_CACHE_DIR", cache.path());
    serde_json::from_str(&program::output(&mut command)?).context("failed to read the figures")
}

/// Seconds.
fn run_of_packaging() -> Result<f64> {
    let project = packaging::Project::new("bench-plugins")?;
    let mut walls = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let status = project.offload(&["--parallel", "1"]).status().context("failed to start offload")?;
        ensure!(status.success(), "offload ended with {status}");
        walls.push(begun.elapsed().as_secs_f64());
    }
    Ok(sample::median(walls))
}
