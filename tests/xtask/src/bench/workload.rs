//! Suites of pytest to be timed, and the ways to run them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{fetch, python, workspace};

/// The variable by which Python is kept from writing it: then every process compiles everything anew.
const NO_BYTE_CODE: &str = "PYTHONDONTWRITEBYTECODE";

/// One suite.
pub struct Workload {
    pub name: String,
    /// Where its tests are.
    suite: PathBuf,
    python_path: &'static str,
    extra_args: &'static [&'static str],
    /// What a run that did its work ends with: some suites fail on some machines, with every runner.
    codes: &'static [i32],
    tests: Option<u64>,
    /// Where `offload.toml` is.
    dir: PathBuf,
    python: PathBuf,
}

/// A way to run a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    Pytest,
    Xdist,
    XdistWorksteal,
    /// As if it were the first run.
    Offload,
    /// With the history of earlier runs.
    OffloadAgain,
}

impl Runner {
    fn is_offload(self) -> bool {
        matches!(self, Self::Offload | Self::OffloadAgain)
    }
}

impl Workload {
    /// The suites that the tests fetch.
    pub fn real() -> Result<Vec<Self>> {
        let suite = |folder: &str| fetch::default_dir().join("py").join(folder);
        Ok(vec![
            Self { tests: Some(26_948), ..Self::new("packaging", suite("packaging-25.0"), "src", &[], &[0])? },
            Self::new("attrs", suite("attrs-25.3.0"), "src", &[], &[0, 1])?,
            Self::new("more-itertools", suite("more_itertools-10.7.0"), ".", &[], &[0])?,
            Self::new("click", suite("click-8.2.1"), "src", &["--continue-on-collection-errors"], &[1])?,
        ])
    }

    /// So many tests that do nothing, a hundred a file.
    pub fn trivial(tests: u64) -> Result<Self> {
        let suite = workspace::target().join(format!("trivial-{tests}"));
        let folder = suite.join("tests");
        fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
        for file in 0..tests / 100 {
            let text: String = (0..100).map(|test| format!("def test_{test:02}():\n    assert True\n\n\n")).collect();
            fs::write(folder.join(format!("test_{file:04}.py")), text).context("failed to write a test")?;
        }
        let workload = Self::new(&format!("{tests} trivial tests"), suite, ".", &[], &[0])?;
        Ok(Self { tests: Some(tests), ..workload })
    }

    fn new(
        name: &str,
        suite: PathBuf,
        python_path: &'static str,
        extra_args: &'static [&'static str],
        codes: &'static [i32],
    ) -> Result<Self> {
        let dir = workspace::target().join("bench").join(name.replace(' ', "-"));
        fs::create_dir_all(&dir).with_context(|| format!("failed to make {}", dir.display()))?;
        let python = python::for_suites()?.join("python");
        Ok(Self { name: name.to_owned(), suite, python_path, extra_args, codes, tests: None, dir, python })
    }

    /// The command that runs it with so many processes, silent.
    pub fn command(&self, runner: Runner, processes: usize) -> Result<Command> {
        let mut command = match runner {
            Runner::Offload => self.offload(processes, false)?,
            Runner::OffloadAgain => self.offload(processes, true)?,
            Runner::Pytest => self.pytest(&[]),
            Runner::Xdist => self.pytest(&["-n", &processes.to_string()]),
            Runner::XdistWorksteal => self.pytest(&["-n", &processes.to_string(), "--dist", "worksteal"]),
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command)
    }

    fn pytest(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
            .args(self.extra_args)
            .args(arguments)
            .arg("tests")
            .current_dir(&self.suite)
            .env("PYTHONPATH", self.python_path)
            // Byte code is kept, as it is unless somebody asks for something else.
            .env_remove(NO_BYTE_CODE)
            // packaging parametrizes over sets: without this pytest-xdist finds different tests in each process and gives up.
            .env("PYTHONHASHSEED", "0");
        command
    }

    fn offload(&self, processes: usize, history: bool) -> Result<Command> {
        let quoted: Vec<_> =
            ["-p", "no:cacheprovider"].iter().chain(self.extra_args).map(|word| format!("{word:?}")).collect();
        let config = format!(
            "[offload]\nmax_parallel = {processes}\nretry_count = 0\nworking_dir = {suite:?}\n\n\
             [provider]\ntype = \"local\"\nenv = {{ PYTHONPATH = {path:?}, PYTHONHASHSEED = \"0\" }}\n\n\
             [groups.suite]\ntype = \"pytest\"\npaths = [\"tests\"]\npython = {python:?}\nextra_args = [{arguments}]\n\n\
             [report]\noutput_dir = {results:?}\n\n[history]\nenabled = {history}\n",
            suite = self.suite,
            path = self.python_path,
            python = self.python,
            arguments = quoted.join(", "),
            results = self.results(),
        );
        fs::write(self.dir.join("offload.toml"), config).context("failed to write offload.toml")?;
        let mut command = Command::new(workspace::release_binary());
        command.arg("run").current_dir(&self.dir).env_remove(NO_BYTE_CODE);
        Ok(command)
    }

    fn results(&self) -> PathBuf {
        self.dir.join("results")
    }

    /// Refuses figures of a run that did not do the work.
    pub fn check(&self, runner: Runner, code: Option<i32>) -> Result<()> {
        if !code.is_some_and(|code| self.codes.contains(&code)) {
            bail!("{} by {runner:?} ended with {code:?}, where {:?} was expected", self.name, self.codes);
        }
        if let (true, Some(tests)) = (runner.is_offload(), self.tests) {
            let passed = passed(&self.results().join("results.json"))?;
            if passed != Some(tests) {
                bail!("{} by offload: {passed:?} tests passed, where {tests} were expected", self.name);
            }
        }
        Ok(())
    }
}

fn passed(path: &Path) -> Result<Option<u64>> {
    let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    let results: Value = serde_json::from_str(&text).with_context(|| format!("failed to parse {}", path.display()))?;
    Ok(results["summary"]["passed"].as_u64())
}
