//! What the tests of a run are to each other: their order in their units, and who waits for a look in that order. Pure.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::bonds::{Bond, UnitKey};
use super::catalog::{GroupIndex, TestIndex};
use crate::model::Test;

/// All units of a run.
#[derive(Debug, Default)]
pub(super) struct Units {
    units: Vec<Unit>,
    /// By test: its unit, and its place among the members of that. Absent for what never runs.
    places: Vec<Option<(UnitKey, usize)>>,
    /// The tests that are to be run after those that precede them.
    waiting: BTreeMap<UnitKey, BTreeSet<TestIndex>>,
    /// Tests that end the process that they run in: they are run for no other test's sake.
    barred: HashSet<TestIndex>,
}

#[derive(Debug)]
struct Unit {
    group: GroupIndex,
    bond: Bond,
    members: Vec<Member>,
    /// How many of its tests are this run's and have no verdict yet.
    open: usize,
}

/// A test of a unit. One without an index belongs to another shard.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) test: Arc<Test>,
    pub(super) index: Option<TestIndex>,
}

impl Units {
    /// A new unit that has no tests yet.
    pub(super) fn begin(&mut self, group: GroupIndex, bond: Bond) -> UnitKey {
        self.units.push(Unit { group, bond, members: Vec::new(), open: 0 });
        UnitKey::try_from(self.units.len() - 1).unwrap_or(UnitKey::MAX)
    }

    /// Adds the unit's next test.
    pub(super) fn push(&mut self, key: UnitKey, member: Member) {
        let unit = &mut self.units[key as usize];
        if let Some(index) = member.index {
            if self.places.len() <= index.get() {
                self.places.resize(index.get() + 1, None);
            }
            self.places[index.get()] = Some((key, unit.members.len()));
            unit.open += 1;
        }
        unit.members.push(member);
    }

    /// The unit of this test.
    pub(super) fn of(&self, test: TestIndex) -> Option<UnitKey> {
        self.places.get(test.get()).copied().flatten().map(|(unit, _)| unit)
    }

    pub(super) fn bond(&self, test: TestIndex) -> Bond {
        self.of(test).map_or(Bond::Free, |unit| self.units[unit as usize].bond)
    }

    /// From here on the units of the group that this concerns are never taken apart.
    pub(super) fn keep_whole(&mut self, group: GroupIndex, keeps_whole: impl Fn(&str) -> bool) {
        for unit in self.units.iter_mut().filter(|unit| unit.group == group && unit.bond == Bond::Ordered) {
            let name = unit.members.first().and_then(|member| member.test.unit.as_deref());
            if name.is_some_and(&keeps_whole) {
                unit.bond = Bond::Whole;
            }
        }
    }

    /// The tests of its unit that precede this one, in their order.
    pub(super) fn before(&self, test: TestIndex) -> &[Member] {
        let Some((unit, place)) = self.places.get(test.get()).copied().flatten() else { return &[] };
        &self.units[unit as usize].members[..place]
    }

    /// What a process has to run so that these tests of one unit run in its order: all that precede the last of them, but
    /// none that would end it.
    pub(super) fn in_order(&self, tests: &[TestIndex]) -> Vec<Member> {
        let place = |test: &TestIndex| self.places.get(test.get()).copied().flatten();
        let Some((unit, last)) = tests.iter().filter_map(place).max_by_key(|(_, place)| *place) else {
            return Vec::new();
        };
        let is_run =
            |member: &&Member| member.index.is_none_or(|index| tests.contains(&index) || !self.barred.contains(&index));
        self.units[unit as usize].members[..=last].iter().filter(is_run).cloned().collect()
    }

    /// This test ended its process, or did not come to an end.
    pub(super) fn bar(&mut self, test: TestIndex) {
        self.barred.insert(test);
    }

    /// This test has its verdict.
    pub(super) fn judged(&mut self, test: TestIndex) {
        if let Some(unit) = self.of(test) {
            let open = &mut self.units[unit as usize].open;
            *open = open.saturating_sub(1);
        }
    }

    /// This test is to be run after those that precede it, once all others of its unit are done: then one process does for
    /// all of the unit that wait.
    pub(super) fn wait(&mut self, test: TestIndex) {
        if let Some(unit) = self.of(test) {
            self.waiting.entry(unit).or_default().insert(test);
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The tests that need not wait any longer, unit by unit; with `now` all that wait.
    pub(super) fn take_ready(&mut self, now: bool) -> Vec<(GroupIndex, Vec<TestIndex>)> {
        let is_ready =
            |unit: &UnitKey, tests: &BTreeSet<TestIndex>| now || self.units[*unit as usize].open <= tests.len();
        let ready: Vec<_> =
            self.waiting.iter().filter(|(unit, tests)| is_ready(unit, tests)).map(|(unit, _)| *unit).collect();
        let mut taken = Vec::with_capacity(ready.len());
        for unit in ready {
            let mut tests: Vec<_> = self.waiting.remove(&unit).into_iter().flatten().collect();
            tests.sort_by_key(|test| self.places[test.get()]);
            taken.push((self.units[unit as usize].group, tests));
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GroupName;

    fn indices(numbers: &[usize]) -> Vec<TestIndex> {
        numbers.iter().copied().map(TestIndex::new).collect()
    }

    /// Two units of four tests each, in turn: 0 2 4 6 and 1 3 5 7. Nobody here runs 4.
    fn units() -> Units {
        let mut units = Units::default();
        let group = GroupIndex::FIRST;
        let keys = [units.begin(group, Bond::Ordered), units.begin(group, Bond::Whole)];
        for number in 0..8 {
            let unit = if number % 2 == 0 { "even" } else { "odd" };
            let test = Test { unit: Some(unit.into()), ..Test::nameless(GroupName::from("g"), number.to_string()) };
            let index = (number != 4).then(|| TestIndex::new(number));
            units.push(keys[number % 2], Member { test: Arc::new(test), index });
        }
        units
    }

    fn names(members: &[Member]) -> String {
        members.iter().map(|member| member.test.id.as_str()).collect()
    }

    #[test]
    fn what_precedes_a_test_is_known() {
        let units = units();
        assert_eq!(names(units.before(TestIndex::new(6))), "024");
        assert_eq!(names(units.before(TestIndex::new(1))), "");
        assert_eq!(names(units.before(TestIndex::new(99))), "");
        assert_eq!(units.bond(TestIndex::new(6)), Bond::Ordered);
        assert_eq!(units.bond(TestIndex::new(7)), Bond::Whole);
    }

    #[test]
    fn one_process_does_for_all_that_wait() {
        let mut units = units();
        assert_eq!(names(&units.in_order(&indices(&[6, 2]))), "0246");
        units.bar(TestIndex::new(3));
        assert_eq!(names(&units.in_order(&indices(&[7]))), "157");
        assert_eq!(names(&units.in_order(&indices(&[3, 7]))), "1357");
        assert_eq!(names(&units.in_order(&[])), "");
    }

    #[test]
    fn who_waits_does_so_until_the_others_of_the_unit_are_done() {
        let mut units = units();
        units.wait(TestIndex::new(6));
        units.judged(TestIndex::new(0));
        assert!(units.take_ready(false).is_empty());
        assert!(units.is_waiting());
        units.wait(TestIndex::new(2));
        assert_eq!(units.take_ready(false), [(GroupIndex::FIRST, indices(&[2, 6]))]);
        assert!(!units.is_waiting());
        units.wait(TestIndex::new(7));
        assert_eq!(units.take_ready(true), [(GroupIndex::FIRST, indices(&[7]))]);
    }

    #[test]
    fn earlier_runs_may_be_heard_of_late() {
        let mut units = units();
        units.keep_whole(GroupIndex::FIRST, |unit| unit == "even");
        assert_eq!(units.bond(TestIndex::new(0)), Bond::Whole);
    }
}
