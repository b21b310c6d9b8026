//! Tests whose ids differ from process to process, such as those of random parameters: only the process that found them has
//! them.

use std::collections::HashSet;

use super::dispatcher::{Dispatcher, Running};
use crate::model::{BatchId, NoticeLevel, Outcome, Status, Test, TestId};
use crate::orchestrator::catalog::{GroupIndex, TestIndex};
use crate::orchestrator::ledger::Again;
use crate::orchestrator::schedule::Batch;

impl Dispatcher {
    /// Whether a unit holds other tests in a worker than where it was discovered: `new` is one that nobody knew, and `known`
    /// are those that are the same. Then its tests are for the worker that found them. Where no worker did, but a command on this
    /// machine, those that the first worker has are as good as any: they are run there, and no others after them.
    pub(super) fn is_unstable(&mut self, group: GroupIndex, unit: &str, new: &Test, known: &[Test]) -> bool {
        if self.crews[group.get()].unstable.contains(unit) {
            return true;
        }
        let known: HashSet<&TestId> = known.iter().map(|test| &test.id).collect();
        let of_unit = self.catalog.of_unit(group, unit);
        let Some(missing) = of_unit.iter().find(|test| !known.contains(&self.catalog.test(**test).id)) else {
            return false;
        };
        if self.crews[group.get()].finder.is_none() {
            self.crews[group.get()].unstable.insert(unit.to_owned());
            return false;
        }
        if self.crews[group.get()].unstable.is_empty() {
            let message = format!(
                "the ids of tests in {unit} differ from process to process (one found {}, another {}): such tests run in the \
                 process that found them; names that stay the same, such as ids for parameters that are random, let them run \
                 anywhere",
                self.catalog.test(*missing).id,
                new.id
            );
            self.notice(NoticeLevel::Warning, message);
        }
        self.crews[group.get()].unstable.insert(unit.to_owned());
        let tests = self.schedule.take_out(group, &of_unit.into_iter().collect());
        self.give_back(group, tests);
        true
    }

    /// Hands tests out again that were not begun.
    pub(super) fn give_back(&mut self, group: GroupIndex, tests: Vec<TestIndex>) {
        let unstable = |test: &TestIndex| {
            let units = &self.crews[group.get()].unstable;
            !units.is_empty() && self.catalog.test(*test).unit.as_ref().is_some_and(|unit| units.contains(unit))
        };
        let (for_finder, tests): (Vec<_>, Vec<_>) = tests.into_iter().partition(unstable);
        self.schedule.give_back(Batch { group, tests }, None);
        if self.has_finder(group) {
            self.crews[group.get()].for_finder.extend(for_finder);
        } else {
            self.judge_unstable(for_finder);
        }
    }

    /// Whether the worker that found the group's tests can still be given some.
    fn has_finder(&self, group: GroupIndex) -> bool {
        let finder = self.crews[group.get()].finder.and_then(|id| self.batches.get(&id));
        finder.is_some_and(Running::takes_tests)
    }

    /// What only the worker that found it can run, if this is that worker.
    pub(super) fn order_for_finder(&mut self, id: BatchId, group: GroupIndex) -> Option<Batch> {
        let crew = &mut self.crews[group.get()];
        let is_for_it = crew.finder == Some(id) && !crew.for_finder.is_empty();
        is_for_it.then(|| Batch { group, tests: crew.for_finder.drain(..).collect() })
    }

    /// A worker has ended. If it was the one that found the tests, nobody can run those that only it has.
    pub(super) fn finder_ended(&mut self, group: GroupIndex) {
        if !self.has_finder(group) {
            let tests = self.crews[group.get()].for_finder.drain(..).collect();
            self.judge_unstable(tests);
        }
    }

    fn judge_unstable(&mut self, tests: Vec<TestIndex>) {
        for test in tests {
            let message =
                "its id differs from process to process, and the process that found it runs no tests any more";
            self.attempted(test, None, None, Outcome::new(Status::Error, message), Again::Never);
        }
    }
}
