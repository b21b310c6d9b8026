//! The suite of packaging, 26,948 tests, with an `offload.toml`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{fetch, python, workspace};

/// A directory with the configuration; the suite itself is only read.
pub struct Project {
    pub dir: PathBuf,
    python: PathBuf,
    suite: PathBuf,
}

/// What offload's events say about where a run's time went, in seconds.
pub struct Spent {
    pub discovery: f64,
    pub batches: f64,
    /// Whether a worker discovered, so that this is part of its time.
    by_worker: bool,
}

impl Spent {
    /// All that the framework's processes took.
    pub fn in_framework(&self) -> f64 {
        if self.by_worker { self.batches } else { self.discovery + self.batches }
    }
}

impl Project {
    pub fn new(name: &str) -> Result<Self> {
        let dir = workspace::target().join(name);
        let python = python::for_suites()?.join("python");
        let suite = fetch::default_dir().join("py").join("packaging-25.0");
        fs::create_dir_all(&dir).with_context(|| format!("failed to make {}", dir.display()))?;
        let config = format!(
            "[offload]\nmax_parallel = 1\nretry_count = 0\nworking_dir = {suite:?}\n\n\
             [provider]\ntype = \"local\"\nenv = {{ PYTHONPATH = \"src\", PYTHONDONTWRITEBYTECODE = \"1\" }}\n\n\
             [groups.packaging]\ntype = \"pytest\"\npaths = [\"tests\"]\npython = {python:?}\n\
             extra_args = [\"-p\", \"no:cacheprovider\"]\n\n\
             [report]\noutput_dir = {results:?}\n",
            results = dir.join("results"),
        );
        fs::write(dir.join("offload.toml"), config).context("failed to write offload.toml")?;
        Ok(Self { dir, python, suite })
    }

    /// `offload run`, silent.
    pub fn offload(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(workspace::release_binary());
        command.arg("run").args(arguments).current_dir(&self.dir);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Plain pytest on the same suite, silent.
    pub fn pytest(&self) -> Command {
        let mut command = Command::new(&self.python);
        command
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"])
            .current_dir(&self.suite)
            .env("PYTHONPATH", "src")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// What the last run's events add up to.
    pub fn spent(&self) -> Result<Spent> {
        let path = self.dir.join("results").join("events.jsonl");
        let text = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
        let mut spent = Spent { discovery: 0.0, batches: 0.0, by_worker: false };
        for line in text.lines() {
            let event: Value = serde_json::from_str(line).context("failed to read an event")?;
            let seconds = event["seconds"].as_f64().unwrap_or(0.0);
            match event["event"].as_str() {
                Some("discovery-finished") => spent.discovery += seconds,
                Some("worker-started") => spent.by_worker = true,
                Some("batch-ended") => spent.batches += seconds,
                _ => {}
            }
        }
        Ok(spent)
    }

    /// Refuses figures of a run that did not do the work.
    pub fn check_result(&self) -> Result<()> {
        let path = self.dir.join("results").join("results.json");
        let text = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
        let results: Value = serde_json::from_str(&text).context("failed to read results.json")?;
        let passed = results["summary"]["passed"].as_u64();
        if passed != Some(26_948) {
            bail!("expected 26948 passed tests, results.json says {}", results["summary"]);
        }
        Ok(())
    }
}
