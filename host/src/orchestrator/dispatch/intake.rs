//! What discovery tells: tests, what could not be collected, and groups that could not be discovered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::dispatcher::{Dispatcher, Message};
use crate::framework::nameless;
use crate::model::{Discovered, Event, Outcome, Status, Test};
use crate::orchestrator::catalog::{GroupIndex, TestIndex};
use crate::orchestrator::ledger::Again;

impl Dispatcher {
    pub(super) fn message(&mut self, message: Message) {
        match message {
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
            self.add_judged(group, nameless(&name, "discovery"), outcome);
        }
    }

    pub(super) fn discovered(&mut self, group: GroupIndex, discovered: Discovered, duration: Duration) {
        let Discovered { tests, problems, max_failures, deselected } = discovered;
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
                let outcome = Outcome::new(Status::Skipped, "skipped by the framework");
                self.add_judged(group, test, outcome);
                continue;
            }
            let number = u32::try_from(units.len()).unwrap_or(u32::MAX);
            let unit = *units.entry(test.unit.clone()).or_insert(number);
            fresh.push((self.add(group, test), unit));
        }
        self.schedule.add(group, fresh);
        for problem in problems {
            self.add_judged(group, problem.test, problem.outcome);
        }
        self.emit(&finished);
        self.judge_undiscovered();
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
