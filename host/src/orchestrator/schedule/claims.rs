//! Stretches of tests that workers have to themselves.
//!
//! A worker is handed a few tests at a time, so that little has to be taken back from it; that these come from a stretch
//! of its own keeps the tests of a unit together. Whoever is done takes the second half of the longest stretch that is left
//! (work stealing: Blumofe and Leiserson, 1999).

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::bonds::{Bond, UnitKey};
use super::super::catalog::{GroupIndex, TestIndex};
use super::stretch::Stretch;
use super::{SandboxKey, Weigh};

#[derive(Debug, Default)]
pub(super) struct Claims {
    claims: BTreeMap<SandboxKey, Claim>,
    /// The units of which a sandbox's worker was handed tests.
    loaded: BTreeMap<SandboxKey, HashSet<UnitKey>>,
}

/// Who takes over what others have claimed.
pub(super) struct Thief {
    pub(super) sandbox: SandboxKey,
    /// It takes nothing of earlier stages.
    pub(super) stage: u32,
}

#[derive(Debug)]
struct Claim {
    group: GroupIndex,
    tests: Stretch,
    /// The unit of what was handed out of it last.
    begun: Option<UnitKey>,
}

impl Claims {
    /// How many tests of the group are claimed.
    pub(super) fn count(&self, group: GroupIndex) -> usize {
        self.of(group).map(|(_, claim)| claim.tests.len()).sum()
    }

    /// How long they may take.
    pub(super) fn seconds(&self, group: GroupIndex, weigh: Weigh) -> f64 {
        self.of(group).map(|(_, claim)| weigh.all(&claim.tests)).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.claims.values().all(|claim| claim.tests.is_empty())
    }

    /// Gives a sandbox without a claim this one.
    pub(super) fn stake(&mut self, sandbox: SandboxKey, group: GroupIndex, tests: Stretch) {
        self.claims.insert(sandbox, Claim { group, tests, begun: None });
    }

    /// The next tests of the sandbox's own claim, for about so many seconds and `most` at the most; none where nothing is
    /// left of it. A unit that is never taken apart is handed out at once.
    pub(super) fn take(
        &mut self,
        sandbox: SandboxKey,
        group: GroupIndex,
        seconds: f64,
        most: usize,
        weigh: Weigh,
    ) -> Vec<TestIndex> {
        let Some(claim) = self.claims.get_mut(&sandbox).filter(|claim| claim.group == group) else { return Vec::new() };
        let (mut tests, mut sum) = (Vec::new(), 0.0);
        while let Some(entry) = claim.tests.front() {
            sum += weigh.one(&entry);
            let belongs_to_last = entry.bond == Bond::Whole && claim.begun == Some(entry.unit);
            // A long one is left where others can take it over.
            let is_enough = tests.len() >= most || (sum > seconds && !tests.is_empty());
            if is_enough && !belongs_to_last {
                break;
            }
            claim.tests.pop_front();
            claim.begun = Some(entry.unit);
            self.loaded.entry(sandbox).or_default().insert(entry.unit);
            tests.push(entry.test);
        }
        tests
    }

    /// Moves about the second half of the longest claim to a sandbox that has none. A unit that the thief has to load anew is
    /// only split if at least `worth` seconds of it are left.
    pub(super) fn steal(&mut self, thief: &Thief, group: GroupIndex, worth: f64, weigh: Weigh) {
        let loaded = self.loaded.get(&thief.sandbox).cloned().unwrap_or_default();
        let Some(claim) = self.longest(thief, group, weigh) else { return };
        let worth = if claim.tests.iter().all(|entry| loaded.contains(&entry.unit)) { 0.0 } else { worth };
        let Some(kept) = middle(claim, worth, weigh) else { return };
        let start = claim.tests.start_of(thief.stage);
        if kept < start && splits_whole(&claim.tests, start) {
            return;
        }
        let tests = claim.tests.split_off(kept.max(start));
        self.claims.insert(thief.sandbox, Claim { group, tests, begun: None });
    }

    /// Moves the last unit of the longest claim to a sandbox that has none, unless it is all that is left there.
    pub(super) fn steal_last(&mut self, thief: &Thief, group: GroupIndex, weigh: Weigh) {
        let Some(claim) = self.longest(thief, group, weigh) else { return };
        let tests = claim.tests.pop_unit();
        if claim.tests.is_empty() || tests.start_of(thief.stage) > 0 {
            claim.tests.append(tests);
        } else {
            self.claims.insert(thief.sandbox, Claim { group, tests, begun: None });
        }
    }

    fn longest(&mut self, thief: &Thief, group: GroupIndex, weigh: Weigh) -> Option<&mut Claim> {
        let others = self.claims.iter_mut().filter(|(sandbox, claim)| {
            **sandbox != thief.sandbox && claim.group == group && claim.tests.last_stage() >= Some(thief.stage)
        });
        let longest = others.map(|(_, claim)| (weigh.all(&claim.tests), claim));
        longest.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, claim)| claim)
    }

    /// How long the longest claim may take whose next test is of an earlier stage than this.
    pub(super) fn longest_before(&self, stage: u32, group: GroupIndex, weigh: Weigh) -> f64 {
        let is_earlier = |claim: &&Claim| claim.tests.front().is_some_and(|next| next.stage < stage);
        let earlier = self.of(group).map(|(_, claim)| claim).filter(is_earlier);
        earlier.map(|claim| weigh.all(&claim.tests)).fold(0.0, f64::max)
    }

    /// The stage of the next test of a sandbox's own claim.
    pub(super) fn next_stage(&self, sandbox: SandboxKey, group: GroupIndex) -> Option<u32> {
        let claim = self.claims.get(&sandbox).filter(|claim| claim.group == group)?;
        claim.tests.front().map(|next| next.stage)
    }

    /// Takes those of these tests out that are claimed.
    pub(super) fn take_out(&mut self, group: GroupIndex, tests: &HashSet<TestIndex>) -> Vec<TestIndex> {
        let claims = self.claims.values_mut().filter(|claim| claim.group == group);
        claims.flat_map(|claim| claim.tests.take_out(tests)).collect()
    }

    /// Takes a sandbox's claim away: what was left of it.
    pub(super) fn release(&mut self, sandbox: SandboxKey) -> Option<(GroupIndex, Stretch)> {
        self.loaded.remove(&sandbox);
        self.claims.remove(&sandbox).map(|claim| (claim.group, claim.tests))
    }

    fn of(&self, group: GroupIndex) -> impl Iterator<Item = (&SandboxKey, &Claim)> {
        self.claims.iter().filter(move |(_, claim)| claim.group == group)
    }
}

/// Where to halve: between the units next to the middle, or within one if that is worth it. The first of the rest stays,
/// unless it is of a unit that was not begun and that is all there is.
fn middle(claim: &Claim, worth: f64, weigh: Weigh) -> Option<usize> {
    let tests = &claim.tests;
    let half = weigh.all(tests) / 2.0;
    let (mut before, mut last) = (0.0, None);
    // How far from the middle, in seconds, the nearest place between units is, and the nearest within one, with how long that
    // unit takes.
    let (mut between, mut within) = (None::<(f64, usize)>, None::<(f64, usize, UnitKey)>);
    let mut units: HashMap<UnitKey, f64> = HashMap::new();
    for (at, entry) in tests.iter().enumerate() {
        let away = (half - before).abs();
        if at > 0 && last != Some(entry.unit) && between.is_none_or(|(other, _)| away < other) {
            between = Some((away, at));
        }
        let comes_apart = entry.bond != Bond::Whole && last == Some(entry.unit);
        if at > 0 && comes_apart && within.is_none_or(|(other, _, _)| away < other) {
            within = Some((away, at, entry.unit));
        }
        let seconds = weigh.one(entry);
        let free = if entry.bond == Bond::Free { f64::INFINITY } else { 0.0 };
        *units.entry(entry.unit).or_default() += seconds + free;
        before += seconds;
        last = Some(entry.unit);
    }
    let is_near = |away: f64| away <= half / 2.0;
    let within = within.filter(|(_, _, unit)| units[unit] >= worth).map(|(_, at, _)| at);
    let first = tests.front();
    let whole = first.filter(|first| {
        claim.begun != Some(first.unit) || (tests.len() == 1 && first.bond != Bond::Whole && weigh.one(first) >= worth)
    });
    match between {
        Some((away, at)) if is_near(away) => Some(at),
        Some((_, at)) => within.or(Some(at)),
        None => within.or(whole.map(|_| 0)),
    }
}

/// Whether a cut here would take a unit apart that never is.
fn splits_whole(tests: &Stretch, at: usize) -> bool {
    let around = |place: usize| tests.iter().nth(place);
    let (Some(before), Some(after)) = (at.checked_sub(1).and_then(around), around(at)) else { return false };
    before.unit == after.unit && after.bond == Bond::Whole
}

#[cfg(test)]
mod tests {
    use super::super::super::constraints::ClassId;
    use super::super::stretch::Entry;
    use super::*;

    const GROUP: GroupIndex = GroupIndex::FIRST;
    const WEIGH: Weigh = Weigh { typical: 1.0, each: 0.0 };

    fn stretch(entries: &[(u32, f64)]) -> Stretch {
        let entry = |(index, (unit, seconds)): (usize, &(u32, f64))| Entry {
            test: TestIndex::new(index),
            unit: *unit,
            expected: Some(*seconds),
            stage: 0,
            bond: Bond::Ordered,
            class: ClassId::FREE,
        };
        entries.iter().enumerate().map(entry).collect()
    }

    /// Gives a sandbox this claim, of which it has begun the first unit.
    fn stake_begun(claims: &mut Claims, sandbox: SandboxKey, tests: Stretch) {
        let begun = tests.front().map(|entry| entry.unit);
        claims.claims.insert(sandbox, Claim { group: GROUP, tests, begun });
    }

    fn thief(sandbox: SandboxKey) -> Thief {
        Thief { sandbox, stage: 0 }
    }

    #[track_caller]
    fn check_stolen(entries: &[(u32, f64)], worth: f64, expected: &[usize]) {
        let mut claims = Claims::default();
        stake_begun(&mut claims, 1, stretch(entries));
        claims.steal(&thief(2), GROUP, worth, WEIGH);
        let stolen = claims.take(2, GROUP, f64::INFINITY, usize::MAX, WEIGH);
        assert_eq!(stolen, expected.iter().copied().map(TestIndex::new).collect::<Vec<_>>());
        assert_eq!(claims.count(GROUP), entries.len() - expected.len());
    }

    fn alike(units: &[u32]) -> Vec<(u32, f64)> {
        units.iter().map(|unit| (*unit, 1.0)).collect()
    }

    #[test]
    fn half_is_stolen_from_the_end() {
        check_stolen(&alike(&[0, 0, 0, 0]), 1.0, &[2, 3]);
        check_stolen(&alike(&[0, 0, 0]), 1.0, &[1, 2]);
        check_stolen(&alike(&[0]), 1.0, &[0]);
        check_stolen(&[], 0.0, &[]);
    }

    #[test]
    fn half_is_half_of_the_time() {
        check_stolen(&[(0, 9.0), (0, 1.0), (0, 1.0), (0, 1.0)], 1.0, &[1, 2, 3]);
        check_stolen(&[(0, 1.0), (0, 1.0), (0, 1.0), (0, 9.0)], 1.0, &[3]);
    }

    #[test]
    fn whole_units_are_stolen_where_that_is_about_half() {
        check_stolen(&alike(&[0, 0, 0, 0, 0, 1, 1, 1]), 1.0, &[5, 6, 7]);
        check_stolen(&alike(&[0, 0, 0, 0, 0, 0, 0, 1]), 1.0, &[4, 5, 6, 7]);
    }

    #[test]
    fn what_is_soon_done_is_not_split() {
        check_stolen(&alike(&[0, 0, 0, 0]), 5.0, &[]);
        check_stolen(&alike(&[0, 0, 0, 1]), 5.0, &[3]);
    }

    #[test]
    fn what_is_loaded_already_is_split() {
        let mut claims = Claims::default();
        let [mut first, rest] = [alike(&[0]), alike(&[0, 0, 0, 0])].map(|entries| stretch(&entries));
        claims.stake(2, GROUP, std::mem::take(&mut first));
        assert_eq!(claims.take(2, GROUP, 9.0, 9, WEIGH).len(), 1);
        stake_begun(&mut claims, 1, rest);
        claims.steal(&thief(3), GROUP, 5.0, WEIGH);
        assert_eq!(claims.take(3, GROUP, 9.0, 9, WEIGH).len(), 0);
        claims.steal(&thief(2), GROUP, 5.0, WEIGH);
        assert_eq!(claims.take(2, GROUP, 9.0, 9, WEIGH).len(), 2);
        claims.release(2);
        claims.steal(&thief(2), GROUP, 5.0, WEIGH);
        assert_eq!(claims.take(2, GROUP, 9.0, 9, WEIGH).len(), 0);
    }

    #[test]
    fn the_longest_claim_is_halved() {
        let mut claims = Claims::default();
        claims.stake(1, GROUP, stretch(&alike(&[0, 0, 0])));
        claims.stake(2, GROUP, stretch(&[(0, 0.0), (0, 0.0), (0, 5.0), (0, 5.0)]));
        claims.steal(&thief(3), GROUP, 1.0, WEIGH);
        assert_eq!(claims.take(3, GROUP, 99.0, 9, WEIGH), [TestIndex::new(3)]);
    }

    #[test]
    fn nothing_of_an_earlier_stage_is_stolen() {
        let staged = |stages: &[u32]| {
            let entries = stages.iter().enumerate();
            let entry = |(index, stage): (usize, &u32)| Entry {
                test: TestIndex::new(index),
                unit: 0,
                expected: Some(1.0),
                stage: *stage,
                bond: Bond::Ordered,
                class: ClassId::FREE,
            };
            entries.map(entry).collect::<Stretch>()
        };
        let stolen = |stages: &[u32], stage: u32| {
            let mut claims = Claims::default();
            claims.stake(1, GROUP, staged(stages));
            claims.steal(&Thief { sandbox: 2, stage }, GROUP, 1.0, WEIGH);
            claims.take(2, GROUP, f64::INFINITY, usize::MAX, WEIGH).len()
        };
        assert_eq!(stolen(&[0, 0, 0, 1], 0), 2);
        assert_eq!(stolen(&[0, 0, 0, 1], 1), 1);
        assert_eq!(stolen(&[0, 0, 0, 1], 2), 0);
        assert_eq!(stolen(&[2, 2, 2, 2], 2), 2);
    }

    #[test]
    fn what_is_taken_fills_the_time() {
        let mut claims = Claims::default();
        claims.stake(1, GROUP, stretch(&[(0, 0.2), (0, 0.2), (0, 0.2), (0, 7.0)]));
        assert_eq!(claims.take(1, GROUP, 0.5, 9, WEIGH), [0, 1].map(TestIndex::new));
        assert_eq!(claims.take(1, GROUP, 0.5, 9, WEIGH), [2].map(TestIndex::new));
        assert_eq!(claims.take(1, GROUP, 0.5, 9, WEIGH), [3].map(TestIndex::new));
    }

    #[test]
    fn a_unit_that_was_not_begun_is_taken_as_a_whole() {
        let mut claims = Claims::default();
        claims.stake(1, GROUP, stretch(&alike(&[0, 0, 0, 0])));
        claims.steal(&thief(2), GROUP, 5.0, WEIGH);
        assert_eq!((claims.take(2, GROUP, 9.0, 9, WEIGH).len(), claims.count(GROUP)), (4, 0));
    }

    #[test]
    fn what_is_never_taken_apart_is_handed_out_at_once_and_not_stolen_from() {
        let whole = |units: &[u32]| -> Stretch {
            stretch(&alike(units)).iter().map(|entry| Entry { bond: Bond::Whole, ..*entry }).collect()
        };
        let mut claims = Claims::default();
        claims.stake(1, GROUP, whole(&[0, 0, 0, 1, 1]));
        assert_eq!(claims.take(1, GROUP, 0.5, 1, WEIGH), [0, 1, 2].map(TestIndex::new));
        let mut claims = Claims::default();
        stake_begun(&mut claims, 1, whole(&[0, 0, 0, 0, 0, 1]));
        claims.steal(&thief(2), GROUP, 0.0, WEIGH);
        assert_eq!(claims.take(2, GROUP, 9.0, 9, WEIGH), [TestIndex::new(5)]);
        claims.release(2);
        claims.steal(&thief(2), GROUP, 0.0, WEIGH);
        assert!(claims.take(2, GROUP, 9.0, 9, WEIGH).is_empty());
    }
}
