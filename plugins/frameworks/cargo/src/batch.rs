//! The tests of one command, and what is known of them so far.

use std::collections::HashMap;

use offload_plugin::observer::Event;
use offload_plugin::types::{Captured, Exit, Failure, Outcome, Test};

use crate::lines::Lines;
use crate::message::{self, Notes, Story};
use crate::name::{EventName, TestName};
use crate::status::{self, Attempt, Statuses};
use crate::trouble;
use crate::verdict::{self, Report, Said};

/// Every test passed, or some failed: nextest went through all of them.
const WENT_THROUGH: [i32; 2] = [0, SOME_FAILED];

const SOME_FAILED: i32 = 100;

/// What nextest says on standard error when a signal stops it before it is through.
const STOPPED: [&str; 2] = ["Canceling due to", "Cancelling due to"];

#[derive(Default)]
pub struct Batch {
    runs: Vec<RunningTest>,
    by_name: HashMap<String, Vec<usize>>,
    lines: Lines,
    statuses: Statuses,
    /// Tests of which nextest is about to say more on its standard error.
    held: Vec<Held>,
    /// The test that began last.
    current: Option<usize>,
    observed: bool,
}

struct RunningTest {
    id: String,
    started: bool,
    finished: bool,
    failed: bool,
}

/// What the event of a test's end says.
struct Held {
    index: usize,
    attempts: u32,
    passed: bool,
    seconds: f64,
    output: String,
    reason: Option<String>,
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
                batch.runs.push(RunningTest { id: test.id.clone(), started: false, finished: false, failed: false });
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
        let mut events = Vec::new();
        for report in lines.iter().filter_map(verdict::read) {
            events.extend(self.take(report));
        }
        events.extend(self.release(false));
        events
    }

    /// What the next bytes of its standard error say.
    pub fn observe_stderr(&mut self, bytes: &[u8]) -> Vec<Event> {
        let Self { statuses, by_name, runs, .. } = self;
        let known = |id: &str| {
            let name = TestName::of_id(id).and_then(|name| by_name.get(name.name));
            name.is_some_and(|indices| indices.iter().any(|index| runs[*index].id == id))
        };
        statuses.push(bytes, known);
        self.release(false)
    }

    fn take(&mut self, report: Report) -> Option<Event> {
        // Ignored tests of the same binaries are reported, too: they are nobody's here.
        let (index, attempts) = self.find(&report.name)?;
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
                run.failed = !passed;
                if passed && attempts == 1 {
                    let mut outcome = Outcome::new(&run.id, "passed");
                    outcome.duration = seconds;
                    return Some(Event::Finished(outcome));
                }
                self.held.push(Held { index, attempts, passed, seconds, output, reason });
                None
            }
        }
    }

    /// The test that an event is about, and how many attempts it says that there were.
    fn find(&self, event_name: &str) -> Option<(usize, u32)> {
        let event = EventName::parse(event_name)?;
        let of = |name: &str| {
            self.by_name.get(name)?.iter().copied().find(|index| {
                TestName::of_id(&self.runs[*index].id).is_some_and(|test| {
                    test.package() == event.package && test.target().is_none_or(|target| target == event.target)
                })
            })
        };
        of(event.name).map(|index| (index, 1)).or_else(|| {
            let (name, attempts) = event.attempts()?;
            Some((of(name)?, attempts))
        })
    }

    /// Tells the tests of which all is known, or what is known of all.
    fn release(&mut self, all: bool) -> Vec<Event> {
        let held = std::mem::take(&mut self.held);
        let (ready, held) = held.into_iter().partition(|held| all || self.is_known(held));
        self.held = held;
        ready.into_iter().flat_map(|held: Held| self.outcomes(&held)).map(Event::Finished).collect()
    }

    fn is_known(&self, held: &Held) -> bool {
        let attempt = self.statuses.attempt(&self.runs[held.index].id, held.attempts);
        // Of a test that neither panicked nor was ended it is said last how it ended.
        let says_why = || held.passed || held.reason.is_some() || message::has_panic(&held.output);
        attempt.is_some_and(|attempt| attempt.is_whole || attempt.reason().is_some() || says_why())
    }

    /// An outcome for each attempt.
    fn outcomes(&self, held: &Held) -> Vec<Outcome> {
        let id = &self.runs[held.index].id;
        let name = TestName::of_id(id).map_or("", |name| name.name);
        let mut outcomes = Vec::new();
        for number in 1..held.attempts {
            let attempt = self.statuses.attempt(id, number);
            let text = attempt.map_or("", |attempt| status::own_output(&attempt.text, name));
            let mut outcome = Outcome::new(id, "rerun");
            outcome.duration = attempt.map_or(0.0, |attempt| attempt.seconds);
            tell(&mut outcome, text, &notes(attempt, None));
            outcomes.push(outcome);
        }
        let mut outcome = Outcome::new(id, if held.passed { "passed" } else { "failed" });
        outcome.duration = held.seconds;
        if !held.passed {
            let attempt = self.statuses.attempt(id, held.attempts);
            tell(&mut outcome, &held.output, &notes(attempt, held.reason.as_deref()));
        }
        outcomes.push(outcome);
        outcomes
    }

    /// The outcomes that [`Self::observe`] has not given, now that the command has ended. Tests that were not begun have none,
    /// unless they cannot have any.
    ///
    /// # Errors
    /// The tests could not be built, a set-up script failed, or nextest itself failed before the first test.
    pub fn finish(&mut self, output: &Captured) -> Result<Vec<Outcome>, Failure> {
        let mut late = Vec::new();
        if !self.observed {
            late.extend(self.observe_stderr(&output.stderr));
            late.extend(self.observe(&output.stdout));
        }
        late.extend(self.release(true));
        let mut outcomes: Vec<_> = late
            .into_iter()
            .filter_map(|event| match event {
                Event::Finished(outcome) => Some(outcome),
                _ => None,
            })
            .collect();
        let stderr = String::from_utf8_lossy(&output.stderr);
        let stopped = STOPPED.iter().any(|stopped| stderr.contains(stopped));
        match output.exit {
            Exit::Code(code) if WENT_THROUGH.contains(&code) && !stopped => {
                outcomes.extend(self.missing());
                let none_failed =
                    outcomes.iter().all(|outcome| outcome.status != "error") && self.runs.iter().all(|run| !run.failed);
                if code == SOME_FAILED && none_failed {
                    outcomes.push(session_failed("cargo nextest failed although none of its tests did", output));
                }
            }
            // It stops for that, too, but not because anybody has ended it.
            Exit::Code(code)
                if (!stopped || code == trouble::SET_UP_FAILED) && !self.runs.iter().any(|run| run.started) =>
            {
                return Err(trouble::explain(output, "nextest-failed"));
            }
            Exit::Code(code) if !stopped && self.runs.iter().all(|run| run.finished) => {
                let message = format!("cargo nextest exited with code {code} after its tests had ended");
                outcomes.push(session_failed(&message, output));
            }
            _ => outcomes.extend(self.interrupted()),
        }
        Ok(outcomes)
    }

    /// What nextest remarked on tests that passed: that they leaked handles.
    pub fn remark(&self) -> Option<String> {
        const SHOWN: usize = 5;
        let leaky = self.statuses.leaky();
        let names: Vec<_> = leaky.iter().take(SHOWN).map(|id| format!("`{id}`")).collect();
        let more = leaky.len().checked_sub(SHOWN).filter(|more| *more > 0);
        let more = more.map(|more| format!(" and {more} more")).unwrap_or_default();
        (!names.is_empty()).then(|| {
            format!(
                "{}{more} passed but leaked handles (LEAK): a process that was left behind kept the test's output open for longer \
                 than nextest's `leak-timeout`",
                names.join(", ")
            )
        })
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

/// What is wrong with the run as a whole, whatever its tests say.
fn session_failed(message: &str, output: &Captured) -> Outcome {
    let mut outcome = Outcome::new("cargo nextest", "session-failed").with_message(message);
    let said = output.complaint();
    outcome.stderr = (!said.is_empty()).then_some(said);
    outcome
}

fn notes(attempt: Option<&Attempt>, ended: Option<&str>) -> Notes {
    // Of what nextest ends itself the events say why, in few words.
    let verdict = ended.map(|ended| match attempt.and_then(Attempt::reason) {
        Some(reason) if reason.contains(ended) => reason,
        _ => format!("nextest: {ended}"),
    });
    Notes { verdict, reason: attempt.and_then(Attempt::reason), addition: attempt.and_then(Attempt::addition) }
}

fn tell(outcome: &mut Outcome, output: &str, notes: &Notes) {
    let Story { message, details, stdout } = message::tell(output, notes);
    outcome.message = Some(message);
    outcome.details = details;
    outcome.stdout = stdout;
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
        assert_eq!(seen(&events), ["started p a", "passed p a 0.5", "started p::it b", "started p::bin/x c"]);
        check_finish(&mut batch, Exit::Signal(9), "", &["failed p::it b", "running p::bin/x c"]);
    }

    #[test]
    fn a_failure_waits_for_what_is_said_of_it() {
        let mut batch = batch(&["p a", "p b"]);
        let killed = [started("p::p$a"), line("failed", "p::p$a", ",\"exec_time\":1,\"stdout\":\"\"")].concat();
        assert_eq!(seen(&batch.observe(killed.as_bytes())), ["started p a"]);
        let events = batch.observe_stderr(b"     SIGABRT [   0.010s] (1/2) p a\n");
        let [Event::Finished(outcome)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(outcome.message.as_deref(), Some("its process was ended by SIGABRT"));
        // What is never said is not waited for in the end.
        let failed = [started("p::p$b"), line("failed", "p::p$b", ",\"exec_time\":1,\"stdout\":\"\"")].concat();
        assert_eq!(seen(&batch.observe(failed.as_bytes())), ["started p b"]);
        check_finish(&mut batch, Exit::Code(100), "", &["failed p b"]);
    }

    #[test]
    fn attempts_that_nextest_repeats_are_told() {
        let mut batch = batch(&["p a", "p b#2"]);
        batch.observe_stderr(
            b"  TRY 1 FAIL [   0.250s] (1/2) p a\n  output:\n    running 1 test\n    thread 'a' panicked at src/lib.rs:1:2:\n    \
              once\n    test a ... FAILED\n    failures:\n  TRY 2 PASS [   0.5s] (1/2) p a\n",
        );
        let text = [started("p::p$a"), ok("p::p$a#2"), started("p::p$b#2"), ok("p::p$b#2")].concat();
        let events = batch.observe(text.as_bytes());
        assert_eq!(
            seen(&events),
            ["started p a", "started p b#2", "passed p b#2 0.5", "rerun p a 0.25", "passed p a 0.5"]
        );
        let Event::Finished(rerun) = &events[3] else { panic!("{events:?}") };
        assert_eq!(rerun.message.as_deref(), Some("once"));
        assert_eq!(rerun.details.as_deref(), Some("thread 'a' panicked at src/lib.rs:1:2:\nonce"));
    }

    #[test]
    fn a_run_can_fail_although_its_tests_passed() {
        for (exit, expected) in [(100, true), (104, true), (0, false)] {
            let mut batch = batch(&["p a"]);
            batch.observe([started("p::p$a"), ok("p::p$a")].concat().as_bytes());
            let expected: &[&str] = if expected { &["session-failed cargo nextest"] } else { &[] };
            check_finish(&mut batch, Exit::Code(exit), "", expected);
        }
    }

    #[test]
    fn leaks_of_tests_that_passed_are_remarked() {
        let mut batch = batch(&["p a"]);
        batch.observe_stderr(b"        LEAK [   0.2s] (1/1) p a\n");
        assert!(batch.remark().is_some_and(|remark| remark.starts_with("`p a` passed but leaked handles")));
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
