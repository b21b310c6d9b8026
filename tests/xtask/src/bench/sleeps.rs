//! Tests that only sleep: what is left of a makespan is the schedule's, and the host's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::only::Only;
use super::sample::median;
use super::table::Figure;
use super::usage;
use crate::{console, workspace};

const ROUNDS: usize = 3;

/// Seconds that the uneven tests take together, and at the most each.
const TOTAL: f64 = 160.0;
const LONGEST: f64 = 6.0;

/// Sleeps as long as each id says, and writes JUnit.
const RUNNER: &str = "out=$1; shift; { echo '<testsuite>'; for id; do s=${id#*-}; sleep $s; \
                      echo \"<testcase name='$id' time='$s'/>\"; done; echo '</testsuite>'; } > $out\n";

/// Few sandboxes and many, first runs and later ones; and three hundred sandboxes at once.
pub fn measure(only: &Only) -> Result<Vec<Figure>> {
    let durations = uneven(400);
    let mut figures = vec![];
    for (sandboxes, first, later) in [(10, 1.15, 1.05), (50, 1.05, 1.10)] {
        if only.has(&format!("uneven sleeps, {sandboxes} sandboxes")) {
            figures.extend(makespans(&durations, sandboxes, first, later)?);
        }
    }
    if only.has("300 sandboxes") {
        figures.extend(crowd()?);
    }
    Ok(figures)
}

/// A few tests take most of the time (a Pareto distribution), in an order that is mixed by a multiplication.
fn uneven(count: usize) -> Vec<f64> {
    let place = |index: usize| ((index * 7919) % count) as f64 / count as f64;
    let shape = |index: usize| (1.0 - place(index)).powf(-0.8);
    // Cutting off what is too long changes the sum, so that is done to the end.
    let (mut scale, mut durations) = (1.0, Vec::new());
    for _ in 0..50 {
        durations = (0..count).map(|index| (shape(index) * scale).min(LONGEST)).collect();
        scale *= TOTAL / durations.iter().sum::<f64>();
    }
    durations
}

fn makespans(durations: &[f64], sandboxes: usize, first: f64, later: f64) -> Result<[Figure; 2]> {
    let total: f64 = durations.iter().sum();
    let bound = durations.iter().copied().fold(0.0, f64::max).max(total / sandboxes as f64);
    let (mut cold, mut warm, mut listed) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let project = Project::new(&format!("sleeps-{sandboxes}"), durations, sandboxes)?;
        cold.push(project.run()?);
        warm.push(project.run()?);
        listed.push(project.list_schedule(sandboxes)?);
        console::say(&format!(
            "{sandboxes} sandboxes, round {round}: first {:.2} s, later {:.2} s, xargs {:.2} s, bound {bound:.2} s",
            cold[round - 1],
            warm[round - 1],
            listed[round - 1]
        ));
    }
    let to = |times: &[f64], bounds: f64| median(times.iter().map(|time| time / bounds).collect());
    let (measured, of) = if sandboxes == 10 {
        (to(&cold, bound), "the bound")
    } else {
        (median(cold.iter().zip(&listed).map(|(ours, theirs)| ours / theirs).collect()), "xargs -P (list scheduling)")
    };
    Ok([
        Figure {
            what: format!("uneven sleeps, {sandboxes} sandboxes, first run"),
            aim: Some(first),
            measured,
            unit: "times",
            note: format!("makespan to {of}; {:.2} times the bound of {bound:.1} s", to(&cold, bound)),
        },
        Figure {
            what: format!("uneven sleeps, {sandboxes} sandboxes, history"),
            aim: Some(later),
            measured: to(&warm, bound),
            unit: "times",
            note: "makespan to the bound, starting and ending included".to_owned(),
        },
    ])
}

/// Three hundred sandboxes, each with a test that sleeps.
fn crowd() -> Result<[Figure; 2]> {
    let (mut cpu, mut megabytes) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let project = Project::new("crowd", &vec![2.0; 600], 300)?;
        let mut offload = project.command().spawn().context("failed to start offload")?;
        let (usage, code) = usage::watch(&mut offload)?;
        project.check(code)?;
        console::say(&format!("300 sandboxes: {usage:?}"));
        cpu.push(usage.cpu_seconds);
        megabytes.push(usage.megabytes);
    }
    let figure = |what: &str, aim, measured, unit| Figure {
        what: format!("300 sandboxes: {what} of the host"),
        aim: Some(aim),
        measured,
        unit,
        note: "600 tests that sleep two seconds, without their processes".to_owned(),
    };
    Ok([figure("CPU", 5.0, median(cpu), "s"), figure("memory", 150.0, median(megabytes), "MB")])
}

struct Project {
    dir: PathBuf,
    tests: usize,
}

impl Project {
    /// A fresh directory, without history.
    fn new(name: &str, durations: &[f64], sandboxes: usize) -> Result<Self> {
        let dir = workspace::target().join("bench").join(name);
        if dir.exists() {
            fs::remove_dir_all(&dir).with_context(|| format!("failed to remove {}", dir.display()))?;
        }
        fs::create_dir_all(&dir).with_context(|| format!("failed to make {}", dir.display()))?;
        let ids: String =
            durations.iter().enumerate().map(|(index, seconds)| format!("t{index}-{seconds:.3}\n")).collect();
        write(&dir, "ids", &ids)?;
        write(&dir, "run.sh", RUNNER)?;
        let config = format!(
            "[offload]\nmax_parallel = {sandboxes}\nretry_count = 0\n\n[groups.sleeps]\ntype = \"default\"\n\
             discover_command = \"cat ids\"\nrun_command = \"sh run.sh {{result_file}} {{tests}}\"\n"
        );
        write(&dir, "offload.toml", &config)?;
        Ok(Self { dir, tests: durations.len() })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(workspace::release_binary());
        command.arg("run").current_dir(&self.dir);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Seconds from start to end.
    fn run(&self) -> Result<f64> {
        let begun = Instant::now();
        let status = self.command().status().context("failed to start offload")?;
        let taken = begun.elapsed().as_secs_f64();
        self.check(status.code())?;
        Ok(taken)
    }

    /// The same tests one at a time in their order, each to whoever is free.
    fn list_schedule(&self, processes: usize) -> Result<f64> {
        let begun = Instant::now();
        let status = Command::new("xargs")
            .args(["-P", &processes.to_string(), "-n", "1", "sh", "run.sh", "/dev/null"])
            .stdin(fs::File::open(self.dir.join("ids")).context("failed to open the ids")?)
            .current_dir(&self.dir)
            .status()
            .context("failed to start xargs")?;
        if !status.success() {
            bail!("xargs ended with {status}");
        }
        Ok(begun.elapsed().as_secs_f64())
    }

    fn check(&self, code: Option<i32>) -> Result<()> {
        let path = self.dir.join("test-results").join("results.json");
        let text = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
        let results: Value = serde_json::from_str(&text).context("failed to read results.json")?;
        if code != Some(0) || results["summary"]["passed"] != self.tests {
            bail!("offload ended with {code:?} and {}", results["summary"]);
        }
        Ok(())
    }
}

fn write(dir: &Path, name: &str, text: &str) -> Result<()> {
    fs::write(dir.join(name), text).with_context(|| format!("failed to write {name} in {}", dir.display()))
}
