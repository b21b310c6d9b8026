//! What the host adds to a run.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::{packaging, sample, table::Figure};
use crate::console;

const ROUNDS: usize = 3;

/// With one sandbox no two processes of the framework run at once, so the wall time less the time in which the framework's
/// processes ran is the host's. Each round is a pair with plain pytest, whose ratio is shown beside.
pub fn measure() -> Result<Figure> {
    let project = packaging::Project::new("bench-overhead")?;
    let mut shares = Vec::new();
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let plain = wall(&mut project.pytest())?;
        let ours = wall(&mut project.offload(&["--parallel", "1"]))?;
        project.check_result()?;
        let spent = project.spent()?;
        let framework = spent.in_framework();
        let share = (ours - framework) / ours * 100.0;
        console::say(&format!(
            "round {round}: offload {ours:.2} s, of which discovery {:.2} s and batches {:.2} s, leaves {:.2} s \
             ({share:.1} %); plain pytest {plain:.2} s",
            spent.discovery,
            spent.batches,
            ours - framework,
        ));
        shares.push(share);
        ratios.push(ours / plain);
    }
    Ok(Figure {
        what: "host overhead on packaging".to_owned(),
        aim: Some(5.0),
        measured: sample::median(shares),
        unit: "%",
        note: format!(
            "median of {ROUNDS} pairs, one sandbox; wall {:.2} times that of plain pytest",
            sample::median(ratios)
        ),
    })
}

/// Seconds from start to end of a command that has to succeed.
fn wall(command: &mut Command) -> Result<f64> {
    let begun = Instant::now();
    let status = command.status().with_context(|| format!("failed to start {command:?}"))?;
    let taken = begun.elapsed().as_secs_f64();
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(taken)
}
