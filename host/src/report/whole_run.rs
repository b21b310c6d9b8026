//! Every view of one whole run.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    Console, ReportError, ReportOptions, Reporter, Written,
    console::{ConsoleView, Palette, Screen},
    sample::{attempted, finished, outcome, started, test, whole_run},
};
use crate::model::{Event, Mask, Status, Verdict};

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Ran {
    place: tempfile::TempDir,
    stderr: String,
    stdout: String,
    end: Result<Written, ReportError>,
}

impl Ran {
    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.place.path().join(name)).unwrap()
    }
}

fn options(dir: &Path) -> ReportOptions {
    ReportOptions {
        output_dir: dir.to_owned(),
        junit: Some(dir.join("junit.xml")),
        console: Console::Silent,
        stream_output: true,
        mask: Mask::default(),
    }
}

fn run(events: impl IntoIterator<Item = (Duration, Event)>) -> Ran {
    run_with(events, |_| {})
}

fn run_with(events: impl IntoIterator<Item = (Duration, Event)>, sabotage: impl FnOnce(&Path)) -> Ran {
    let place = tempfile::tempdir().unwrap();
    let (stderr, stdout) = (Shared::default(), Shared::default());
    let console = ConsoleView::on(Screen::plain(stderr.clone(), stdout.clone()), Palette::plain(), true);
    let mut reporter = Reporter::with_console(options(place.path()), console).unwrap();
    sabotage(place.path());
    for (at, event) in events {
        // What goes wrong is returned by `finish` too.
        let _told_again = reporter.handle_at(at, &event);
    }
    let end = reporter.finish();
    let stderr = stderr.text().replace(&place.path().display().to_string(), "<results>");
    Ran { stderr, stdout: stdout.text(), end, place }
}

#[test]
fn console_in_plain_lines() {
    let ran = run(whole_run());
    insta::assert_snapshot!("console", readable(&ran.stderr));
    assert_eq!(ran.stdout, "[local-1] one\\u{7}\n");
}

#[test]
fn junit_of_every_verdict() {
    insta::assert_snapshot!("junit", readable(&run(whole_run()).file("junit.xml")));
}

#[test]
fn results_of_every_verdict() {
    insta::assert_snapshot!("results", run(whole_run()).file("results.json"));
}

#[test]
fn events_as_they_came() {
    let events = run(whole_run()).file("events.jsonl");
    assert!(events.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    insta::assert_snapshot!("events", readable(&events).replace(&long_details(), "[100 lines]"));
}

/// The hundred lines of the sample as they stand in a JSON string.
fn long_details() -> String {
    (1..=100).map(|line| format!("line {line}\\n")).collect()
}

/// The sample's endless line, told by its length.
fn readable(text: &str) -> String {
    let mut short = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("xxxx") {
        let length = rest[at..].find(|c| c != 'x').unwrap_or(rest.len() - at);
        short.push_str(&format!("{}[{length} x]", &rest[..at]));
        rest = &rest[at + length..];
    }
    short + rest
}

#[test]
fn written_files_are_named() {
    let ran = run(whole_run());
    let dir = ran.place.path();
    let written = Written {
        events: Some(dir.join("events.jsonl")),
        results: Some(dir.join("results.json")),
        junit: Some(dir.join("junit.xml")),
    };
    assert_eq!(ran.end.as_ref().unwrap(), &written);
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["events.jsonl", "junit.xml", "logs", "results.json"]);
}

#[test]
fn a_run_without_tests() {
    insta::assert_snapshot!("no_tests", run([(Duration::ZERO, started()), (Duration::ZERO, finished([]))]).stderr);
}

#[test]
fn many_failures_are_counted() {
    let tests: Vec<_> = (0..130).map(|number| test("python", &format!("test_m.py::test_{number}"))).collect();
    let mut events = vec![started()];
    events.extend(tests.iter().map(|test| Event::TestDiscovered { test: test.clone() }));
    for test in &tests[..110] {
        events.push(attempted(test, 1, "local-1", outcome(Status::Failed, 0.0), false));
        events.push(Event::Judged { test: test.clone(), verdict: Verdict::Failed });
    }
    events.push(finished([Verdict::Failed].into_iter().cycle().take(110).chain([Verdict::NotRun; 20])));
    let stderr = run(events.into_iter().map(|event| (Duration::ZERO, event))).stderr;

    assert!(stderr.contains("… further ones are named at the end"), "{stderr}");
    assert!(stderr.contains("… and 10 more failures, all of them in <results>/junit.xml"), "{stderr}");
    assert!(stderr.contains("… and 10 more, all of them in <results>/results.json"), "{stderr}");
    assert!(stderr.contains("130 tests: 110 failed, 20 not run in 34.2s"), "{stderr}");
    assert_eq!(stderr.matches("FAILED   test_m.py").count(), 50 + 100);
}

#[test]
fn a_run_that_lacks_a_report_says_in_the_others_that_it_is_no_success() {
    let test = test("python", "test_a.py::test_a");
    let events = [
        started(),
        Event::TestDiscovered { test: test.clone() },
        attempted(&test, 1, "local-1", outcome(Status::Passed, 0.0), false),
        Event::Judged { test, verdict: Verdict::Passed },
        finished([Verdict::Passed]),
    ];
    let events = events.map(|event| (Duration::ZERO, event));
    assert!(run(events.clone()).file("results.json").contains("\"exit_code\":0,"));
    let lacking = run_with(events, |dir| fs::create_dir(dir.join("junit.xml")).unwrap());
    assert!(lacking.file("results.json").contains("\"exit_code\":1,"));
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_and_the_others_stand() {
    // A directory in the file's place is refused to the superuser too.
    let ran = run_with(whole_run(), |dir| fs::create_dir(dir.join("results.json")).unwrap());
    let error = ran.end.as_ref().unwrap_err().to_string();
    assert!(error.starts_with("cannot write the report ") && error.contains("/results.json: "), "{error}");
    assert!(ran.file("junit.xml").ends_with("</testsuites>\n"));
    assert!(ran.file("events.jsonl").lines().last().unwrap().contains("run-finished"));
    assert!(!ran.stderr.lines().last().unwrap().contains("results.json"));
}
