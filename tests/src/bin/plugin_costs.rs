//! What `cargo xtask bench plugins` runs: what it costs that plugins are components. Prints one JSON object; all times are
//! in milliseconds.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Parser, Subcommand};
use offload::plugin::{FrameworkComponent, Kind, Source, contract};
use offload_framework_default::ShellCommands;
use offload_framework_pytest::Pytest;
use offload_plugin::prelude::*;
use serde_json::{Value, json};

/// What the default framework is set to, with results in a JUnit file.
const REPORTING: &str = r#"{"discover_command": "list", "run_command": "run {tests}", "result_file": "junit.xml"}"#;

const TESTS: usize = 100_000;
const JUNIT_BYTES: usize = 50 << 20;
const INSTANCES: usize = 1000;
const ROUNDS: usize = 5;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    measured: Measured,
}

#[derive(Subcommand)]
enum Measured {
    /// Everything
    All {
        /// A directory with tests of pytest
        #[arg(long)]
        suite: PathBuf,
        /// A Python that can run them
        #[arg(long)]
        python: PathBuf,
    },
    /// How long pytest's component takes to load
    Load,
    /// How long a large JUnit file takes to be read
    Junit {
        /// By the plugin's code as it is compiled for this machine, not by its component
        #[arg(long)]
        native: bool,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let measured = match Arguments::parse().measured {
        Measured::All { suite, python } => all(&suite, &python).await?,
        Measured::Load => json!(load_once()?),
        Measured::Junit { native: false } => json!(junit().await?),
        Measured::Junit { native: true } => json!(junit_natively()?),
    };
    writeln!(std::io::stdout(), "{measured}").context("cannot write to standard output")
}

async fn all(suite: &Path, python: &Path) -> Result<Value> {
    let mut figures = serde_json::Map::new();
    let mut tell = |name: &str, value: f64| drop(figures.insert(name.to_owned(), json!(value)));

    // The cache is empty: see OFFLOAD_CACHE_DIR where this is started.
    let (component, cold) = timed(|| load("pytest", "{}"));
    let component = component?;
    tell("cold compile", cold);
    let [warm] = in_other_processes([&["load"]])?;
    tell("warm load", warm);

    let mut alive = Vec::with_capacity(INSTANCES);
    let mut took = Vec::new();
    let before = resident()?;
    for _ in 0..INSTANCES {
        let begun = Instant::now();
        alive.push(component.instantiate().await.map_err(failed)?);
        took.push(millis(begun));
    }
    tell("memory of an instance, KiB", (resident()? - before) / INSTANCES as f64);
    tell("instantiate", median(took));
    let begun = Instant::now();
    for instance in &mut alive {
        black_box(instance.needs().await?);
    }
    tell("call", millis(begun) / INSTANCES as f64);
    drop(alive);

    tell("100,000 tests out", tests_out().await?);
    tell("100,000 tests in", tests_in(&component).await?);

    let [through, native] = in_other_processes([&["junit"], &["junit", "--native"]])?;
    tell("50 MB of JUnit", through);
    tell("50 MB of JUnit, native", native);

    let (through, native) = packaging(suite, python).await?;
    tell("a run of the suite", through);
    tell("a run of the suite, native", native);
    Ok(Value::Object(figures))
}

fn load(name: &str, settings: &str) -> Result<FrameworkComponent> {
    let source = Source::built_in(Kind::Framework, name);
    FrameworkComponent::load(&source, settings.into(), Arc::new(|_, _| ())).map_err(|error| anyhow!("{error}"))
}

fn load_once() -> Result<f64> {
    let (component, took) = timed(|| load("pytest", "{}"));
    component?;
    Ok(took)
}

/// What this program measures with each of these arguments in processes of their own, in turn. That is how a run finds its
/// machine: nothing is loaded, and no memory is at hand that something else has used before.
fn in_other_processes<const N: usize>(measured: [&[&str]; N]) -> Result<[f64; N]> {
    let mut took = measured.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (arguments, took) in measured.iter().zip(&mut took) {
            let mut other = Command::new(std::env::current_exe().context("a program knows its own path")?);
            let output = other.args(*arguments).stderr(Stdio::inherit()).output().context("failed to start")?;
            anyhow::ensure!(output.status.success(), "`{}` ended with {}", arguments.join(" "), output.status);
            took.push(serde_json::from_slice(&output.stdout)?);
        }
    }
    Ok(took.map(median))
}

/// The default framework reads a list of ids.
async fn tests_out() -> Result<f64> {
    let component = load("default", REPORTING)?;
    let mut listed = String::new();
    (0..TESTS)
        .for_each(|number| writeln!(listed, "tests/test_some_file.ext::a test of usual length[{number}]").unwrap());
    let asked = component.instantiate().await.map_err(failed)?.discover(&context(), &[], &[]).await.map_err(failed)?;
    let contract::Discovery::Run(plan) = asked else { bail!("the framework asks for no command") };
    let path = plan.result_files.into_iter().next().context("the framework reads no file")?;
    let output = contract::Captured { exit: contract::Exit::Code(0), stdout: Vec::new(), stderr: Vec::new() };
    let file = contract::ResultFile { path, contents: Some(listed.into_bytes()) };
    let runs = [contract::FinishedRun { output, files: vec![file] }];
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let mut instance = component.instantiate().await.map_err(failed)?;
        let begun = Instant::now();
        let found = instance.discover(&context(), &[], &runs).await.map_err(failed)?;
        took.push(millis(begun));
        match found {
            contract::Discovery::Found(found) if found.tests.len() == TESTS => {}
            _ => bail!("the framework did not find the tests"),
        }
    }
    Ok(median(took))
}

/// pytest's worker is handed them at once.
async fn tests_in(component: &FrameworkComponent) -> Result<f64> {
    let id = |number| format!("tests/test_some_file.py::test_of_usual_length[{number}]");
    let tests: Vec<_> =
        (0..TESTS).map(|number| in_contract(&Test { unit: Some("f.py".into()), ..Test::new(id(number)) })).collect();
    let tests = tests.into_iter().collect::<Result<Vec<contract::Test>>>()?;
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let mut instance = component.instantiate().await.map_err(failed)?;
        instance.start(&context(), false).await.map_err(failed)?;
        let begun = Instant::now();
        let bytes = instance.assign(&tests).await?;
        took.push(millis(begun));
        anyhow::ensure!(bytes.len() > TESTS * 50, "the tests were not handed over");
    }
    Ok(median(took))
}

/// A large JUnit file, read by the component.
async fn junit() -> Result<f64> {
    let (tests, file) = large_junit()?;
    let tests = tests.iter().map(in_contract).collect::<Result<Vec<contract::Test>>>()?;
    let output = contract::Captured { exit: contract::Exit::Code(0), stdout: Vec::new(), stderr: Vec::new() };
    let file = contract::ResultFile { path: "junit.xml".into(), contents: Some(file) };
    let run = contract::FinishedRun { output, files: vec![file] };
    let mut instance = load("default", REPORTING)?.instantiate().await.map_err(failed)?;
    let begun = Instant::now();
    let outcomes = instance.parse_results(&context(), &tests, &run).await.map_err(failed)?;
    let took = millis(begun);
    anyhow::ensure!(outcomes.len() == tests.len(), "{} outcomes of {} tests", outcomes.len(), tests.len());
    Ok(took)
}

/// The same file, read by the same code compiled for this machine.
fn junit_natively() -> Result<f64> {
    let (tests, file) = large_junit()?;
    let output = Captured { exit: Exit::Code(0), stdout: Vec::new(), stderr: Vec::new() };
    let run = FinishedRun { output, files: vec![ResultFile { path: "junit.xml".into(), contents: Some(file) }] };
    let settings = offload_plugin::settings::parse(REPORTING).map_err(|failure| anyhow!("{failure:?}"))?;
    let mut plugin = ShellCommands::new(settings).map_err(|failure| anyhow!("{failure:?}"))?;
    let begun = Instant::now();
    let outcomes = plugin.parse_results(&native_context(), &tests, &run).map_err(|failure| anyhow!("{failure:?}"))?;
    let took = millis(begun);
    anyhow::ensure!(outcomes.len() == tests.len(), "{} outcomes of {} tests", outcomes.len(), tests.len());
    Ok(took)
}

/// Tests, and what their runner writes of them.
fn large_junit() -> Result<(Vec<Test>, Vec<u8>)> {
    let mut junit = String::from("<testsuites><testsuite name=\"s\">");
    let mut tests = Vec::new();
    while junit.len() < JUNIT_BYTES {
        let id = format!("test number {}", tests.len());
        let output = "some line of output, as tests print them &amp; more\n".repeat(8);
        writeln!(
            junit,
            "<testcase classname=\"c\" name=\"{id}\" time=\"0.01\"><system-out>{output}</system-out></testcase>"
        )?;
        tests.push(Test::new(id));
    }
    junit.push_str("</testsuite></testsuites>");
    Ok((tests, junit.into_bytes()))
}

/// What a worker said that ran a whole suite, taken in by the component and by the same code compiled for this machine.
async fn packaging(suite: &Path, python: &Path) -> Result<(f64, f64)> {
    let settings = json!({"paths": ["tests"], "python": python, "extra_args": ["-p", "no:cacheprovider"]}).to_string();
    let scratch = tempfile::tempdir()?;
    let prefix = scratch.path().join("1-").to_string_lossy().into_owned();
    let native_context = || Context { scratch: prefix.clone(), ..native_context() };
    let plugin = || -> Result<Pytest> {
        let settings = offload_plugin::settings::parse(&settings).map_err(|failure| anyhow!("{failure:?}"))?;
        Pytest::new(settings).map_err(|failure| anyhow!("{failure:?}"))
    };
    let said = record(&mut plugin()?, &native_context(), suite)?;
    let component = load("pytest", &settings)?;
    let (mut through, mut native) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let mut instance = component.instantiate().await.map_err(failed)?;
        instance.start(&contract::Context { scratch: prefix.clone(), ..context() }, true).await.map_err(failed)?;
        let mut tests = Vec::new();
        for piece in &said {
            for event in instance.observe("stdout", piece).await? {
                if let contract::Observed::Part(found) | contract::Observed::Found(found) = event {
                    tests.extend(found.tests);
                }
            }
        }
        black_box(instance.assign(&tests).await?);
        through.push(millis(begun));

        let begun = Instant::now();
        let mut plugin = plugin()?;
        plugin.start(&native_context(), true).map_err(|failure| anyhow!("{failure:?}"))?;
        let mut found_natively = Vec::new();
        for piece in &said {
            for event in plugin.observe("stdout", piece.clone()) {
                if let Event::Part(found) | Event::Found(found) = event {
                    found_natively.extend(found.tests);
                }
            }
        }
        black_box(plugin.assign(&found_natively));
        native.push(millis(begun));
        anyhow::ensure!(tests.len() == found_natively.len() && !tests.is_empty(), "the two found different tests");
    }
    Ok((median(through), median(native)))
}

/// Runs the suite with one worker; gives the pieces in which its words came.
fn record(plugin: &mut Pytest, context: &Context, suite: &Path) -> Result<Vec<Vec<u8>>> {
    let launch = plugin.start(context, true).map_err(|failure| anyhow!("{failure:?}"))?;
    let mut command = Command::new(&launch.command.argv[0]);
    command.args(&launch.command.argv[1..]).envs(launch.command.env).current_dir(suite).env("PYTHONPATH", "src");
    command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut worker = command.spawn().context("the worker does not start")?;
    let mut to = worker.stdin.take().context("no standard input")?;
    let mut from = worker.stdout.take().context("no standard output")?;
    to.write_all(&launch.greeting)?;
    let (mut pieces, mut tests) = (Vec::new(), Vec::new());
    let mut piece = vec![0; 64 << 10];
    loop {
        let length = from.read(&mut piece)?;
        if length == 0 {
            break;
        }
        pieces.push(piece[..length].to_vec());
        for event in plugin.observe("stdout", piece[..length].to_vec()) {
            match event {
                Event::Part(found) => tests.extend(found.tests),
                Event::Found(found) => {
                    tests.extend(found.tests);
                    to.write_all(&plugin.assign(&tests))?;
                    to.write_all(&plugin.finish())?;
                }
                _ => {}
            }
        }
    }
    worker.wait()?;
    Ok(pieces)
}

/// The same test in the words of the other side.
fn in_contract(test: &Test) -> Result<contract::Test> {
    Ok(serde_json::from_value(serde_json::to_value(test)?)?)
}

fn context() -> contract::Context {
    contract::Context { scratch: "/tmp/1-".into(), nonce: "nonce".into(), attempt: 1, memo: None }
}

fn native_context() -> Context {
    Context { scratch: "/tmp/1-".into(), nonce: "nonce".into(), attempt: 1, memo: None }
}

fn failed(failure: offload::model::Failure) -> anyhow::Error {
    anyhow!("{failure}")
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begun = Instant::now();
    let result = work();
    (result, millis(begun))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn millis(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

/// In KiB.
fn resident() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
