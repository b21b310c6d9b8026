//! What discovery tells: tests, what could not be collected, and groups that could not be discovered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::dispatcher::{Dispatcher, Message};
use crate::history::Expectations;
use crate::model::{Discovered, Event, Expected, Outcome, Status, Test, TestId};
use crate::orchestrator::catalog::{GroupIndex, TestIndex};
use crate::orchestrator::ledger::Again;
use crate::orchestrator::schedule::Entry;
use crate::orchestrator::shard::{plan, split};

/// The tag by which a framework says why it will not run a test.
const SKIP_REASON: &str = "skip:";

impl Dispatcher {
    pub(super) fn message(&mut self, message: Message) {
        match message {
            Message::Expected(expectations) => self.expect(expectations),
            Message::Log(level, message) => self.notice(level, message),
            Message::Discovered { group, duration, result } => match result {
                Ok(discovered) => self.discovered(group, discovered, duration),
                Err(failure) => {
                    self.search.finished(group, Vec::new());
                    self.undiscovered.push((group, failure));
                    self.judge_undiscovered();
                }
            },
        }
    }

    /// Earlier runs may be heard of before a group's tests are known, or after.
    fn expect(&mut self, expectations: Expectations) {
        for group in self.catalog.group_indices() {
            self.schedule.expect(group, |test| seconds(&expectations, self.catalog.test(test)));
        }
        self.expectations = Some(expectations);
        for (group, discovered, duration) in std::mem::take(&mut self.held) {
            self.discovered(group, discovered, duration);
        }
    }

    /// A group that could not be discovered is an error result of its own, unless nothing at all was found.
    fn judge_undiscovered(&mut self) {
        if self.catalog.len() == 0 || !self.search.is_over() {
            return;
        }
        for (group, failure) in std::mem::take(&mut self.undiscovered) {
            let name = self.catalog.group_name(group).clone();
            self.emit(&Event::DiscoveryFailed { group: name.clone(), failure: failure.clone() });
            let mut outcome = Outcome::new(Status::Error, "the tests of this group could not be found");
            outcome.details = Some(failure.to_string());
            self.add_judged(group, Test::nameless(name, "discovery"), outcome);
        }
    }

    pub(super) fn discovered(&mut self, group: GroupIndex, discovered: Discovered, duration: Duration) {
        if self.rules.shard.is_some() && self.expectations.is_none() {
            // All shards are to be cut by the same knowledge.
            self.held.push((group, discovered, duration));
            return;
        }
        let Discovered { tests, problems, max_failures, mut deselected } = discovered;
        let tests = self.shard(group, tests, &mut deselected);
        self.search.finished(group, deselected);
        self.max_failures = self.max_failures.into_iter().chain(max_failures).filter(|most| *most > 0).min();
        let finished = Event::DiscoveryFinished {
            group: self.catalog.group_name(group).clone(),
            tests: tests.len(),
            problems: problems.len(),
            seconds: duration.as_secs_f64(),
        };
        let mut units = HashMap::new();
        let mut fresh = Vec::with_capacity(tests.len());
        for test in tests {
            if test.skipped {
                let reason = test.tags.iter().find_map(|tag| tag.strip_prefix(SKIP_REASON));
                let outcome = Outcome::new(Status::Skipped, reason.unwrap_or("skipped by the framework"));
                self.add_judged(group, test, outcome);
                continue;
            }
            let expected = self.expected(&test);
            let number = u32::try_from(fresh.len()).unwrap_or(u32::MAX);
            // One that belongs to no unit is one.
            let unit = test.unit.clone().map_or(number, |unit| *units.entry(unit).or_insert(number));
            let stage = test.stage;
            fresh.push(Entry { test: self.add(group, test), unit, expected, stage });
        }
        self.schedule.add(group, fresh);
        for problem in problems {
            self.add_judged(group, problem.test, problem.outcome);
        }
        self.emit(&finished);
        self.judge_undiscovered();
        self.review_sandboxes();
    }

    fn expected(&self, test: &Test) -> Option<f64> {
        seconds(self.expectations.as_ref()?, test)
    }

    /// Keeps the tests of this shard; the others are known, and for others.
    fn shard(&mut self, group: GroupIndex, tests: Vec<Test>, others: &mut Vec<TestId>) -> Vec<Test> {
        let Some(shard) = self.rules.shard else { return tests };
        let micros = |test: &Test| self.expected(test).map(|seconds| (seconds * 1e6) as u64);
        let items: Vec<_> = tests.iter().map(|test| (test, micros(test))).collect();
        let shard_of = split(&items, shard.count as usize, group.get());
        let plan = plan(&items, &shard_of);
        let total = tests.len();
        let group = self.catalog.group_name(group).clone();
        self.emit(&Event::Sharded { group, shard, tests: total, plan });
        let mut own = Vec::new();
        for (test, place) in tests.into_iter().zip(shard_of) {
            if place + 1 == shard.index as usize {
                own.push(test);
            } else {
                others.push(test.id);
            }
        }
        self.elsewhere += total - own.len();
        own
    }

    pub(super) fn add(&mut self, group: GroupIndex, test: Test) -> TestIndex {
        let test = Arc::new(test);
        self.emit(&Event::TestDiscovered { test: test.clone() });
        self.ledger.add(1);
        self.catalog.add(group, test)
    }

    fn add_judged(&mut self, group: GroupIndex, test: Test, outcome: Outcome) {
        let test = self.add(group, test);
        self.attempted(test, None, None, outcome, Again::Never);
    }
}

/// How long to expect a test to take, if earlier runs say.
fn seconds(expectations: &Expectations, test: &Test) -> Option<f64> {
    expectations.of(&test.group, &test.id).map(Expected::cautious)
}
