//! cargo-nextest's own runs beside those through offload.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::only::Only;
use super::sample::median;
use super::table::Figure;
use crate::{console, fetch, workspace};

const ROUNDS: usize = 5;

/// With everything built already: what is left is starting, listing and running.
pub fn measure(only: &Only) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    if only.has("indexmap") {
        let (ours, theirs) = pairs("indexmap-2.10.0")?;
        figures.push(Figure {
            what: "indexmap: to cargo nextest run".to_owned(),
            aim: Some(1.10),
            measured: median(ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect()),
            unit: "times",
            note: format!("{:.2} s, {:.2} s", median(ours), median(theirs)),
        });
    }
    if only.has("semver") {
        let (ours, theirs) = pairs("semver-1.0.26")?;
        figures.push(Figure {
            what: "semver: beyond cargo nextest run".to_owned(),
            aim: Some(0.4),
            measured: median(ours.iter().zip(&theirs).map(|(ours, theirs)| ours - theirs).collect()),
            unit: "s",
            note: format!("{:.2} s, {:.2} s", median(ours), median(theirs)),
        });
    }
    Ok(figures)
}

fn pairs(name: &str) -> Result<(Vec<f64>, Vec<f64>)> {
    let suite = fetch::default_dir().join("rs").join(name);
    let dir = workspace::target().join("bench").join(name);
    fs::create_dir_all(&dir).with_context(|| format!("failed to make {}", dir.display()))?;
    let build = workspace::target().join("bench").join("rs-target");
    let config = format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\nworking_dir = {suite:?}\n\n[groups.suite]\ntype = \"cargo\"\n\n\
         [provider]\ntype = \"local\"\nenv = {{ CARGO_TARGET_DIR = {build:?} }}\n\n[report]\noutput_dir = {:?}\n",
        dir.join("results"),
    );
    fs::write(dir.join("offload.toml"), config).context("failed to write offload.toml")?;
    let mut offload = Command::new(workspace::release_binary());
    offload.arg("run").current_dir(&dir);
    let mut nextest = Command::new("cargo");
    nextest.args(["nextest", "run"]).current_dir(&suite).env("CARGO_TARGET_DIR", &build);
    wall(&mut nextest, &build)?;
    wall(&mut offload, &build)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        ours.push(wall(&mut offload, &build)?);
        theirs.push(wall(&mut nextest, &build)?);
        console::say(&format!("{name}, round {round}: {:.2} s, {:.2} s", ours[round - 1], theirs[round - 1]));
    }
    Ok((ours, theirs))
}

fn wall(command: &mut Command, build: &PathBuf) -> Result<f64> {
    command.env("CARGO_TARGET_DIR", build);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let status = command.status().with_context(|| format!("failed to start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(begun.elapsed().as_secs_f64())
}
