//! What discovery tells: tests, what could not be collected, and groups that could not be discovered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::dispatcher::{Dispatcher, Message};
use crate::history::Expectations;
use crate::model::{Discovered, Event, Expected, Outcome, Status, Test, TestId};
use crate::orchestrator::bonds::{Bond, Place, UnitKey, places};
use crate::orchestrator::catalog::{GroupIndex, TestIndex};
use crate::orchestrator::constraints::ClassId;
use crate::orchestrator::ledger::Again;
use crate::orchestrator::schedule::Entry;
use crate::orchestrator::shard::{Item, plan, split};
use crate::orchestrator::units::Member;

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
            let name = self.catalog.group_name(group);
            self.units.keep_whole(group, |unit| expectations.keeps_whole(name, unit));
            let expected = |test| seconds(&expectations, self.catalog.test(test));
            self.schedule.expect(group, expected, |test| self.units.bond(test));
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
        let Discovered { tests, problems, max_failures, deselected } = discovered;
        let places = self.places(group, &tests);
        let own = self.shard(group, &tests, &places);
        self.search.finished(group, others(&tests, &own, deselected));
        self.max_failures = self.max_failures.into_iter().chain(max_failures).filter(|most| *most > 0).min();
        let finished = Event::DiscoveryFinished {
            group: self.catalog.group_name(group).clone(),
            tests: own.iter().filter(|own| **own).count(),
            problems: problems.len(),
            seconds: duration.as_secs_f64(),
        };
        let classes = self.classes(&tests, &places);
        let mut units = HashMap::new();
        let mut fresh = Vec::with_capacity(tests.len());
        for (((test, own), place), class) in tests.into_iter().zip(own).zip(&places).zip(classes) {
            if test.skipped {
                if own {
                    let outcome = Outcome::new(Status::Skipped, "skipped by the framework");
                    self.add_judged(group, test, outcome);
                }
                continue;
            }
            let unit = *units.entry(place.unit).or_insert_with(|| self.units.begin(group, place.bond));
            if !own {
                self.units.push(unit, Member { test: Arc::new(test), index: None });
                continue;
            }
            let expected = self.expected(&test);
            let index = self.add(group, test);
            self.units.push(unit, Member { test: self.catalog.test(index).clone(), index: Some(index) });
            fresh.push(Entry { test: index, unit, expected, stage: place.stage, bond: place.bond, class });
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

    /// Where each test belongs, by what the framework, the configuration and earlier runs say.
    fn places(&self, group: GroupIndex, tests: &[Test]) -> Vec<Place> {
        let rules = &self.rules.groups[group.get()];
        let name = self.catalog.group_name(group);
        let remembered = |unit: &str| self.expectations.as_ref().is_some_and(|known| known.keeps_whole(name, unit));
        let keeps_whole = |unit: &str| rules.keeps_files_whole || remembered(unit);
        let mut places = places(&tests.iter().collect::<Vec<_>>(), keeps_whole);
        if rules.singly {
            // Each is meant to be by itself.
            places.iter_mut().for_each(|place| place.bond = Bond::Free);
        }
        places
    }

    /// The class of each test. What is never taken apart needs all that its tests need.
    fn classes(&mut self, tests: &[Test], places: &[Place]) -> Vec<ClassId> {
        let is_whole = |place: &Place| place.bond == Bond::Whole;
        let mut tags: HashMap<UnitKey, Vec<&str>> = HashMap::new();
        for (test, place) in tests.iter().zip(places).filter(|(_, place)| is_whole(place)) {
            tags.entry(place.unit).or_default().extend(test.tags.iter().map(String::as_str));
        }
        let whole: HashMap<UnitKey, ClassId> =
            tags.into_iter().map(|(unit, tags)| (unit, self.schedule.class(tags.into_iter()))).collect();
        let class = |(test, place): (&Test, &Place)| match whole.get(&place.unit).filter(|_| is_whole(place)) {
            Some(class) => *class,
            None => self.schedule.class(test.tags.iter().map(String::as_str)),
        };
        tests.iter().zip(places).map(class).collect()
    }

    /// Says of each test whether it is of this shard.
    fn shard(&mut self, group: GroupIndex, tests: &[Test], places: &[Place]) -> Vec<bool> {
        let Some(shard) = self.rules.shard else { return vec![true; tests.len()] };
        let micros = |test: &Test| self.expected(test).map(|seconds| (seconds * 1e6) as u64);
        let items: Vec<_> = tests
            .iter()
            .zip(places)
            .map(|(test, place)| Item {
                test,
                micros: micros(test),
                whole: (place.bond == Bond::Whole).then_some(place.unit),
            })
            .collect();
        let shard_of = split(&items, shard.count as usize, group.get());
        let plan = plan(&items, &shard_of);
        let group = self.catalog.group_name(group).clone();
        self.emit(&Event::Sharded { group, shard, tests: tests.len(), plan });
        let own: Vec<_> = shard_of.into_iter().map(|place| place + 1 == shard.index as usize).collect();
        self.elsewhere += own.iter().filter(|own| !**own).count();
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

/// The ids of the tests that are for other shards, and of those that were left out.
fn others(tests: &[Test], own: &[bool], mut deselected: Vec<TestId>) -> Vec<TestId> {
    let others = tests.iter().zip(own).filter(|(_, own)| !**own);
    deselected.extend(others.map(|(test, _)| test.id.clone()));
    deselected
}

/// How long to expect a test to take, if earlier runs say.
fn seconds(expectations: &Expectations, test: &Test) -> Option<f64> {
    expectations.of(&test.group, &test.id).map(Expected::cautious)
}
