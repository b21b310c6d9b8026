//! The command that lists tests, and what it listed.

use std::collections::BTreeMap;

use offload_plugin::framework::{FinishedRun, RunPlan};
use offload_plugin::types::{Command, Context, Exit, Failure, Found, Test};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::built::Built;
use crate::name::TestName;
use crate::settings::Settings;
use crate::trouble;

/// The list goes through a file, since only so much of standard output is kept; and it says where it was made. What cargo
/// says of the packages is asked for beside it, for the batches: nextest asks anew for each command that is not told.
const SCRIPT: &str = r#"list=$1 place=$2 packages=$3; shift 3
pwd -P >"$place" || exit
cargo metadata --format-version 1 --all-features --filter-platform host-tuple >"$packages" 2>/dev/null &
asked=$!
"$@" >"$list"; ended=$?
wait "$asked" || rm -f "$packages"
exit "$ended""#;

pub fn plan(settings: &Settings, context: &Context) -> RunPlan {
    let list = format!("{}list.json", context.scratch);
    let place = format!("{}place", context.scratch);
    let packages = format!("{}packages.json", context.scratch);
    let mut argv = ["sh", "-c", SCRIPT, "sh", &list, &place, &packages].map(str::to_owned).to_vec();
    argv.extend(["cargo", "nextest", "list", "--message-format", "json"].map(str::to_owned));
    argv.extend(settings.selection());
    RunPlan {
        command: Command { argv, env: Vec::new(), cwd: None },
        stdin: Vec::new(),
        result_files: vec![list, place, packages],
    }
}

/// The tests that nextest listed; with `paths`, those of a binary or a module that is named there.
///
/// # Errors
/// A build that failed, a missing nextest, or a listing that cannot be read.
pub fn read(run: &FinishedRun, paths: &[String]) -> Result<Found, Failure> {
    if run.output.exit != Exit::Code(0) {
        return Err(trouble::explain(&run.output, "discovery-failed"));
    }
    let listed = run.files.first().and_then(|file| file.contents.as_deref()).unwrap_or_default();
    let listing: Listing = serde_json::from_slice(listed).map_err(|error| {
        Failure::new(
            "discovery-failed",
            format!("the list of tests that cargo-nextest printed cannot be read: {error}"),
        )
        .with_help("update it: cargo install cargo-nextest --locked")
    })?;
    let mut tests = Vec::new();
    for (binary_id, suite) in &listing.suites {
        for (name, case) in &suite.testcases {
            let test = TestName { binary_id, name };
            if let Some(skipped) = case.skipped().filter(|_| is_selected(&test, paths)) {
                tests.push(Test {
                    unit: Some(binary_id.clone()),
                    name: Some(name.clone()),
                    classname: Some(binary_id.clone()),
                    skipped,
                    ..Test::new(test.to_string())
                });
            }
        }
    }
    let file = |index: usize| run.files.get(index).and_then(|file| file.contents.as_deref());
    let built = file(1).and_then(|place| Built::of(&listing, place, file(2)));
    let memo = built.and_then(|built| serde_json::to_string(&built).ok());
    Ok(Found { tests, problems: Vec::new(), max_failures: None, deselected: Vec::new(), memo })
}

#[derive(Deserialize)]
pub(crate) struct Listing {
    #[serde(rename = "rust-build-meta", default)]
    pub(crate) build: Value,
    #[serde(rename = "rust-suites")]
    pub(crate) suites: BTreeMap<String, Suite>,
}

#[derive(Deserialize)]
pub(crate) struct Suite {
    /// What nextest says of the binary itself.
    #[serde(flatten)]
    pub(crate) binary: Map<String, Value>,
    /// Empty for a binary that the user's default filter leaves out.
    #[serde(default)]
    testcases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(rename = "filter-match")]
    filter_match: FilterMatch,
}

#[derive(Deserialize)]
struct FilterMatch {
    status: String,
    reason: Option<String>,
}

impl Case {
    /// Whether the test is listed and ignored; absent for one that the user's filters leave out.
    fn skipped(&self) -> Option<bool> {
        match (self.filter_match.status.as_str(), self.filter_match.reason.as_deref()) {
            ("matches", _) => Some(false),
            (_, Some("ignored")) => Some(true),
            _ => None,
        }
    }
}

fn is_selected(test: &TestName<'_>, paths: &[String]) -> bool {
    let lies_in = |path: &str, text: &str| {
        text.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with("::") || rest.starts_with('/'))
    };
    paths.is_empty()
        || paths
            .iter()
            .any(|path| lies_in(path, test.binary_id) || lies_in(path, test.name) || lies_in(path, &test.to_string()))
}

#[cfg(test)]
mod tests {
    use offload_plugin::types::Captured;

    use super::*;
    use offload_plugin::framework::ResultFile;

    const LISTING: &str = r#"{
        "rust-build-meta": {"target-directory": "/t"}, "test-count": 3,
        "rust-suites": {
            "p": {"package-name": "p", "binary-id": "p", "kind": "lib", "status": "listed", "testcases": {
                "tests::a": {"kind": "test", "ignored": false, "filter-match": {"status": "matches"}},
                "tests::b": {"kind": "test", "ignored": true, "filter-match": {"status": "mismatch", "reason": "ignored"}},
                "tests::c": {"kind": "test", "ignored": false,
                             "filter-match": {"status": "mismatch", "reason": "default-filter"}}}},
            "p::bin/x": {"binary-id": "p::bin/x", "status": "skipped"},
            "p::it": {"binary-id": "p::it", "status": "listed", "testcases": {
                "d e": {"kind": "test", "ignored": false, "filter-match": {"status": "matches"}}}}}}"#;

    fn run(exit: Exit, stderr: &str, listed: &str) -> FinishedRun {
        FinishedRun {
            output: Captured { exit, stdout: Vec::new(), stderr: stderr.as_bytes().to_vec() },
            files: vec![ResultFile { path: "list.json".to_owned(), contents: Some(listed.as_bytes().to_vec()) }],
        }
    }

    #[track_caller]
    fn check(paths: &[&str], expected: &[(&str, bool)]) {
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        let found = read(&run(Exit::Code(0), "", LISTING), &paths).expect("discovery works");
        assert_eq!(found.tests.iter().map(|test| (test.id.as_str(), test.skipped)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn finds_what_nextest_would_run_or_ignore() {
        check(&[], &[("p tests::a", false), ("p tests::b", true), ("p::it d e", false)]);
    }

    #[test]
    fn keeps_what_lies_in_the_paths() {
        check(&["p::it"], &[("p::it d e", false)]);
        check(&["tests"], &[("p tests::a", false), ("p tests::b", true)]);
        check(&["p tests::a"], &[("p tests::a", false)]);
        check(&["q"], &[]);
    }

    #[test]
    fn says_why_nothing_was_found() {
        let failure = read(&run(Exit::Code(101), "error: could not compile `p`", ""), &[]).expect_err("it failed");
        assert_eq!(failure.code, "build-failed");
        let failure = read(&run(Exit::Code(0), "", "{}"), &[]).expect_err("it is no list");
        assert!(failure.message.contains("missing field `rust-suites`"), "{}", failure.message);
    }
}
