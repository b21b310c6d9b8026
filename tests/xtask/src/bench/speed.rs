//! offload beside what people run today: pairs of runs, one after the other, as ratios.

use std::time::Instant;

use anyhow::{Context, Result};

use super::only::Only;
use super::sample::{geometric_mean, median};
use super::table::Figure;
use super::workload::{Runner, Workload};
use super::{crate_suites, sleeps, usage, vitest_suites};
use crate::console;

const ROUNDS: usize = 3;

/// All rows, in the order of the documentation.
pub fn measure(only: &Only) -> Result<Vec<Figure>> {
    let mut figures = pytest(only)?;
    if only.has("50,000 trivial tests") {
        figures.extend(many_tests()?);
    }
    figures.extend(crate_suites::measure(only)?);
    figures.extend(vitest_suites::measure(only)?);
    figures.extend(sleeps::measure(only)?);
    Ok(figures)
}

/// Against pytest-xdist with two processes, and for many small tests against plain pytest.
fn pytest(only: &Only) -> Result<Vec<Figure>> {
    let mut workloads = Workload::real()?;
    workloads.push(Workload::trivial(10_000)?);
    workloads.retain(|workload| only.has(&workload.name));
    let mut figures = Vec::new();
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for workload in &workloads {
        let runners = [Runner::Offload, Runner::OffloadAgain, Runner::Xdist, Runner::XdistWorksteal, Runner::Pytest];
        let times = rounds(workload, &runners)?;
        let [ours, again, load, worksteal, plain] = &times[..] else { unreachable!("as many as runners") };
        let faster: Vec<_> = load.iter().zip(worksteal).map(|(one, other)| one.min(*other)).collect();
        let ratio = paired(ours, &faster);
        first.push(ratio);
        later.push(paired(again, &faster));
        figures.push(Figure {
            what: format!("{}: to pytest -n 2", workload.name),
            aim: Some(0.95),
            measured: ratio,
            unit: "times",
            note: format!(
                "{:.1} s, with history {:.1} s; -n 2 {:.1} s, worksteal {:.1} s; plain pytest {:.1} s ({:.2} times)",
                median(ours.clone()),
                median(again.clone()),
                median(load.clone()),
                median(worksteal.clone()),
                median(plain.clone()),
                paired(ours, plain),
            ),
        });
        if workload.name.contains("trivial") {
            figures.push(Figure {
                what: format!("{}: to plain pytest", workload.name),
                aim: Some(0.80),
                measured: paired(ours, plain),
                unit: "times",
                note: "two workers".to_owned(),
            });
        }
    }
    let mean = |what: &str, aim, ratios: &[f64]| Figure {
        what: what.to_owned(),
        aim: Some(aim),
        measured: geometric_mean(ratios),
        unit: "times",
        note: "the faster of both ways of pytest-xdist, pair by pair".to_owned(),
    };
    if only.is_all() {
        figures.push(mean("geometric mean, first run", 0.75, &first));
        figures.push(mean("geometric mean, with history", 0.65, &later));
    }
    Ok(figures)
}

/// Five times as many tests take five times as long.
fn many_tests() -> Result<Vec<Figure>> {
    let (few, many) = (Workload::trivial(10_000)?, Workload::trivial(50_000)?);
    let (mut ratios, mut megabytes) = (Vec::new(), 0.0_f64);
    for round in 1..=ROUNDS {
        let short = wall(&few, Runner::Offload)?;
        let mut offload = many.command(Runner::Offload, 2)?.spawn().context("failed to start offload")?;
        let (usage, code) = usage::watch(&mut offload)?;
        many.check(Runner::Offload, code)?;
        console::say(&format!("50,000 trivial tests, round {round}: {:.2} s, {short:.2} s", usage.wall_seconds));
        ratios.push(usage.wall_seconds / short);
        megabytes = megabytes.max(usage.megabytes);
    }
    Ok(vec![
        Figure {
            what: "50,000 trivial tests: to 10,000".to_owned(),
            aim: Some(5.5),
            measured: median(ratios),
            unit: "times",
            note: "two workers".to_owned(),
        },
        Figure {
            what: "50,000 trivial tests: host memory".to_owned(),
            aim: Some(200.0),
            measured: megabytes,
            unit: "MB",
            note: "the peak of three runs, without the tests' processes".to_owned(),
        },
    ])
}

/// Seconds of each runner in each round; the runners take turns.
fn rounds(workload: &Workload, runners: &[Runner]) -> Result<Vec<Vec<f64>>> {
    let mut times = vec![Vec::new(); runners.len()];
    // Once before it counts: caches of files and of compiled components, and a history.
    wall(workload, Runner::Offload)?;
    wall(workload, Runner::OffloadAgain)?;
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
