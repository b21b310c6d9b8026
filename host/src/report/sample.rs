//! A run in which everything that can happen happens, for tests of the views.

use std::{sync::Arc, time::Duration};

use crate::model::{
    Attempt, AttemptNumber, BatchEnd, BatchId, Event, ExitCode, Failure, GroupName, NoticeLevel, Outcome, RunId,
    Status, Stream, Summary, Test, TestId, Verdict,
};

pub(super) fn test(group: &str, id: &str) -> Arc<Test> {
    let unit = id.split_once("::").map(|(file, _)| file.to_owned());
    Arc::new(Test {
        group: GroupName::new(group),
        id: TestId::new(id),
        file: unit.clone(),
        unit,
        line: None,
        name: None,
        classname: None,
        tags: Vec::new(),
        skipped: false,
        stage: 0,
    })
}

pub(super) fn outcome(status: Status, duration: f64) -> Outcome {
    Outcome { message: None, duration, ..Outcome::new(status, "") }
}

pub(super) fn attempted(test: &Arc<Test>, number: u32, sandbox: &str, outcome: Outcome, retried: bool) -> Event {
    let attempt = Attempt {
        number: AttemptNumber::new(number),
        sandbox: Some(sandbox.into()),
        log: Some(format!("logs/{sandbox}-{number}")),
        outcome,
    };
    Event::Attempted { test: test.clone(), attempt, retried }
}

pub(super) fn started() -> Event {
    Event::RunStarted {
        run_id: RunId::new("5f0c"),
        version: "0.1.0",
        started: "2025-01-02T03:04:05Z".to_owned(),
        provider: "local".to_owned(),
        max_parallel: 2,
    }
}

pub(super) fn finished(verdicts: impl IntoIterator<Item = Verdict>) -> Event {
    let summary: Summary = verdicts.into_iter().collect();
    Event::RunFinished { exit_code: ExitCode::of(&summary), seconds: 34.21, summary }
}

/// One test for each verdict, some of them with names and texts that try to break a report.
fn judged_tests() -> Vec<(Arc<Test>, Vec<Event>, Verdict)> {
    let assertion = || Outcome {
        message: Some("AssertionError: assert 1 == 2".to_owned()),
        details: Some("def test_y():\n>       assert one() == 2\nE       assert 1 == 2".to_owned()),
        stdout: Some("\u{1b}[32mgreen\u{1b}[0m <b> & \"q\" ]]> \u{0}\u{fffe}\nsecond line\n".to_owned()),
        ..outcome(Status::Failed, 0.25)
    };
    let named = |mut test: Arc<Test>, classname: &str, name: &str, line| {
        let inner = Arc::make_mut(&mut test);
        inner.classname = Some(classname.to_owned());
        inner.name = Some(name.to_owned());
        inner.line = Some(line);
        test
    };
    let passed = named(test("python", "tests/test_a.py::test_x"), "tests.test_a", "test_x", 3);
    let flaky = test("python", "tests/test_a.py::test_flaky[a b]");
    let failed = named(test("python", "tests/test_a.py::test_y"), "tests.test_a", "test_y", 9);
    let nasty = test("python", "tests/test_b.py::test_n[\u{1b}[31m\n<&\"'>\u{202e}é😀 {id} $HOME `x`]");
    let error = test("python", "tests/test_broken.py");
    let skipped = test("python", "tests/test_b.py::test_skip");
    let xfailed = test("python", "tests/test_b.py::test_xfail");
    let xpassed = test("python", "tests/test_b.py::test_xpass");
    let crashed = test("rust", "crate::tests::kills_itself");
    let timed_out = test("rust", "crate::tests::hangs");
    let not_run = test("rust", "crate::tests::never_came");
    let long = Outcome {
        message: Some("not equal".to_owned()),
        details: Some((1..=100).map(|line| format!("line {line}\n")).collect()),
        stderr: Some(format!("begin{}end", "x".repeat(100_000))),
        ..outcome(Status::Failed, 1.0)
    };
    let properties = Outcome {
        properties: vec![("owner".to_owned(), "<team & co>".to_owned())],
        stdout: Some("said while passing\n".to_owned()),
        ..outcome(Status::Passed, 0.5)
    };
    let says = |status, message: &str| Outcome::new(status, message);
    let one = |test: &Arc<Test>, outcome| vec![attempted(test, 1, "local-1", outcome, false)];
    vec![
        (passed.clone(), one(&passed, properties), Verdict::Passed),
        (
            flaky.clone(),
            vec![
                attempted(&flaky, 1, "local-1", assertion(), true),
                attempted(&flaky, 2, "local-2", says(Status::Crashed, "killed by signal 11"), true),
                attempted(&flaky, 3, "local-2", outcome(Status::Passed, 0.125), false),
            ],
            Verdict::Flaky,
        ),
        (
            failed.clone(),
            vec![
                attempted(&failed, 1, "local-2", assertion(), true),
                attempted(&failed, 2, "local-1", assertion(), false),
            ],
            Verdict::Failed,
        ),
        (nasty.clone(), one(&nasty, long), Verdict::Failed),
        (error.clone(), one(&error, says(Status::Error, "ImportError: no module named 'nowhere'")), Verdict::Error),
        (skipped.clone(), one(&skipped, says(Status::Skipped, "needs a network")), Verdict::Skipped),
        (xfailed.clone(), one(&xfailed, says(Status::XFailed, "known bug")), Verdict::XFailed),
        (xpassed.clone(), one(&xpassed, outcome(Status::XPassed, 0.001)), Verdict::XPassed),
        (crashed.clone(), one(&crashed, says(Status::Crashed, "killed by signal 9")), Verdict::Crashed),
        (
            timed_out.clone(),
            one(&timed_out, Outcome { duration: 30.0, ..says(Status::TimedOut, "ran for more than 30 s") }),
            Verdict::TimedOut,
        ),
        (not_run, Vec::new(), Verdict::NotRun),
    ]
}

/// The events with the time at which each comes.
pub(super) fn whole_run() -> Vec<(Duration, Event)> {
    let tests = judged_tests();
    let group = |name: &str| GroupName::new(name);
    let mut events = vec![
        started(),
        Event::DiscoveryStarted { group: group("python") },
        Event::DiscoveryStarted { group: group("rust") },
        Event::DiscoveryStarted { group: group("empty") },
    ];
    events.extend(tests.iter().map(|(test, ..)| Event::TestDiscovered { test: test.clone() }));
    events.extend([
        Event::DiscoveryFinished { group: group("python"), tests: 7, problems: 1, seconds: 2.1 },
        Event::DiscoveryFinished { group: group("rust"), tests: 3, problems: 0, seconds: 0.4 },
        Event::DiscoveryFailed {
            group: group("empty"),
            failure: Failure::new("no-program", "no program `nextest` was found").with_help("cargo install nextest"),
        },
        Event::SandboxUp { sandbox: "local-1".into(), seconds: 0.02 },
        Event::SandboxUp { sandbox: "local-2".into(), seconds: 0.03 },
        Event::SandboxFailed {
            sandbox: "local-3".into(),
            failure: Failure::new("create-failed", "the create command ended with exit code 1"),
            replaced: true,
        },
        Event::BatchStarted { batch: BatchId::FIRST, sandbox: "local-1".into(), group: group("python"), tests: 8 },
        Event::TestStarted { test: tests[0].0.clone(), sandbox: "local-1".into() },
        Event::Output {
            sandbox: "local-1".into(),
            stream: Stream::Stdout,
            line: "\u{1b}[1mone\u{1b}[0m\u{7}".to_owned(),
        },
    ]);
    for (test, attempts, verdict) in &tests {
        events.extend(attempts.iter().cloned());
        events.push(Event::Judged { test: test.clone(), verdict: *verdict });
    }
    events.extend([
        Event::BatchEnded {
            batch: BatchId::FIRST,
            sandbox: "local-1".into(),
            seconds: 3.5,
            end: BatchEnd::Signalled { signal: 9 },
            returned: 2,
        },
        Event::BatchEnded {
            batch: BatchId::new(2),
            sandbox: "local-2".into(),
            seconds: 30.0,
            end: BatchEnd::TimedOut,
            returned: 0,
        },
        Event::Notice { level: NoticeLevel::Info, message: "each sandbox has a copy".to_owned() },
        Event::Notice { level: NoticeLevel::Error, message: "cannot destroy sandbox local-2".to_owned() },
        finished(tests.iter().map(|(.., verdict)| *verdict)),
    ]);
    events.into_iter().enumerate().map(|(number, event)| (Duration::from_millis(400 * number as u64), event)).collect()
}
