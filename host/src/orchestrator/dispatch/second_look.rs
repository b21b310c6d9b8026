//! What a file is to its tests. Those that failed where their file was taken apart are looked at once more, after the tests
//! that precede them; and what is never taken apart is run again in its order, too.

use super::dispatcher::{Dispatcher, Running};
use crate::model::{BatchId, Event, NoticeLevel, Status};
use crate::orchestrator::bonds::Bond;
use crate::orchestrator::catalog::{GroupIndex, TestIndex};
use crate::orchestrator::schedule::Batch;
use crate::orchestrator::settle::End;

impl Running {
    /// Whether it was given this test, if only for the sake of others.
    pub(super) fn has(&self, test: TestIndex) -> bool {
        self.given.contains(&test) || self.companions.as_ref().is_some_and(|tests| tests.contains(&test))
    }

    /// Whether it ran this test before another that it now tells of. A batch runs all that it has in its framework's order.
    fn has_run(&self, test: TestIndex) -> bool {
        self.has(test) && (self.worker.is_none() || !self.unresolved.contains(&test))
    }
}

impl Dispatcher {
    /// Whether this failure may be due to the test's file having been taken apart: then it does not count.
    pub(super) fn is_to_be_looked_at(&self, batch: BatchId, test: TestIndex, status: Status) -> bool {
        let Some(running) = self.batches.get(&batch) else { return false };
        status.is_retried()
            && running.companions.is_none()
            && self.units.bond(test) != Bond::Free
            && !self.schedule.is_singly(running.group)
            && !self.ledger.has_verdict(test)
            && self.units.before(test).iter().any(|member| !member.index.is_some_and(|index| running.has_run(index)))
    }

    /// Has this test run once more, after those that precede it in its unit.
    pub(super) fn look_again(&mut self, test: TestIndex) {
        self.looked_at.insert(test);
        self.units.wait(test);
        self.suspect(test);
    }

    /// Whether the next attempt at this test follows those that precede it.
    pub(super) fn retries_in_order(&self, test: TestIndex) -> bool {
        self.looked_at.contains(&test) || (self.units.bond(test) == Bond::Whole && !self.units.before(test).is_empty())
    }

    /// A test that passes after those that precede it, and failed without them, relies on them: the plain order counts.
    pub(super) fn relies_on_order(&mut self, batch: BatchId, test: TestIndex, status: Status) {
        let in_order = self.batches.get(&batch).is_some_and(|running| running.companions.is_some());
        let is_first = self.ledger.attempts(test) == 0;
        if !in_order || !is_first || status.is_failure() || !self.looked_at.contains(&test) {
            return;
        }
        let record = self.catalog.test(test).clone();
        let file = record.unit.as_deref().unwrap_or_default();
        let message = format!(
            "{} failed without the tests before it in {file}, and passes after them: its file is no longer split",
            record.id
        );
        self.notice(NoticeLevel::Warning, message);
        self.emit(&Event::ReliesOnOrder { test: record });
    }

    /// Hands tests out again that did not come to run, or not to their end by their own doing.
    pub(super) fn run_again(&mut self, group: GroupIndex, tests: Vec<TestIndex>, in_order: bool) {
        if in_order {
            // As they are: waiting would join what was halved, and that would go on for ever.
            return self.schedule.run_in_order(Batch { group, tests });
        }
        let (follow, free): (Vec<_>, Vec<_>) = tests.into_iter().partition(|test| self.retries_in_order(*test));
        follow.into_iter().for_each(|test| self.units.wait(test));
        if !free.is_empty() {
            self.schedule.give_back(Batch { group, tests: free }, None);
        }
    }

    /// The tests that were run only for the sake of others and are not again: the one that ended their process, or all of them
    /// where the process came to none of those others and it is not known which it was. Else it would end so again, and for ever.
    pub(super) fn companions_to_bar(&self, running: &Running, end: &End) -> Vec<TestIndex> {
        let Some(companions) = running.companions.as_ref() else { return Vec::new() };
        let was_their_doing = matches!(end, End::Exited(_) | End::TimedOut(_)) && !running.unresolved.is_empty();
        match running.running.map(|(test, _)| test) {
            Some(test) if was_their_doing && companions.contains(&test) => vec![test],
            None if was_their_doing && running.unresolved.len() == running.given.len() => {
                companions.iter().copied().collect()
            }
            _ => Vec::new(),
        }
    }
}
