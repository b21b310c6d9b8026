//! The tests of one command, and what is known of them so far.

use std::collections::HashMap;

use offload_plugin::observer::Event;
use offload_plugin::types::{Captured, Exit, Failure, Outcome, Test};

use crate::lines::Lines;
use crate::message;
use crate::name::{EventName, TestName};
use crate::trouble;
use crate::verdict::{self, Report, Said};

/// Every test passed, or some failed: nextest went through all of them.
const WENT_THROUGH: [i32; 2] = [0, 100];

/// What nextest says on standard error when a signal stops it before it is through.
const STOPPED: &str = "anceling due to";

#[derive(Default)]
pub struct Batch {
    runs: Vec<RunningTest>,
    by_name: HashMap<String, Vec<usize>>,
    lines: Lines,
    /// The test that began last.
    current: Option<usize>,
    observed: bool,
}

struct RunningTest {
    id: String,
    started: bool,
    finished: bool,
}

impl Batch {
    /// Takes in the tests that can run together. Where two could not be told apart in nextest's events (see
    /// [`TestName::is_confused_with`]) the second is left for another batch: the host hands out again what has no outcome.
    ///
    /// # Errors
    /// An id that is none of this framework's.
    pub fn of(tests: &[Test]) -> Result<Self, Failure> {
        let mut batch = Self::default();
        for test in tests {
            let name = TestName::of_id(&test.id).ok_or_else(|| {
                Failure::new("unknown-test", format!("`{}` is no id of a Rust test", test.id))
                    .with_help("ids look like `my-crate::it module::test`; `offload collect` lists them")
            })?;
            let alike = batch.by_name.entry(name.name.to_owned()).or_default();
            let confused = |index: &usize| {
                TestName::of_id(&batch.runs[*index].id).is_some_and(|other| other.is_confused_with(&name))
            };
            if !alike.iter().any(confused) {
                alike.push(batch.runs.len());
                batch.runs.push(RunningTest { id: test.id.clone(), started: false, finished: false });
            }
        }
        Ok(batch)
    }

    pub fn names(&self) -> Vec<TestName<'_>> {
        self.runs.iter().filter_map(|run| TestName::of_id(&run.id)).collect()
    }

    /// What the next bytes of nextest's standard output say.
    pub fn observe(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.observed = true;
        let lines = self.lines.push(bytes);
        lines.iter().filter_map(verdict::read).filter_map(|report| self.take(report)).collect()
    }

    fn take(&mut self, report: Report) -> Option<Event> {
        // Ignored tests of the same binaries are reported, too: they are nobody's here.
        let index = self.find(&report.name)?;
        let run = &mut self.runs[index];
        match report.said {
            Said::Started => {
                self.current = Some(index);
                let first = !std::mem::replace(&mut run.started, true);
                first.then(|| Event::Started(run.id.clone()))
            }
            Said::Ended { passed, seconds, output, reason } => {
                if std::mem::replace(&mut run.finished, true) {
                    return None;
                }
                let mut outcome = Outcome::new(&run.id, if passed { "passed" } else { "failed" });
                outcome.duration = seconds;
                if !passed {
                    let story = message::tell(&output, reason.as_deref());
                    outcome.message = Some(story.message);
                    outcome.details = story.details;
                    outcome.stdout = story.stdout;
                }
                Some(Event::Finished(outcome))
            }
        }
    }

    fn find(&self, event_name: &str) -> Option<usize> {
        let event = EventName::parse(event_name)?;
        self.by_name.get(event.name)?.iter().copied().find(|index| {
            TestName::of_id(&self.runs[*index].id).is_some_and(|test| {
                test.package() == event.package && test.target().is_none_or(|target| target == event.target)
            })
        })
    }

    /// The outcomes that [`Self::observe`] has not given, now that the command has ended. Tests that were not begun have none,
    /// unless they cannot have any.
    ///
    /// # Errors
    /// The tests could not be built, or nextest itself failed before the first test.
    pub fn finish(&mut self, output: &Captured) -> Result<Vec<Outcome>, Failure> {
        let mut outcomes = Vec::new();
        if !self.observed {
            let late = self.observe(&output.stdout);
            outcomes.extend(late.into_iter().filter_map(|event| match event {
                Event::Finished(outcome) => Some(outcome),
                _ => None,
            }));
        }
        let stopped = String::from_utf8_lossy(&output.stderr).contains(STOPPED);
        match output.exit {
            Exit::Code(code) if WENT_THROUGH.contains(&code) && !stopped => outcomes.extend(self.missing()),
            Exit::Code(_) if !stopped && !self.runs.iter().any(|run| run.started) => {
                return Err(trouble::explain(output, "nextest-failed"));
            }
            _ => outcomes.extend(self.interrupted()),
        }
        Ok(outcomes)
    }

    /// Tests that nextest did not run although it was told to and went through all it had.
    fn missing(&self) -> impl Iterator<Item = Outcome> {
        self.runs.iter().filter(|run| !run.finished).map(|run| {
            if run.started {
                // Of ignored tests nextest says that they begin, and no more.
                return Outcome::new(&run.id, "skipped").with_message("ignored in the build that ran");
            }
            Outcome::new(&run.id, "error").with_message(
                "the build that ran has no such test: it differs from the one in which the test was discovered",
            )
        })
    }

    /// The one test that was running when nextest ended.
    fn interrupted(&self) -> Option<Outcome> {
        let run = &self.runs[self.current?];
        (!run.finished).then(|| Outcome::new(&run.id, "running"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(ids: &[&str]) -> Batch {
        let tests: Vec<_> = ids.iter().map(|id| Test::new(*id)).collect();
        Batch::of(&tests).expect("the ids are ours")
    }

    fn line(event: &str, name: &str, rest: &str) -> String {
        format!("{{\"type\":\"test\",\"event\":\"{event}\",\"name\":\"{name}\"{rest}}}\n")
    }

    fn started(name: &str) -> String {
        line("started", name, "")
    }

    fn ok(name: &str) -> String {
        line("ok", name, ",\"exec_time\":0.5")
    }

    fn seen(events: &[Event]) -> Vec<String> {
        let seen = events.iter().map(|event| match event {
            Event::Started(id) => format!("started {id}"),
            Event::Finished(outcome) => format!("{} {} {}", outcome.status, outcome.id, outcome.duration),
            _ => "something else".to_owned(),
        });
        seen.collect()
    }

    #[track_caller]
    fn check_finish(batch: &mut Batch, exit: Exit, stderr: &str, expected: &[&str]) {
        let output = Captured { exit, stdout: Vec::new(), stderr: stderr.as_bytes().to_vec() };
        let outcomes = batch.finish(&output).expect("the run can be judged");
        let seen: Vec<_> = outcomes.iter().map(|outcome| format!("{} {}", outcome.status, outcome.id)).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn reports_tests_as_they_go() {
        let mut batch = batch(&["p a", "p::it b", "p::bin/x c"]);
        let text = [
            started("p::p_lib$a"),
            ok("p::p_lib$a"),
            started("p::other$b"),
            started("p::it$b"),
            line("failed", "p::it$b", ",\"exec_time\":1,\"stdout\":\"Error: no\\n\""),
            started("p::x$c"),
        ];
        let text = text.concat();
        // Cut in the middle of a line.
        let (first, second) = text.split_at(text.len() / 2);
        let mut events = batch.observe(first.as_bytes());
        events.extend(batch.observe(second.as_bytes()));
        assert_eq!(
            seen(&events),
            ["started p a", "passed p a 0.5", "started p::it b", "failed p::it b 1", "started p::bin/x c"]
        );
        check_finish(&mut batch, Exit::Signal(9), "", &["running p::bin/x c"]);
    }

    #[test]
    fn leaves_what_it_could_not_tell_apart_for_later() {
        let batch = batch(&["p a", "p::bin/p a", "p::it b", "p::it2 b", "p::example/it b"]);
        let names: Vec<_> = batch.names().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["p a", "p::it b", "p::it2 b"]);
    }

    #[test]
    fn says_what_is_missing_of_a_run_that_went_through() {
        let mut batch = batch(&["p a", "p b", "p c"]);
        batch.observe([started("p::p$a"), ok("p::p$a"), started("p::p$b")].concat().as_bytes());
        check_finish(&mut batch, Exit::Code(0), "", &["skipped p b", "error p c"]);
        check_finish(&mut batch, Exit::Code(100), "  Canceling due to signal: 2 tests", &["running p b"]);
    }

    #[test]
    fn a_run_that_was_not_observed_is_read_at_the_end() {
        let mut batch = batch(&["p a"]);
        let stdout = [started("p::p$a"), ok("p::p$a")].concat().into_bytes();
        let output = Captured { exit: Exit::Code(0), stdout, stderr: Vec::new() };
        let outcomes = batch.finish(&output).expect("the run can be judged");
        assert_eq!((outcomes.len(), outcomes[0].status.as_str()), (1, "passed"));
    }

    #[test]
    fn a_build_that_fails_is_a_failure_of_its_own() {
        let mut batch = batch(&["p a"]);
        let output = Captured { exit: Exit::Code(101), stdout: Vec::new(), stderr: b"error[E0308]".to_vec() };
        let failure = batch.finish(&output).expect_err("nothing was built");
        assert_eq!(failure.code, "build-failed");
        check_finish(&mut batch, Exit::Signal(9), "", &[]);
    }

    #[test]
    fn refuses_foreign_ids() {
        let failure = Batch::of(&[Test::new("nothing")]).err().expect("it is no id");
        assert_eq!(failure.code, "unknown-test");
    }
}
