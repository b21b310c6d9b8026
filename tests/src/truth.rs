//! What holds of every run, whatever it was about.

use std::collections::HashSet;

use serde_json::Value;

use crate::{Finished, Junit, Results};

/// No panic is shown, and all reports tell the same story as the exit code.
#[track_caller]
pub fn check(finished: &Finished) {
    // Tests in Rust panic too, in threads that bear their names.
    for text in ["thread 'main'", "thread 'tokio", "stack backtrace:", "internal error"] {
        assert!(!finished.said().contains(text), "`{}` shows {text:?}:\n{}", finished.command, finished.said());
    }
    // What other commands find there is an earlier run's.
    let looks_back = ["history", "clean", "doctor", "validate"]
        .iter()
        .any(|name| finished.command.starts_with(&format!("offload {name}")));
    if looks_back || !finished.has_report("results.json") {
        return;
    }
    let results = finished.results();
    check_results(finished, &results);
    check_events(finished, &results);
    if finished.has_report("junit.xml") {
        let junit = finished.junit();
        junit.check();
        check_junit(&junit, &results);
    }
}

#[track_caller]
fn check_results(finished: &Finished, results: &Results) {
    assert_eq!(results.exit_code, i64::from(finished.code), "the exit code in results.json");
    assert!(!results.run_id.is_empty());
    let mut seen = HashSet::new();
    for test in &results.tests {
        assert!(seen.insert((&test.group, &test.id)), "{} of {} is there twice", test.id, test.group);
        let numbers: Vec<u64> = test.attempts.iter().map(|attempt| attempt.number).collect();
        let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
        assert_eq!(numbers, expected, "the attempts of {}", test.id);
        assert!(test.duration >= 0.0 && test.attempts.iter().all(|attempt| attempt.duration >= 0.0));
    }
    for verdict in VERDICTS {
        let said = results.summary.get(*verdict).and_then(Value::as_u64);
        assert_eq!(said, Some(results.count(verdict) as u64), "the number of {verdict} tests in the summary");
    }
    assert_eq!(results.summary.get("total").and_then(Value::as_u64), Some(results.tests.len() as u64));
    if finished.code < 128 {
        assert_eq!(finished.code, code_of(results), "the exit code of {:?}", results.summary);
    }
}

const VERDICTS: &[&str] =
    &["passed", "flaky", "failed", "error", "skipped", "xfailed", "xpassed", "crashed", "timed-out", "not-run"];

/// The documented code, computed from the tests alone.
fn code_of(results: &Results) -> i32 {
    let bad = ["failed", "error", "crashed", "timed-out", "not-run"];
    if results.tests.is_empty() {
        3
    } else if results.tests.iter().any(|test| bad.contains(&test.verdict.as_str())) {
        1
    } else if results.count("flaky") > 0 {
        2
    } else {
        0
    }
}

#[track_caller]
fn check_events(finished: &Finished, results: &Results) {
    let events = finished.events();
    let mut last = 0.0;
    for event in &events {
        let at = event["at"].as_f64().expect("every event says when");
        assert!(at >= last, "events are in order of time");
        last = at;
        assert!(event["event"].is_string(), "every event says what");
    }
    assert_eq!(events.first().map(|event| &event["event"]), Some(&Value::from("run-started")));
    assert_eq!(events.last().map(|event| &event["event"]), Some(&Value::from("run-finished")));
    let judged = events.iter().filter(|event| event["event"] == "judged").count();
    assert_eq!(judged, results.tests.len(), "every test is judged once");
}

#[track_caller]
fn check_junit(junit: &Junit, results: &Results) {
    assert_eq!(junit.tests, results.tests.len(), "one testcase a test");
    let judgement = |verdict: &str| match verdict {
        "passed" | "flaky" | "xpassed" => "passed",
        "skipped" | "xfailed" => "skipped",
        "failed" => "failure",
        // A test that had no chance counts against the run wherever the file is read.
        _ => "error",
    };
    let mut expected = [0; 4];
    let mut found = [0; 4];
    let place = |word: &str| ["passed", "skipped", "failure", "error"].iter().position(|known| *known == word);
    for test in &results.tests {
        expected[place(judgement(&test.verdict)).expect("a known word")] += 1;
    }
    for case in junit.cases() {
        found[place(case.judgement()).expect("a known word")] += 1;
    }
    // Whether a crash or a test that did not run is a failure, an error or a skip in JUnit is for the report's own tests.
    assert_eq!(found[0], expected[0], "cases that passed: {:?}", results.summary);
    if results.count("not-run") == 0 {
        assert_eq!(found[1], expected[1], "cases that were skipped");
    }
    let flaky = junit.cases().filter(|case| case.has("flakyFailure") || case.has("flakyError")).count();
    assert_eq!(flaky, results.count("flaky"), "cases with a flakyFailure");
}
