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
