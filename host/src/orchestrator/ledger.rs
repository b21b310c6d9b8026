//! The account of every test: pure, so that the same events always give the same verdicts.

use crate::model::{AttemptNumber, ExitCode, Status, Summary, Verdict};

use super::catalog::TestIndex;

/// Attempts beyond the first that a run may make even if it is small.
const LEAST_RETRY_BUDGET: usize = 500;

/// All tests of a run with their attempts. Every test ends in exactly one verdict.
#[derive(Debug)]
pub(super) struct Ledger {
    retry_count: u32,
    entries: Vec<Entry>,
    retries_left: usize,
    failures: u32,
    /// How many tests have no verdict yet.
    open: usize,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    attempts: u32,
    /// Those of them that the framework itself repeated: they use up none of the configured retries.
    reruns: u32,
    failed: bool,
    verdict: Option<Verdict>,
}

/// What an attempt led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    /// The test is to be attempted again.
    Retry(AttemptNumber),
    Judged(AttemptNumber, Verdict),
    /// It has its verdict already: the attempt does not count.
    TooLate,
}

/// Whether a failed attempt may be followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    AsConfigured,
    /// The reason lies outside the test: another attempt would give the same.
    Never,
}

impl Ledger {
    pub(super) fn new(retry_count: u32) -> Self {
        Self { retry_count, entries: Vec::new(), retries_left: LEAST_RETRY_BUDGET, failures: 0, open: 0 }
    }

    /// Takes in the tests that follow those already known.
    pub(super) fn add(&mut self, tests: usize) {
        self.entries.resize_with(self.entries.len() + tests, Entry::default);
        self.open += tests;
        // An outage fails everything: to try each test three times more would only cost.
        self.retries_left += tests;
    }

    pub(super) fn record(&mut self, test: TestIndex, status: Status, again: Again) -> Recorded {
        let entry = &mut self.entries[test.get()];
        if entry.verdict.is_some() {
            return Recorded::TooLate;
        }
        entry.attempts += 1;
        let number = AttemptNumber::new(entry.attempts);
        let may_retry =
            again == Again::AsConfigured && status.is_retried() && entry.attempts - entry.reruns <= self.retry_count;
        if may_retry && self.retries_left > 0 {
            self.retries_left -= 1;
            entry.failed = true;
            return Recorded::Retry(number);
        }
        let verdict = Verdict::from_last(status, entry.failed);
        entry.verdict = Some(verdict);
        self.open -= 1;
        self.failures += u32::from(verdict.is_bad());
        Recorded::Judged(number, verdict)
    }

    /// Enters an attempt that failed and that the framework itself repeats: its number, unless the test has its verdict.
    pub(super) fn rerun(&mut self, test: TestIndex) -> Option<AttemptNumber> {
        let entry = &mut self.entries[test.get()];
        if entry.verdict.is_some() {
            return None;
        }
        entry.attempts += 1;
        entry.reruns += 1;
        entry.failed = true;
        Some(AttemptNumber::new(entry.attempts))
    }

    pub(super) fn has_verdict(&self, test: TestIndex) -> bool {
        self.entries[test.get()].verdict.is_some()
    }

    /// How many attempts at this test counted.
    pub(super) fn attempts(&self, test: TestIndex) -> u32 {
        self.entries[test.get()].attempts
    }

    /// Whether a failed test was not retried because the run's budget was used up.
    pub(super) fn is_out_of_retries(&self) -> bool {
        self.retries_left == 0
    }

    pub(super) fn is_complete(&self) -> bool {
        self.open == 0
    }

    /// How many tests have no verdict yet.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// How many tests have failed for good.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Closes the account: what has no verdict did not run. Gives the tests concerned.
    pub(super) fn close(&mut self) -> Vec<TestIndex> {
        let mut closed = Vec::new();
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if entry.verdict.is_none() {
                entry.verdict = Some(Verdict::NotRun);
                closed.push(TestIndex::new(index));
            }
        }
        self.open = 0;
        closed
    }

    pub(super) fn summary(&self) -> Summary {
        self.entries.iter().map(|entry| entry.verdict.unwrap_or(Verdict::NotRun)).collect()
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::of(&self.summary())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn status() -> impl Strategy<Value = Status> {
        prop::sample::select(vec![
            Status::Passed,
            Status::Failed,
            Status::Error,
            Status::Skipped,
            Status::XFailed,
            Status::XPassed,
            Status::Crashed,
            Status::TimedOut,
        ])
    }

    proptest! {
        #[test]
        fn every_test_gets_one_verdict_whatever_happens(
            tests in 1usize..8,
            retry_count in 0u32..4,
            events in prop::collection::vec((0usize..8, status()), 0..60),
        ) {
            let mut ledger = Ledger::new(retry_count);
            ledger.add(tests);
            let mut judged = vec![0; tests];
            let mut attempts = vec![0u32; tests];
            let mut bad = false;
            for (test, status) in events {
                let test = test % tests;
                match ledger.record(TestIndex::new(test), status, Again::AsConfigured) {
                    Recorded::Retry(number) => {
                        attempts[test] += 1;
                        prop_assert!(status.is_retried());
                        prop_assert_eq!(number.get(), attempts[test]);
                        prop_assert!(attempts[test] <= retry_count);
                    }
                    Recorded::Judged(_, verdict) => {
                        judged[test] += 1;
                        bad |= verdict.is_bad();
                        prop_assert_eq!(verdict.is_bad(), status.is_failure());
                    }
                    Recorded::TooLate => prop_assert_eq!(judged[test], 1),
                }
            }
            let open = judged.iter().filter(|count| **count == 0).count();
            prop_assert_eq!(ledger.close().len(), open);
            prop_assert!(ledger.is_complete());
            prop_assert_eq!(ledger.summary().total(), tests);
            prop_assert_eq!(ledger.exit_code() == ExitCode::Failure, bad || open > 0);
        }
    }

    #[test]
    fn flaky_is_failed_and_then_passed() {
        let mut ledger = Ledger::new(1);
        ledger.add(1);
        let test = TestIndex::new(0);
        assert_eq!(ledger.record(test, Status::Crashed, Again::AsConfigured), Recorded::Retry(AttemptNumber::FIRST));
        assert_eq!(
            ledger.record(test, Status::Passed, Again::AsConfigured),
            Recorded::Judged(AttemptNumber::new(2), Verdict::Flaky)
        );
        assert_eq!(ledger.exit_code(), ExitCode::Flaky);
    }

    #[test]
    fn retries_end_when_the_budget_does() {
        let mut ledger = Ledger::new(1000);
        ledger.add(1);
        let test = TestIndex::new(0);
        let retries = (0..)
            .take_while(|_| matches!(ledger.record(test, Status::Failed, Again::AsConfigured), Recorded::Retry(_)))
            .count();
        assert_eq!(retries, LEAST_RETRY_BUDGET + 1);
        assert!(ledger.is_out_of_retries());
    }
}
