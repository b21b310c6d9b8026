//! One test of a batch: how far it is, and what it printed.

use std::collections::BTreeMap;

use offload_plugin::types::{Outcome, Test};

use crate::printed::Printed;
use crate::story;

/// The tag of a name that a package and its external test package both have: `go test` runs both, as one.
pub const TWICE: &str = "declared-twice";

/// What the testing package prints as tests begin, and what that is worth in a report: nothing.
const FRAMES: [&str; 5] = ["=== RUN ", "=== PAUSE ", "=== CONT ", "=== NAME ", "=== ATTR "];

/// What it prints as they end.
const REPORTS: [&str; 3] = ["--- PASS: ", "--- FAIL: ", "--- SKIP: "];

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum State {
    #[default]
    Waiting,
    UnderWay,
    /// It waits for those that are not parallel.
    Paused,
    Ended,
}

/// From the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Skipped,
    Passed,
    Failed,
}

impl Status {
    /// As test2json calls what ended.
    pub fn of(action: &str) -> Option<Self> {
        match action {
            "skip" => Some(Self::Skipped),
            "pass" => Some(Self::Passed),
            "fail" => Some(Self::Failed),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ending {
    pub status: Status,
    pub seconds: f64,
}

#[derive(Default)]
pub struct RunningTest {
    pub id: String,
    pub state: State,
    /// Whether it ever was paused: then others run beside it.
    pub is_parallel: bool,
    /// Whether it may be run more than once, so that nothing is known before its package has ended.
    pub is_repeated: bool,
    /// Whether the testing package has said how it ended.
    pub is_reported: bool,
    pub told: bool,
    /// Whether it was told as failed.
    pub told_failed: bool,
    /// Whether of one round more than one end was reported: a test that prints what looks like a report is taken at its last.
    pub is_contradicted: bool,
    /// How its last round ended.
    ending: Option<Ending>,
    /// The worst of the rounds before, if it was run more than once.
    earlier: Option<Ending>,
    /// How it ended by a line that test2json did not see.
    pub unseen: Option<Ending>,
    printed: Printed,
    /// What subtests print that have not ended.
    open: BTreeMap<String, Printed>,
    /// What those printed that failed.
    failures: Printed,
    /// Why the first of them failed, in one line.
    failure: Option<String>,
}

impl RunningTest {
    pub fn new(test: &Test, repeated: bool) -> Self {
        let is_repeated = repeated || test.tags.iter().any(|tag| tag == TWICE);
        Self { id: test.id.clone(), is_repeated, ..Self::default() }
    }

    /// Takes in what it or a subtest printed; gives the line that is whole by that.
    pub fn print(&mut self, subtest: Option<&str>, text: &str) -> Option<String> {
        if FRAMES.iter().any(|frame| text.starts_with(frame)) {
            return None;
        }
        self.is_reported |= subtest.is_none() && REPORTS.iter().any(|report| text.starts_with(report));
        let printed = match subtest {
            None => &mut self.printed,
            Some(name) => self.open.entry(name.to_owned()).or_default(),
        };
        printed.push(text);
        printed.last_line().map(str::to_owned)
    }

    /// What a subtest printed is of no interest if it did not fail.
    pub fn subtest_ended(&mut self, name: &str, failed: bool) {
        let Some(printed) = self.open.remove(name).filter(|_| failed) else { return };
        let text = printed.text();
        if self.failure.is_none() {
            let short = name.split_once('/').map_or(name, |(_, rest)| rest);
            self.failure = story::why_failed(&text).map(|why| format!("{short}: {why}"));
        }
        self.failures.push(&text);
    }

    /// It begins, maybe not for the first time.
    pub fn begin(&mut self) {
        self.state = State::UnderWay;
        self.is_parallel = false;
        self.is_reported = false;
        self.earlier = self.ending();
        self.ending = None;
    }

    /// Its round has ended, as the last report says.
    pub fn end(&mut self, ending: Ending) {
        self.state = State::Ended;
        self.is_contradicted |= self.ending.is_some_and(|before| before.status != ending.status);
        self.ending = Some(ending);
    }

    /// How it ended, the worst of all rounds.
    pub fn ending(&self) -> Option<Ending> {
        match (self.earlier, self.ending) {
            (Some(earlier), Some(last)) => {
                Some(Ending { status: earlier.status.max(last.status), seconds: earlier.seconds + last.seconds })
            }
            (earlier, last) => earlier.or(last),
        }
    }

    /// Its process succeeded: whatever looked like a failure, beside another report, was printed by a test.
    pub fn believe_success(&mut self) {
        if self.is_contradicted
            && let Some(ending) = self.ending.as_mut().filter(|ending| ending.status == Status::Failed)
        {
            ending.status = Status::Passed;
        }
    }

    pub fn has_failed(&self) -> bool {
        self.ending().is_some_and(|ending| ending.status == Status::Failed)
    }

    /// All that is kept of what it printed.
    pub fn text(&self) -> String {
        let open = self.open.values().map(Printed::text);
        [self.printed.text(), self.failures.text()].into_iter().chain(open).collect()
    }

    /// How it ended.
    pub fn outcome(&self) -> Option<Outcome> {
        let Ending { status, seconds } = self.ending()?;
        let mut outcome = match status {
            Status::Passed => Outcome::new(&self.id, "passed"),
            Status::Skipped => {
                let mut skipped = Outcome::new(&self.id, "skipped");
                skipped.message = story::why_skipped(&self.printed.text());
                skipped
            }
            Status::Failed => {
                let text = self.text();
                let why = story::panic(&text).or_else(|| self.failure.clone()).or_else(|| story::why_failed(&text));
                self.failed(why, text)
            }
        };
        outcome.duration = seconds;
        Some(outcome)
    }

    /// An outcome for a test that failed with this text.
    pub fn failed(&self, why: Option<String>, text: String) -> Outcome {
        let mut failed = Outcome::new(&self.id, "failed");
        failed.message = Some(why.unwrap_or_else(|| "it failed and said nothing".to_owned()));
        let text = text.trim_matches('\n');
        failed.details = (!text.trim().is_empty()).then(|| text.to_owned());
        failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test() -> RunningTest {
        RunningTest::new(&Test::new("m.TestA"), false)
    }

    fn failed() -> Ending {
        Ending { status: Status::Failed, seconds: 0.5 }
    }

    #[test]
    fn subtests_are_told_with_their_parent_if_they_failed() {
        let mut test = test();
        test.print(None, "=== RUN   TestA\n");
        test.print(None, "parent\n");
        test.print(Some("TestA/good"), "    a_test.go:1: good\n");
        test.print(Some("TestA/bad"), "    a_test.go:2: bad\n");
        test.print(Some("TestA/cut"), "cut off\n");
        test.subtest_ended("TestA/good", false);
        test.subtest_ended("TestA/bad", true);
        test.end(failed());
        let outcome = test.outcome().expect("it ended");
        assert_eq!((outcome.status.as_str(), outcome.duration), ("failed", 0.5));
        assert_eq!(outcome.message.as_deref(), Some("bad: a_test.go:2: bad"));
        assert_eq!(outcome.details.as_deref(), Some("parent\n    a_test.go:2: bad\ncut off"));
    }

    #[test]
    fn the_worst_of_several_rounds_counts() {
        let mut test = test();
        test.begin();
        test.end(failed());
        test.begin();
        test.end(Ending { status: Status::Passed, seconds: 1.0 });
        let outcome = test.outcome().expect("it ended");
        assert_eq!((outcome.status.as_str(), outcome.duration), ("failed", 1.5));
        assert_eq!(outcome.message.as_deref(), Some("it failed and said nothing"));
        assert!(test.has_failed() && outcome.details.is_none());
    }

    #[test]
    fn of_one_round_the_last_report_counts() {
        let mut test = test();
        test.begin();
        test.end(failed());
        assert!(!test.is_contradicted);
        test.end(Ending { status: Status::Passed, seconds: 1.0 });
        assert!(test.is_contradicted && !test.has_failed());
        test.end(failed());
        assert!(test.has_failed());
        test.believe_success();
        assert_eq!(test.outcome().map(|outcome| outcome.status), Some("passed".to_owned()));
    }

    #[test]
    fn a_skip_tells_why() {
        let mut test = test();
        assert_eq!(test.print(None, "    a_test.go:1: no docker\n").as_deref(), Some("    a_test.go:1: no docker"));
        test.end(Ending { status: Status::Skipped, seconds: 0.0 });
        let outcome = test.outcome().expect("it ended");
        assert_eq!((outcome.status.as_str(), outcome.message.as_deref()), ("skipped", Some("no docker")));
    }
}
