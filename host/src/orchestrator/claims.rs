//! Stretches of tests that workers have to themselves.
//!
//! A worker is handed a few tests at a time, so that little has to be taken back from it; that these come from a stretch
//! of its own keeps the tests of a unit together. Whoever is done takes the second half of the longest stretch that is left
//! (work stealing: Blumofe and Leiserson, 1999).

use std::collections::{BTreeMap, VecDeque};

use super::catalog::{GroupIndex, TestIndex};
use super::schedule::{SandboxKey, UnitKey};

#[derive(Debug, Default)]
pub(super) struct Claims(BTreeMap<SandboxKey, Claim>);

#[derive(Debug)]
struct Claim {
    group: GroupIndex,
    tests: VecDeque<(TestIndex, UnitKey)>,
}

impl Claims {
    /// How many tests of the group are claimed.
    pub(super) fn count(&self, group: GroupIndex) -> usize {
        self.of(group).map(|(_, claim)| claim.tests.len()).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.values().all(|claim| claim.tests.is_empty())
    }

    /// Gives a sandbox without a claim this one.
    pub(super) fn stake(
        &mut self,
        sandbox: SandboxKey,
        group: GroupIndex,
        tests: impl IntoIterator<Item = (TestIndex, UnitKey)>,
    ) {
        self.0.insert(sandbox, Claim { group, tests: tests.into_iter().collect() });
    }

    /// The next tests of the sandbox's own claim, `most` at the most; none where nothing is left of it.
    pub(super) fn take(&mut self, sandbox: SandboxKey, group: GroupIndex, most: usize) -> Vec<TestIndex> {
        match self.0.get_mut(&sandbox) {
            Some(claim) if claim.group == group => {
                let count = most.min(claim.tests.len());
                claim.tests.drain(..count).map(|(test, _)| test).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Moves about the second half of the longest claim to a sandbox that has none. A unit is only split if at least `worth`
    /// of its tests are left: the thief has to load it anew.
    pub(super) fn steal(&mut self, thief: SandboxKey, group: GroupIndex, worth: usize) {
        let longest = self.of(group).filter(|(sandbox, _)| **sandbox != thief);
        let Some(victim) = longest.max_by_key(|(_, claim)| claim.tests.len()).map(|(sandbox, _)| *sandbox) else {
            return;
        };
        let Some(claim) = self.0.get_mut(&victim) else { return };
        let Some(kept) = middle(&claim.tests, worth) else { return };
        let stolen = claim.tests.split_off(kept);
        self.0.insert(thief, Claim { group, tests: stolen });
    }

    /// Takes a sandbox's claim away: what was left of it.
    pub(super) fn release(&mut self, sandbox: SandboxKey) -> Option<(GroupIndex, VecDeque<(TestIndex, UnitKey)>)> {
        self.0.remove(&sandbox).map(|claim| (claim.group, claim.tests))
    }

    fn of(&self, group: GroupIndex) -> impl Iterator<Item = (&SandboxKey, &Claim)> {
        self.0.iter().filter(move |(_, claim)| claim.group == group)
    }
}

/// Where to halve: between the units next to the middle, or within one if that is worth it.
fn middle(tests: &VecDeque<(TestIndex, UnitKey)>, worth: usize) -> Option<usize> {
    let half = tests.len() / 2;
    let between = |at: &usize| tests[*at - 1].1 != tests[*at].1;
    let boundary = (1..tests.len()).filter(between).min_by_key(|at| at.abs_diff(half));
    match boundary {
        Some(at) if at.abs_diff(half) <= tests.len() / 4 || tests.len() < worth => Some(at),
        _ => (!tests.is_empty() && tests.len() >= worth).then_some(half),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: GroupIndex = GroupIndex::FIRST;

    fn claims(units: &[u32]) -> Claims {
        let mut claims = Claims::default();
        claims.stake(1, GROUP, units.iter().enumerate().map(|(index, unit)| (TestIndex::new(index), *unit)));
        claims
    }

    #[track_caller]
    fn check_stolen(units: &[u32], worth: usize, expected: &[usize]) {
        let mut claims = claims(units);
        claims.steal(2, GROUP, worth);
        let stolen = claims.take(2, GROUP, usize::MAX);
        assert_eq!(stolen, expected.iter().copied().map(TestIndex::new).collect::<Vec<_>>());
        assert_eq!(claims.count(GROUP), units.len() - expected.len());
    }

    #[test]
    fn half_is_stolen_from_the_end() {
        check_stolen(&[0, 0, 0, 0], 1, &[2, 3]);
        check_stolen(&[0, 0, 0], 1, &[1, 2]);
        check_stolen(&[0], 1, &[0]);
        check_stolen(&[], 1, &[]);
    }

    #[test]
    fn whole_units_are_stolen_where_that_is_about_half() {
        check_stolen(&[0, 0, 0, 0, 0, 1, 1, 1], 1, &[5, 6, 7]);
        check_stolen(&[0, 0, 0, 0, 0, 0, 0, 1], 1, &[4, 5, 6, 7]);
    }

    #[test]
    fn what_is_soon_done_is_not_split() {
        check_stolen(&[0, 0, 0, 0], 5, &[]);
        check_stolen(&[0, 0, 0, 1], 5, &[3]);
    }

    #[test]
    fn the_longest_claim_is_halved() {
        let mut claims = claims(&[0, 0]);
        claims.stake(2, GROUP, (10..16).map(|index| (TestIndex::new(index), 1)));
        claims.steal(3, GROUP, 1);
        assert_eq!(claims.take(3, GROUP, 9), [13, 14, 15].map(TestIndex::new));
    }
}
