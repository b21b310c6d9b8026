//! Tests in a row, and how long they may take.

use std::collections::{HashMap, HashSet, VecDeque};

use super::super::bonds::{Bond, UnitKey};
use super::super::catalog::TestIndex;
use super::super::constraints::ClassId;

/// A test that waits to be handed out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::orchestrator) struct Entry {
    pub(in crate::orchestrator) test: TestIndex,
    pub(in crate::orchestrator) unit: UnitKey,
    /// Seconds, where that is known.
    pub(in crate::orchestrator) expected: Option<f64>,
    /// A worker goes through the stages in order.
    pub(in crate::orchestrator) stage: u32,
    /// What keeps it with the others of its unit.
    pub(in crate::orchestrator) bond: Bond,
    /// What it needs of the whole run.
    pub(in crate::orchestrator) class: ClassId,
}

/// Tests in the order in which they will be handed out.
#[derive(Clone, Debug, Default)]
pub(super) struct Stretch {
    entries: VecDeque<Entry>,
    /// The seconds of those of which that is known, and how many the others are.
    known: f64,
    unknown: usize,
}

impl Stretch {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How long all of it may take, if a test of which nothing is known takes `typical`, and each takes `each` besides.
    pub(super) fn seconds(&self, typical: f64, each: f64) -> f64 {
        self.known.max(0.0) + self.unknown as f64 * typical + self.len() as f64 * each
    }

    pub(super) fn push_back(&mut self, entry: Entry) {
        self.count(entry, 1.0);
        self.entries.push_back(entry);
    }

    pub(super) fn front(&self) -> Option<Entry> {
        self.entries.front().copied()
    }

    pub(super) fn pop_front(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.count(entry, -1.0);
        if self.entries.is_empty() {
            // What rounding left behind.
            self.known = 0.0;
        }
        Some(entry)
    }

    /// The last unit, as far as it is in one piece here.
    pub(super) fn pop_unit(&mut self) -> Self {
        let Some(unit) = self.entries.back().map(|entry| entry.unit) else { return Self::default() };
        let at = self.entries.iter().rposition(|entry| entry.unit != unit).map_or(0, |last| last + 1);
        self.split_off(at)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The tests at the front that are of one unit, and of one stage.
    pub(super) fn front_unit(&self) -> impl Iterator<Item = &Entry> {
        let first = self.front();
        self.entries
            .iter()
            .take_while(move |entry| first.is_some_and(|first| (entry.unit, entry.stage) == (first.unit, first.stage)))
    }

    /// Takes so many from the front.
    pub(super) fn take_front(&mut self, count: usize) -> impl Iterator<Item = Entry> {
        (0..count).filter_map(|_| self.pop_front())
    }

    /// The stage of the last test: no other is later, since stretches are cut from tests that are in order.
    pub(super) fn last_stage(&self) -> Option<u32> {
        self.entries.back().map(|entry| entry.stage)
    }

    /// Where the tests of this stage and of later ones begin.
    pub(super) fn start_of(&self, stage: u32) -> usize {
        self.entries.partition_point(|entry| entry.stage < stage)
    }

    /// Adds what comes after.
    pub(super) fn append(&mut self, later: Self) {
        later.entries.into_iter().for_each(|entry| self.push_back(entry));
    }

    /// All from `at` on.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let stolen: Self = self.entries.split_off(at).into_iter().collect();
        *self = std::mem::take(&mut self.entries).into_iter().collect();
        stolen
    }

    /// Takes those of these tests out that are here.
    pub(super) fn take_out(&mut self, tests: &HashSet<TestIndex>) -> Vec<TestIndex> {
        let (out, kept): (Vec<_>, Vec<_>) = self.iter().copied().partition(|entry| tests.contains(&entry.test));
        *self = kept.into_iter().collect();
        out.into_iter().map(|entry| entry.test).collect()
    }

    /// Puts earlier stages before later ones; otherwise the order stays.
    pub(super) fn by_stage(&mut self) {
        if !self.entries.iter().is_sorted_by_key(|entry| entry.stage) {
            self.entries.make_contiguous().sort_by_key(|entry| entry.stage);
        }
    }

    /// Puts whole units that take long before those that do not, stage by stage; within a unit the order stays.
    pub(super) fn longest_first(&mut self, typical: f64) {
        let mut units: HashMap<(u32, UnitKey), f64> = HashMap::new();
        for entry in &self.entries {
            *units.entry((entry.stage, entry.unit)).or_default() += entry.expected.unwrap_or(typical);
        }
        let seconds = |entry: &Entry| units[&(entry.stage, entry.unit)];
        self.entries.make_contiguous().sort_by(|one, other| {
            let by_stage = one.stage.cmp(&other.stage);
            by_stage.then_with(|| seconds(other).total_cmp(&seconds(one))).then_with(|| one.unit.cmp(&other.unit))
        });
    }

    fn count(&mut self, entry: Entry, sign: f64) {
        match entry.expected {
            Some(seconds) => self.known += sign * seconds,
            None if sign > 0.0 => self.unknown += 1,
            None => self.unknown -= 1,
        }
    }
}

impl FromIterator<Entry> for Stretch {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut stretch = Self::default();
        entries.into_iter().for_each(|entry| stretch.push_back(entry));
        stretch
    }
}
