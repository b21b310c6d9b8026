//! What the frameworks say without offload, and how it compares.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Project, Results, engines};

/// Status by test: passed, failed, error, skipped, xfailed, xpassed.
pub type Outcomes = BTreeMap<String, String>;

/// Runs plain pytest in a project's directory, with a plugin that notes every outcome.
#[track_caller]
pub fn plain_pytest(python: &Path, project: &Project, python_path: &str, arguments: &[&str]) -> Outcomes {
    let search = format!("{}:{python_path}", programs().display());
    let mut command = Command::new(python);
    command.args(["-m", "pytest", "-q", "-p", "plain_outcomes", "-p", "no:cacheprovider"]).args(arguments);
    noted(command.env("PYTHONPATH", search), project)
}

/// Runs `python -m unittest` with these arguments in a project's directory, and notes every outcome.
#[track_caller]
pub fn plain_unittest(python: &Path, project: &Project, arguments: &[&str]) -> Outcomes {
    noted(Command::new(python).arg(programs().join("plain_unittest.py")).args(arguments), project)
}

fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("suites/plain")
}

/// What a command notes in the file that PLAIN_OUTCOMES names.
#[track_caller]
fn noted(command: &mut Command, project: &Project) -> Outcomes {
    let notes = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    let output = command
        .current_dir(project.path())
        // Some suites write files of fixed names there.
        .env("TMPDIR", project.temporary())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PLAIN_OUTCOMES", notes.path())
        .stdin(Stdio::null())
        .output()
        .expect("Python starts");
    let text = std::fs::read_to_string(notes.path()).expect("the notes can be read");
    serde_json::from_str(&text).unwrap_or_else(|error| {
        let said = [output.stdout, output.stderr].concat();
        panic!("{command:?} noted nothing ({error}); it said:\n{}", String::from_utf8_lossy(&said))
    })
}

/// Runs plain `cargo nextest run` in a directory. Ids are `<binary> <test>`, without the package where it is the binary.
#[track_caller]
pub fn plain_nextest(directory: &Path) -> Outcomes {
    let mut command = Command::new("cargo");
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if (text.starts_with("NEXTEST") || text.starts_with("CARGO_")) && text != "CARGO_HOME" {
            command.env_remove(&name);
        }
    }
    let output = command
        .args(["nextest", "run", "--no-fail-fast", "--message-format", "libtest-json-plus"])
        .env("NEXTEST_EXPERIMENTAL_LIBTEST_JSON", "1")
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .expect("cargo starts");
    let mut outcomes = Outcomes::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
        if event["type"] != "test" {
            continue;
        }
        let status = match event["event"].as_str() {
            Some("ok") => "passed",
            Some("failed") => "failed",
            Some("ignored") => "skipped",
            _ => continue,
        };
        // "package::binary$module::test"
        let name = event["name"].as_str().expect("a test has a name");
        outcomes.insert(name.to_owned(), status.to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!outcomes.is_empty(), "plain nextest in {} ran nothing; it said:\n{said}", directory.display());
    outcomes
}

/// Runs plain `go test` in a directory. Ids are ours, and the last word on a test counts: on the way go can be told lies.
#[track_caller]
pub fn plain_go_test(directory: &Path) -> Outcomes {
    let output = Command::new(engines::go())
        .args(["test", "-json", "-count=1", "./..."])
        .envs(engines::go_environment())
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .expect("go starts");
    let mut outcomes = Outcomes::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
        let Some(test) = event["Test"].as_str().filter(|test| !test.contains('/')) else { continue };
        let status = match event["Action"].as_str() {
            Some("pass") => "passed",
            Some("fail") => "failed",
            Some("skip") => "skipped",
            _ => continue,
        };
        let package = event["Package"].as_str().expect("a test has a package");
        outcomes.insert(format!("{package}.{test}"), status.to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!outcomes.is_empty(), "plain go test in {} ran nothing; it said:\n{said}", directory.display());
    outcomes
}

/// Runs plain vitest in a project's directory. Ids are the file and the names with ` > ` between them; those of the same
/// names are counted.
#[track_caller]
pub fn plain_vitest(project: &Project) -> Outcomes {
    // What vitest looks up is the path without links.
    let directory = project.path().canonicalize().expect("the project is there");
    let report = project.beside().join("plain.json");
    let output = Command::new("npx")
        .args(["--no-install", "vitest", "run", "--reporter=json"])
        .arg(format!("--outputFile={}", report.display()))
        .current_dir(&directory)
        .env_remove("CI")
        .stdin(Stdio::null())
        .output()
        .expect("npx starts");
    let text = std::fs::read_to_string(&report).unwrap_or_default();
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|error| {
        let said = String::from_utf8_lossy(&output.stderr);
        panic!("plain vitest in {} reported nothing ({error}); it said:\n{said}", directory.display())
    });
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().expect("it is text").to_owned();
    let mut outcomes = Outcomes::new();
    let mut counts = BTreeMap::new();
    for file in list(&report["testResults"]) {
        let path = text(&file["name"]);
        let path = Path::new(&path).strip_prefix(&directory).expect("the file lies in the project").to_owned();
        for test in list(&file["assertionResults"]) {
            let names = list(&test["ancestorTitles"]).iter().chain([&test["title"]]).map(text).collect::<Vec<_>>();
            let id = format!("{} > {}", path.display(), names.join(" > "));
            let count = counts.entry(id.clone()).and_modify(|count| *count += 1).or_insert(1);
            let id = if *count == 1 { id } else { format!("{id} #{count}") };
            let status = if test["status"] == "todo" { "skipped".to_owned() } else { text(&test["status"]) };
            outcomes.insert(id, status);
        }
    }
    outcomes
}

/// Holds what offload reports against what the framework says by itself: nothing missing, nothing extra, nothing different.
/// `None` where they agree, otherwise what differs.
pub fn compare(plain: &Outcomes, results: &Results, name_of: impl Fn(&str) -> String) -> Option<String> {
    let mut ours = Outcomes::new();
    let mut complaints = Vec::new();
    for test in &results.tests {
        let name = name_of(&test.id);
        // A module that skipped itself is a result here and none in the framework's own account.
        if test.verdict == "skipped" && !plain.contains_key(&name) && !name.contains("::") {
            continue;
        }
        let status = match test.verdict.as_str() {
            "flaky" => "passed",
            "crashed" | "timed-out" => "failed",
            other => other,
        };
        if ours.insert(name.clone(), status.to_owned()).is_some() {
            complaints.push(format!("twice: {name:?}"));
        }
    }
    for (name, status) in plain {
        match ours.get(name) {
            None => complaints.push(format!("missing: {name:?}, which is {status}")),
            Some(other) if other != status => {
                complaints.push(format!("different: {name:?} is {status}, offload says {other}"));
            }
            Some(_) => {}
        }
    }
    complaints.extend(ours.keys().filter(|name| !plain.contains_key(*name)).map(|name| format!("extra: {name:?}")));
    if complaints.is_empty() {
        return None;
    }
    let count = complaints.len();
    complaints.truncate(20);
    Some(format!("{count} of {} differ:\n{}", plain.len(), complaints.join("\n")))
}
