//! A small test suite on disk, and what the component makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use offload_framework_pytest::settings::Settings;
use offload_framework_pytest::{FinishedRun, Found, ResultFile, RunPlan, command, discovery, results};
use offload_plugin::junit;
use offload_plugin::types::{Captured, Context, Exit, Failure, Outcome, Test};
use serde_json::{Value, json};
use tempfile::TempDir;

pub struct Suite {
    dir: TempDir,
    table: Value,
    attempts: AtomicU32,
}

impl Suite {
    /// A directory with these files, and a group that says no more than which Python it is.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        // So that whatever lies above has no say in what is the root directory.
        fs::write(dir.path().join("pytest.ini"), "[pytest]\n").expect("pytest.ini");
        let suite = Self { dir, table: json!({ "python": python() }), attempts: AtomicU32::new(1) };
        for (path, contents) in files {
            suite.write(path, contents);
        }
        suite
    }

    /// The same with one more key in the group's table.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.table[key] = value.into();
        self
    }

    pub fn write(&self, path: &str, contents: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a file lies in a directory")).expect("a directory");
        fs::write(path, contents).expect("a file");
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// The Python that is handed over on the command line.
    pub fn source(&self) -> String {
        let plan = command::discovery(&self.settings(), &self.context(), &[]).expect("there is a command");
        let mut words = plan.command.argv.into_iter().skip_while(|word| word != "-c");
        words.nth(1).expect("the source follows -c")
    }

    pub fn discover(&self) -> Result<Found, Failure> {
        self.discover_in(&[])
    }

    pub fn discover_in(&self, paths: &[&str]) -> Result<Found, Failure> {
        let paths: Vec<String> = paths.iter().map(|&path| path.into()).collect();
        let (settings, context) = (self.settings(), self.context());
        let run = self.carry_out(&command::discovery(&settings, &context, &paths)?);
        discovery::read(&settings, &context, &paths, &run)
    }

    pub fn ids(&self) -> Vec<String> {
        self.discover().expect("discovered").tests.into_iter().map(|test| test.id).collect()
    }

    /// One batch.
    pub fn run(&self, tests: &[Test]) -> Result<Vec<Outcome>, Failure> {
        self.run_with_stdin_cut(tests, usize::MAX)
    }

    /// One batch in a sandbox that passes on no more than some bytes of standard input.
    pub fn run_with_stdin_cut(&self, tests: &[Test], kept: usize) -> Result<Vec<Outcome>, Failure> {
        let (settings, context) = (self.settings(), self.context());
        let mut plan = command::run(&settings, &context, tests)?;
        plan.stdin.truncate(kept);
        let run = self.carry_out(&plan);
        results::read(&settings, &context, &run).map(|results| results.outcomes)
    }

    /// The outcomes of all tests in one batch, by the names behind the last `::` of their ids.
    #[track_caller]
    pub fn outcomes(&self) -> BTreeMap<String, Outcome> {
        let tests = self.discover().expect("discovered").tests;
        let outcomes = self.run(&tests).expect("outcomes");
        outcomes.into_iter().map(|it| (it.id.rsplit("::").next().unwrap_or_default().to_owned(), it)).collect()
    }

    /// The status of every test and problem. Tests are dealt out to two batches, and those without an outcome are handed
    /// out again, as the host does it.
    #[track_caller]
    pub fn statuses(&self) -> BTreeMap<String, String> {
        let found = self.discover().expect("discovered");
        let mut statuses: BTreeMap<_, _> = found.problems.into_iter().map(|it| (it.id, it.status)).collect();
        for batch in 0..2 {
            let mut left: Vec<Test> = found.tests.iter().skip(batch).step_by(2).cloned().collect();
            while !left.is_empty() {
                let outcomes = self.run(&left).expect("outcomes");
                let mut settled = BTreeSet::new();
                for outcome in outcomes.into_iter().filter(|outcome| outcome.status != "session-failed") {
                    assert!(left.iter().any(|test| test.id == outcome.id), "nobody asked for {}", outcome.id);
                    settled.insert(outcome.id.clone());
                    assert!(statuses.insert(outcome.id, outcome.status).is_none(), "a second outcome");
                }
                assert!(!settled.is_empty(), "no outcome for any of {left:?}");
                left.retain(|test| !settled.contains(&test.id));
            }
        }
        statuses
    }

    #[track_caller]
    pub fn check_statuses(&self, expected: &[(&str, &str)]) {
        let expected: BTreeMap<_, _> = expected.iter().map(|&(id, status)| (id.into(), status.into())).collect();
        assert_eq!(self.statuses(), expected);
    }

    /// What pytest's own JUnit XML calls its tests: class name and name.
    pub fn junit_addresses(&self) -> BTreeSet<(String, String)> {
        let report = self.path("junit.xml");
        let ran = Command::new(python())
            .args(["-m", "pytest", "-o", "addopts=", "--junitxml"])
            .arg(&report)
            .current_dir(self.dir.path())
            .output()
            .expect("pytest runs");
        let xml = fs::read(&report).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&ran.stdout)));
        let cases = junit::read(&xml).expect("JUnit XML").cases;
        cases.into_iter().map(|case| (case.classname.unwrap_or_default(), case.name)).collect()
    }

    fn settings(&self) -> Settings {
        offload_plugin::settings::parse(&self.table.to_string()).expect("settings")
    }

    fn context(&self) -> Context {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        let scratch = self.path(&format!(".scratch-{attempt}-")).to_string_lossy().into_owned();
        Context { scratch, nonce: format!("nonce-{attempt}"), attempt, memo: None }
    }

    fn carry_out(&self, plan: &RunPlan) -> FinishedRun {
        let (program, arguments) = plan.command.argv.split_first().expect("a program");
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(self.dir.path())
            .env_remove("PYTEST_ADDOPTS")
            // Whatever else is installed there takes longer to load than pytest itself.
            .env("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("python starts");
        // A process that ends without reading it is no error of ours.
        let _ = child.stdin.take().expect("a pipe").write_all(&plan.stdin);
        let output = child.wait_with_output().expect("python ends");
        let exit = match output.status.code() {
            Some(code) => Exit::Code(code),
            None => Exit::Signal(output.status.signal().unwrap_or_default()),
        };
        let files =
            plan.result_files.iter().map(|path| ResultFile { path: path.clone(), contents: fs::read(path).ok() });
        FinishedRun { output: Captured { exit, stdout: output.stdout, stderr: output.stderr }, files: files.collect() }
    }
}

/// A Python with pytest and pytest-xdist.
pub fn python() -> String {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/suites-venv/bin/python");
    let python = std::env::var("OFFLOAD_TEST_PYTHON").unwrap_or_else(|_| built.to_string_lossy().into_owned());
    assert!(
        Path::new(&python).exists(),
        "a Python with pytest is missing: {python}. `cargo xtask test` brings it; OFFLOAD_TEST_PYTHON names another"
    );
    python
}
