//! What a test's record means in JUnit's words.

use crate::{
    model::{Status, Verdict},
    report::results::{Record, Try},
};

/// The one thing that a testcase may be marked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Passed,
    Failure,
    Error,
    Skipped,
}

/// One testcase: its mark, the attempt that it shows, and the ones beside it.
pub(super) struct Case<'a> {
    pub mark: Mark,
    /// The `type` attribute of the mark.
    pub kind: Option<&'static str>,
    /// Absent for a test that has not run.
    pub main: Option<&'a Try>,
    /// Elements for other failed attempts, `flaky…` or `rerun…`.
    pub reruns: Reruns,
    pub others: Vec<&'a Try>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reruns {
    Flaky,
    Rerun,
}

impl<'a> Case<'a> {
    /// As Maven Surefire and nextest do: a test that passed in the end shows its last attempt, the failed ones before it
    /// as `flaky…`; one that failed in the end shows the first failure, the later ones as `rerun…`.
    pub fn of(record: &'a Record) -> Self {
        let verdict = record.verdict();
        let failures = || record.attempts.iter().filter(|attempt| attempt.status.is_failure());
        if verdict == Verdict::NotRun {
            return Self {
                mark: Mark::Error,
                kind: Some("not-run"),
                main: None,
                reruns: Reruns::Rerun,
                others: failures().collect(),
            };
        }
        if verdict.is_bad()
            && let Some(first) = failures().next()
        {
            let (mark, kind) = marked(first.status);
            let others = failures().skip(1).collect();
            return Self { mark, kind, main: Some(first), reruns: Reruns::Rerun, others };
        }
        let (mark, kind) = match verdict {
            Verdict::Passed | Verdict::Flaky | Verdict::XPassed => (Mark::Passed, None),
            Verdict::Skipped => marked(Status::Skipped),
            Verdict::XFailed => marked(Status::XFailed),
            Verdict::Failed => marked(Status::Failed),
            Verdict::Error | Verdict::NotRun => marked(Status::Error),
            Verdict::Crashed => marked(Status::Crashed),
            Verdict::TimedOut => marked(Status::TimedOut),
        };
        let main = record.attempts.last();
        let others = failures().filter(|attempt| !main.is_some_and(|main| std::ptr::eq(*attempt, main))).collect();
        Self { mark, kind, main, reruns: Reruns::Flaky, others }
    }

    /// Whole microseconds, so that totals are sums to the last digit.
    pub fn micros(&self) -> u64 {
        self.main.map_or(0, micros)
    }
}

pub(super) fn micros(attempt: &Try) -> u64 {
    (attempt.duration * 1e6).round() as u64
}

/// How one attempt's status is marked, with its `type`.
pub(super) fn marked(status: Status) -> (Mark, Option<&'static str>) {
    match status {
        Status::Passed | Status::XPassed => (Mark::Passed, None),
        Status::Failed => (Mark::Failure, Some("failed")),
        Status::Error => (Mark::Error, Some("error")),
        Status::Crashed => (Mark::Error, Some("crashed")),
        Status::TimedOut => (Mark::Error, Some("timed-out")),
        Status::Skipped => (Mark::Skipped, None),
        Status::XFailed => (Mark::Skipped, Some("pytest.xfail")),
    }
}
