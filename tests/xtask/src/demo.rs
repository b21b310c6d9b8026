//! `cargo xtask demo`: a first look at offload on a small suite, in one command.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{console, program, python, toolchain, workspace};

const FLAKY: &str = "tests/test_catalogue.py::test_price_of_coffee";
const FAILING: &str = "tests/test_cart.py::test_receipt_with_voucher";

const WHAT_COMES: &str = "
tests/suites/quickstart is a small shop with some twenty tests. Its offload.toml asks for two sandboxes on this machine.
One test is wrong and fails in every attempt. One is flaky: its first attempt fails, its second passes.
Here is what `offload run` makes of it:
";

/// Builds offload and runs it on the quickstart suite; an error where it does not say what it must.
pub fn run() -> Result<()> {
    console::step("wasm target", toolchain::wasm_target)?;
    console::step("release build (some minutes the first time)", || {
        program::run(program::cargo(workspace::root()).args(["build", "--release", "--package", "offload"]))
    })?;
    let python = console::step("pytest in target/pytest-venv", python::with_pytest)?;
    let project = copy_of_the_suite()?;
    console::say(WHAT_COMES);
    let (code, said) = run_offload(&project, &python)?;
    check(&project, code, &said)?;
    console::say(&explanation(&project));
    Ok(())
}

/// A copy under target/, so that what the run leaves does not end up among the sources.
fn copy_of_the_suite() -> Result<PathBuf> {
    let project = workspace::target().join("demo");
    if project.exists() {
        fs::remove_dir_all(&project).with_context(|| format!("failed to remove {}", project.display()))?;
    }
    program::run(Command::new("cp").arg("-R").arg(workspace::root().join("tests/suites/quickstart")).arg(&project))
        .context("failed to copy the quickstart suite")?;
    Ok(project)
}

/// The exit code, and everything that was shown.
fn run_offload(project: &Path, python: &Path) -> Result<(Option<i32>, String)> {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(python.to_owned()).chain(std::env::split_paths(&inherited)))
        .context("failed to put the demo's Python first in PATH")?;
    // The suite keeps its flaky state in the temporary directory; one of its own starts every demo alike.
    let temporary = project.join("tmp");
    fs::create_dir_all(&temporary).with_context(|| format!("failed to make {}", temporary.display()))?;
    console::say(&format!("$ cd {} && offload run", project.display()));
    let output = Command::new(workspace::release_binary())
        .arg("run")
        .current_dir(project)
        .env("PATH", path)
        .env("TMPDIR", temporary)
        .stdin(Stdio::null())
        .output()
        .context("failed to start offload")?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    console::say(said.trim_end());
    Ok((output.status.code(), said))
}

fn check(project: &Path, code: Option<i32>, said: &str) -> Result<()> {
    let Some(1) = code else {
        bail!("a suite with a failing test has to make offload exit 1, not {code:?}");
    };
    for name in ["test_price_of_coffee", "test_receipt_with_voucher"] {
        ensure!(said.contains(name), "offload did not name {name}");
    }
    let results = project.join("test-results");
    ensure!(results.join("junit.xml").is_file(), "there is no junit.xml in {}", results.display());
    let text = fs::read_to_string(results.join("results.json")).context("failed to read results.json")?;
    let json: Value = serde_json::from_str(&text).context("failed to read results.json")?;
    ensure!(json["exit_code"] == 1, "results.json says that offload exits {}", json["exit_code"]);
    expect_verdict(&json, FLAKY, "flaky")?;
    expect_verdict(&json, FAILING, "failed")
}

fn expect_verdict(results: &Value, id: &str, verdict: &str) -> Result<()> {
    let test = results["tests"].as_array().into_iter().flatten().find(|test| test["id"] == id);
    let found = test.map(|test| &test["verdict"]);
    ensure!(found.is_some_and(|found| found == verdict), "{id} has to be {verdict}, results.json says {found:?}");
    Ok(())
}

fn explanation(project: &Path) -> String {
    format!(
        "
What you have seen:
  test_price_of_coffee       flaky: failed, was run again by itself and passed. Alone it would make offload exit 2.
  test_receipt_with_voucher  failed: all three attempts did. Its text stands above, and offload exits 1.
  the rest                   passed, one skipped, one xfailed, each reported as just that.

To look at, in {results}:
  junit.xml      for CI: one testcase a test, failed attempts of flaky tests as flakyFailure
  results.json   every test with its verdict and all its attempts
  events.jsonl   everything that happened, in order
  logs/          what the tests' processes printed, whole

Offload did what it must. Try it on a project of yours:
  {binary} init --provider local --framework pytest
  {binary} run",
        results = project.join("test-results").display(),
        binary = workspace::release_binary().display(),
    )
}
