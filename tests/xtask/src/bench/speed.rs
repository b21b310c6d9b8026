//! offload beside what people run today: pairs of runs, one after the other, as ratios.

use std::time::Instant;

use anyhow::{Context, Result};

use super::sample::{geometric_mean, median};
use super::table::Figure;
use super::workload::{Runner, Workload};
use crate::console;

const ROUNDS: usize = 3;

/// Against pytest-xdist with two processes, and for many small tests against plain pytest.
pub fn measure() -> Result<Vec<Figure>> {
    let mut workloads = Workload::real()?;
    workloads.push(Workload::trivial(10_000)?);
    let mut figures = Vec::new();
    let mut ratios = Vec::new();
    for workload in &workloads {
        let times = rounds(workload, &[Runner::Offload, Runner::Xdist, Runner::XdistWorksteal, Runner::Pytest])?;
        let [ours, load, worksteal, plain] = &times[..] else { unreachable!("as many as runners") };
        let faster: Vec<_> = load.iter().zip(worksteal).map(|(one, other)| one.min(*other)).collect();
        let ratio = paired(ours, &faster);
        ratios.push(ratio);
        figures.push(Figure {
            what: format!("{}: to pytest -n 2", workload.name),
            aim: 0.95,
            measured: ratio,
            unit: "times",
            note: format!(
                "{:.1} s against {:.1} s, {:.1} s with worksteal, {:.1} s with plain pytest ({:.2} times)",
                median(ours.clone()),
                median(load.clone()),
                median(worksteal.clone()),
                median(plain.clone()),
                paired(ours, plain),
            ),
        });
    }
    figures.push(Figure {
        what: "all of these: geometric mean".to_owned(),
        aim: 0.75,
        measured: geometric_mean(&ratios),
        unit: "times",
        note: "the faster of both ways of pytest-xdist, pair by pair".to_owned(),
    });
    Ok(figures)
}

/// Seconds of each runner in each round; the runners take turns.
fn rounds(workload: &Workload, runners: &[Runner]) -> Result<Vec<Vec<f64>>> {
    let mut times = vec![Vec::new(); runners.len()];
    // Once before it counts: caches of files and of compiled components.
    wall(workload, runners[0])?;
    for round in 1..=ROUNDS {
        for (runner, times) in runners.iter().zip(&mut times) {
            times.push(wall(workload, *runner)?);
        }
        let last: Vec<_> = times.iter().map(|times| format!("{:.2} s", times[round - 1])).collect();
        console::say(&format!("{}, round {round}: {}", workload.name, last.join(", ")));
    }
    Ok(times)
}

fn wall(workload: &Workload, runner: Runner) -> Result<f64> {
    let mut command = workload.command(runner, 2)?;
    let begun = Instant::now();
    let status = command.status().with_context(|| format!("failed to start {command:?}"))?;
    let taken = begun.elapsed().as_secs_f64();
    workload.check(runner, status.code())?;
    Ok(taken)
}

/// The median of the ratios of pairs.
fn paired(ours: &[f64], theirs: &[f64]) -> f64 {
    median(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect())
}
