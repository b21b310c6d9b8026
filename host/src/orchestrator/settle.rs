//! What becomes of the tests of a batch that ended without a result for each: pure, so that it can be shown that none is
//! lost and that it comes to an end.

use std::time::Duration;

use super::catalog::TestIndex;
use super::ledger::Again;
use super::output::LastOutput;
use crate::framework::{Observation, Reported};
use crate::model::{Failure, Outcome, Status};
use crate::process::Exit;

/// The failure of a command whose arguments this system does not take.
pub(super) const TOO_LONG: &str = "argument-list-too-long";

/// The failure of a command that wanted more memory than there is and was ended by that; its sandbox goes on.
const OUT_OF_MEMORY: &str = "out-of-memory";

/// The failure of what a provider's helper was doing when that ended.
const BRIDGE_LOST: &str = "bridge-lost";

/// The failure of a provider that does not pass standard input on.
const NO_STDIN: &str = "no-stdin";

/// Failures that would be the same in every other sandbox.
const EVERYWHERE: [&str; 4] = ["no-directory", "not-started", "denied", "invalid-environment"];

/// The failure of bringing a result file in whose place a test has put something else; the sandbox is none the worse.
pub(super) const NOT_A_FILE: &str = "not-a-file";

/// Failures by what one test has made of the results: the others are run again without it.
const ONE_TEST: [&str; 3] = [NOT_A_FILE, "result-too-large", "unreadable-result"];

/// The failure of a framework that cannot tell whose results a batch of several tests gave.
const RUN_SINGLY: &str = "run-singly";

/// How a batch's command ended.
#[derive(Clone, Debug)]
pub(super) enum End {
    Exited(Exit),
    /// It ran for as long as it may, which is this.
    TimedOut(Duration),
    /// The run does not want it any more.
    Cancelled,
    /// The sandbox or its provider could not do its part.
    ProviderFailed(Failure),
    /// The framework could not do its part.
    FrameworkFailed(Failure),
}

impl End {
    /// Why the sandbox is of no more use, if it is none.
    pub(super) fn broke_sandbox(&self) -> Option<&Failure> {
        let Self::ProviderFailed(failure) = self else { return None };
        let code = failure.code.as_str();
        let stands =
            [TOO_LONG, NO_STDIN, OUT_OF_MEMORY].contains(&code) || EVERYWHERE.contains(&code) || self.lost_bridge();
        (!stands).then_some(failure)
    }

    /// Whether the sandbox still has the processes of its command, which nobody waits for any more.
    pub(super) fn leaves_processes(&self) -> bool {
        matches!(self, Self::TimedOut(_) | Self::Cancelled) || self.lost_bridge()
    }

    /// Whether its results may be there although the command did not end by itself.
    pub(super) fn leaves_results(&self) -> bool {
        match self {
            Self::ProviderFailed(failure) => failure.code == OUT_OF_MEMORY,
            _ => true,
        }
    }

    /// How the framework is told that the command ended: one that did not end by itself was killed.
    pub(super) fn seen(&self) -> Exit {
        if let Self::Exited(exit) = self { *exit } else { Exit::Signal(9) }
    }

    /// What is believed of what the framework says after this end: where its sandbox broke, the process is not to blame as a
    /// whole.
    pub(super) fn believed(&self, mut said: Vec<Observation>) -> Vec<Observation> {
        if matches!(self, Self::ProviderFailed(_)) {
            said.retain(|observation| !matches!(observation, Observation::Finished(_, Reported::Session(_))));
        }
        said
    }

    /// Whether something else than the command ended it: its sandbox broke, or a helper did.
    pub(super) fn was_interrupted(&self) -> bool {
        self.broke_sandbox().is_some() || self.lost_bridge()
    }

    /// Whether a helper ended that will be started again: the sandbox does not know of it.
    fn lost_bridge(&self) -> bool {
        matches!(self, Self::ProviderFailed(failure) if failure.code == BRIDGE_LOST && failure.retryable)
    }

    /// Why the batch is to be run in smaller ones, where that is all that happened.
    pub(super) fn split(&self) -> Option<&str> {
        match self {
            Self::ProviderFailed(failure) | Self::FrameworkFailed(failure)
                if [TOO_LONG, RUN_SINGLY].contains(&failure.code.as_str()) =>
            {
                Some(&failure.message)
            }
            _ => None,
        }
    }
}

/// A batch without the results that it did give.
#[derive(Clone, Debug)]
pub(super) struct Unsettled {
    pub(super) end: End,
    /// How many tests were handed out.
    pub(super) handed_out: usize,
    /// Those without a result.
    pub(super) unresolved: Vec<TestIndex>,
    /// The one that was under way when the process ended, and for how long.
    pub(super) running: Option<(TestIndex, Duration)>,
    /// The end of what the command wrote.
    pub(super) output: LastOutput,
}

/// What to do with each test that has no result.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Settlement {
    pub(super) judged: Vec<(TestIndex, Outcome, Again)>,
    /// Batches to hand out again.
    pub(super) again: Vec<Vec<TestIndex>>,
    /// Whether the group's other tests had better be handed out one by one, too.
    pub(super) singly: bool,
    /// Tests that were handed out to a sandbox that broke: they count how often that happened to them.
    pub(super) lost: Vec<TestIndex>,
}

pub(super) fn settle(batch: Unsettled) -> Settlement {
    let Unsettled { end, handed_out, unresolved, running, output } = batch;
    let running = running.filter(|(test, _)| unresolved.contains(test));
    if unresolved.is_empty() {
        return Settlement::default();
    }
    match end {
        End::Cancelled => Settlement::default(),
        // Whoever wanted the memory has crashed, and nobody else has lost anything.
        End::ProviderFailed(failure) if failure.code == OUT_OF_MEMORY => {
            died(&failure.message, Status::Crashed, handed_out, unresolved, running, &output)
        }
        End::ProviderFailed(failure) => provider_failed(&failure, unresolved),
        End::FrameworkFailed(failure) => framework_failed(&failure, unresolved),
        End::TimedOut(limit) => timed_out(limit, handed_out, unresolved, running, &output),
        End::Exited(exit) => exited(exit, handed_out, unresolved, running, &output),
    }
}

fn provider_failed(failure: &Failure, unresolved: Vec<TestIndex>) -> Settlement {
    match failure.code.as_str() {
        TOO_LONG => too_long(failure, unresolved),
        code if EVERYWHERE.contains(&code) => all_error(failure, unresolved),
        _ => Settlement { lost: unresolved, ..Settlement::default() },
    }
}

fn all_error(failure: &Failure, unresolved: Vec<TestIndex>) -> Settlement {
    Settlement {
        judged: unresolved.into_iter().map(|test| (test, error(failure), Again::Never)).collect(),
        ..Settlement::default()
    }
}

fn framework_failed(failure: &Failure, unresolved: Vec<TestIndex>) -> Settlement {
    match failure.code.as_str() {
        TOO_LONG => too_long(failure, unresolved),
        RUN_SINGLY if unresolved.len() > 1 => {
            let again = unresolved.into_iter().map(|test| vec![test]).collect();
            Settlement { again, singly: true, ..Settlement::default() }
        }
        // One test's results may be what the plugin stumbles over.
        code if code.starts_with("plugin-") || ONE_TEST.contains(&code) => halve_or(unresolved, || error(failure)),
        _ => all_error(failure, unresolved),
    }
}

fn too_long(failure: &Failure, unresolved: Vec<TestIndex>) -> Settlement {
    halve_or(unresolved, || error(failure))
}

fn timed_out(
    limit: Duration,
    handed_out: usize,
    unresolved: Vec<TestIndex>,
    running: Option<(TestIndex, Duration)>,
    output: &LastOutput,
) -> Settlement {
    let overran = || {
        let message = format!("did not end within {} s", limit.as_secs_f64());
        let outcome = Outcome { duration: limit.as_secs_f64(), ..Outcome::new(Status::TimedOut, message) };
        with_output(outcome, output)
    };
    match running {
        // It had most of the time to itself.
        Some((test, seconds)) if seconds >= limit / 2 || unresolved.len() == 1 => Settlement {
            judged: vec![(test, overran(), Again::Never)],
            again: others(unresolved, test),
            ..Settlement::default()
        },
        // It came late: let it have the whole time, alone.
        Some((test, _)) => {
            let mut again = others(unresolved, test);
            again.push(vec![test]);
            Settlement { again, ..Settlement::default() }
        }
        None if unresolved.len() == handed_out => halve_or(unresolved, overran),
        None => Settlement { again: vec![unresolved], ..Settlement::default() },
    }
}

fn exited(
    exit: Exit,
    handed_out: usize,
    unresolved: Vec<TestIndex>,
    running: Option<(TestIndex, Duration)>,
    output: &LastOutput,
) -> Settlement {
    let crashed = matches!(exit, Exit::Signal(_)) || matches!(exit, Exit::Code(code) if code > 128);
    let status = if crashed { Status::Crashed } else { Status::Error };
    died(&format!("the process {}", describe(exit)), status, handed_out, unresolved, running, output)
}

/// The process is no more, and `how` says why. A test that it was at has crashed; one that it never got to has `status`, if
/// it was alone.
fn died(
    how: &str,
    status: Status,
    handed_out: usize,
    unresolved: Vec<TestIndex>,
    running: Option<(TestIndex, Duration)>,
    output: &LastOutput,
) -> Settlement {
    match running {
        Some((test, seconds)) => {
            let outcome = Outcome {
                duration: seconds.as_secs_f64(),
                ..Outcome::new(Status::Crashed, format!("{how} while the test ran"))
            };
            Settlement {
                judged: vec![(test, with_output(outcome, output), Again::AsConfigured)],
                again: others(unresolved, test),
                ..Settlement::default()
            }
        }
        None if unresolved.len() < handed_out => Settlement { again: vec![unresolved], ..Settlement::default() },
        None => halve_or(unresolved, || with_output(Outcome::new(status, format!("{how} without a result")), output)),
    }
}

fn error(failure: &Failure) -> Outcome {
    let mut outcome = Outcome::new(Status::Error, failure.message.lines().next().unwrap_or_default());
    outcome.details = Some(failure.to_string());
    outcome
}

fn with_output(mut outcome: Outcome, output: &LastOutput) -> Outcome {
    outcome.stdout = (!output.stdout.is_empty()).then(|| output.stdout.clone());
    outcome.stderr = (!output.stderr.is_empty()).then(|| output.stderr.clone());
    outcome
}

fn others(mut unresolved: Vec<TestIndex>, test: TestIndex) -> Vec<Vec<TestIndex>> {
    unresolved.retain(|other| *other != test);
    if unresolved.is_empty() { Vec::new() } else { vec![unresolved] }
}

/// Halves a batch of which nothing is known; of a single test it is then known.
fn halve_or(mut unresolved: Vec<TestIndex>, alone: impl FnOnce() -> Outcome) -> Settlement {
    if let [test] = unresolved[..] {
        return Settlement { judged: vec![(test, alone(), Again::AsConfigured)], ..Settlement::default() };
    }
    let second = unresolved.split_off(unresolved.len() / 2);
    Settlement { again: vec![unresolved, second], ..Settlement::default() }
}

pub(super) fn describe(exit: Exit) -> String {
    match exit {
        Exit::Code(code) if code > 128 && nix::sys::signal::Signal::try_from(code - 128).is_ok() => {
            format!("ended with exit code {code} ({})", signal_name(code - 128))
        }
        Exit::Code(code) => format!("ended with exit code {code}"),
        Exit::Signal(signal) => format!("was killed by signal {signal} ({})", signal_name(signal)),
    }
}

fn signal_name(signal: i32) -> &'static str {
    nix::sys::signal::Signal::try_from(signal).map_or("unknown", nix::sys::signal::Signal::as_str)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn end() -> impl Strategy<Value = End> {
        prop_oneof![
            (-1i32..200).prop_map(|code| End::Exited(Exit::Code(code))),
            (1i32..32).prop_map(|signal| End::Exited(Exit::Signal(signal))),
            Just(End::TimedOut(Duration::from_secs(10))),
            prop::sample::select(vec![
                "sandbox-lost",
                "argument-list-too-long",
                "not-started",
                "out-of-memory",
                "bridge-lost"
            ])
            .prop_map(|code| End::ProviderFailed(Failure::new(code, "it broke"))),
            prop::sample::select(vec!["run-singly", "plugin-trapped", "other", "argument-list-too-long"])
                .prop_map(|code| End::FrameworkFailed(Failure::new(code, "it broke"))),
        ]
    }

    proptest! {
        /// Every test without a result is judged, handed out again or counted as lost, once; and where nothing was
        /// judged or lost and no result came, what is handed out again is in smaller batches: it comes to an end.
        #[test]
        fn no_test_is_lost_and_it_ends(
            end in end(),
            results in 0usize..4,
            without in 1usize..9,
            running in prop::option::of((0usize..9, 0u64..12)),
        ) {
            let unresolved: Vec<_> = (0..without).map(TestIndex::new).collect();
            let running = running.map(|(test, seconds)| (TestIndex::new(test), Duration::from_secs(seconds)));
            let settlement = settle(Unsettled {
                end,
                handed_out: results + without,
                unresolved: unresolved.clone(),
                running,
                output: LastOutput::default(),
            });
            let mut all: Vec<_> = settlement.judged.iter().map(|(test, ..)| *test).collect();
            all.extend(settlement.again.iter().flatten());
            all.extend(&settlement.lost);
            all.sort_unstable();
            prop_assert_eq!(&all, &unresolved);
            if results == 0 && settlement.judged.is_empty() && settlement.lost.is_empty() {
                prop_assert!(settlement.again.iter().all(|batch| batch.len() < without));
            }
        }
    }

    fn check(end: End, unresolved: usize, running: Option<(usize, u64)>) -> String {
        let settlement = settle(Unsettled {
            end,
            handed_out: unresolved,
            unresolved: (0..unresolved).map(TestIndex::new).collect(),
            running: running.map(|(test, seconds)| (TestIndex::new(test), Duration::from_secs(seconds))),
            output: LastOutput::default(),
        });
        let judged: Vec<_> = settlement
            .judged
            .iter()
            .map(|(test, outcome, _)| {
                format!("{} {:?}: {}", test.get(), outcome.status, outcome.message.as_deref().unwrap_or_default())
            })
            .collect();
        let sizes: Vec<_> = settlement.again.iter().map(Vec::len).collect();
        format!("{judged:?} again {sizes:?} lost {}", settlement.lost.len())
    }

    #[test]
    fn a_crash_costs_the_test_that_ran() {
        assert_eq!(
            check(End::Exited(Exit::Signal(9)), 4, Some((1, 2))),
            r#"["1 Crashed: the process was killed by signal 9 (SIGKILL) while the test ran"] again [3] lost 0"#
        );
    }

    #[test]
    fn the_test_that_takes_all_memory_crashed() {
        let end = End::ProviderFailed(Failure::new("out-of-memory", "out of memory"));
        assert_eq!(
            check(end.clone(), 4, Some((1, 2))),
            r#"["1 Crashed: out of memory while the test ran"] again [3] lost 0"#
        );
        assert_eq!(check(end, 4, None), "[] again [2, 2] lost 0");
    }

    #[test]
    fn a_sandbox_stands_unless_it_is_said_to_be_lost() {
        let failed = |code| End::ProviderFailed(Failure::new(code, "it broke"));
        for code in ["argument-list-too-long", "no-stdin", "out-of-memory", "no-directory", "not-started", "denied"] {
            assert_eq!(failed(code).broke_sandbox(), None, "{code}");
        }
        for code in ["sandbox-lost", "evicted", "bridge-lost", "anything"] {
            assert!(failed(code).broke_sandbox().is_some(), "{code}");
        }
        let restarted = End::ProviderFailed(Failure::new("bridge-lost", "it ended").retryable());
        assert!(restarted.broke_sandbox().is_none() && restarted.leaves_processes());
    }

    #[test]
    fn a_crash_that_nobody_saw_is_searched_for() {
        assert_eq!(check(End::Exited(Exit::Code(0)), 5, None), "[] again [2, 3] lost 0");
        assert_eq!(
            check(End::Exited(Exit::Code(139)), 1, None),
            r#"["0 Crashed: the process ended with exit code 139 (SIGSEGV) without a result"] again [] lost 0"#
        );
    }

    #[test]
    fn a_timeout_is_held_against_who_had_the_time() {
        let end = End::TimedOut(Duration::from_secs(10));
        assert_eq!(check(end.clone(), 3, Some((2, 9))), r#"["2 TimedOut: did not end within 10 s"] again [2] lost 0"#);
        assert_eq!(check(end, 3, Some((2, 1))), "[] again [2, 1] lost 0");
    }
}
