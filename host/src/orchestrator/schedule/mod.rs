//! Which tests go where: a pure state machine that reads no clock and does nothing itself.
//!
//! Sandboxes ask for work when they are free. What takes long goes first (Graham, 1969), where earlier runs say what that
//! is. Batches shrink towards the end (guided self-scheduling: Polychronopoulos and Kuck, 1987): large ones while there is
//! much to do, since each pays for a process and a collection, and small ones at last, so that all sandboxes end together.

mod claims;
mod constrained;
mod costs;
mod crowd;
mod group;
mod stages;
mod stretch;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::bonds::{Bond, UnitKey};
use super::catalog::{GroupIndex, TestIndex};
use super::constraints::{Blocked, ClassId, Constraints};
use claims::{Claims, Thief};
use constrained::Constrained;
use crowd::Creations;
pub(super) use crowd::{Crowd, remaining};
use group::{Group, Weigh};
use stages::Stages;
pub(super) use stretch::Entry;

/// A sandbox as the schedule tells it from others.
pub(super) type SandboxKey = u64;

/// Tests to run with one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) group: GroupIndex,
    pub(super) tests: Vec<TestIndex>,
}

/// What a worker is handed at once should keep it busy for about so many seconds: long enough to hide the way to it, and
/// short enough that others find something to take over in the end.
const ORDER: f64 = 0.2;

/// A worker runs a test only when it knows what follows, so it needs two.
const LEAST_PENDING: usize = 2;

/// Tests that take less than this together, in seconds, may be done before more of them arrive.
const SHORT: f64 = 0.1;

/// How many tests of unknown duration a worker is handed at once, and how many at the most.
const SMALL_ORDER: usize = 2;
const LARGE_ORDER: usize = 500;

/// Whoever runs a batch has had nothing of it before.
const ANY_STAGE: RangeInclusive<u32> = 0..=u32::MAX;

/// For less than this, in seconds, no worker is ended so that another may run tests of an earlier stage in its place.
const NEW_WORKER: f64 = 1.0;

#[derive(Debug)]
pub(super) struct Schedule {
    timeout: Duration,
    groups: Vec<Group>,
    again: VecDeque<Again>,
    /// Tests to be run in the order of their unit, in a process of their own, each batch of one unit.
    in_order: VecDeque<Batch>,
    /// Tests that need something of the whole run.
    constrained: Constrained,
    constraints: Constraints,
    claims: Claims,
    creations: Creations,
    stages: Stages,
    /// Seconds that earlier runs let expect, by test.
    expected: Vec<Option<f64>>,
}

/// Tests of one stage that are handed out once more, in the shape that they have here.
#[derive(Debug)]
struct Again {
    batch: Batch,
    /// Where they should rather not run.
    avoid: Option<SandboxKey>,
    /// Whether they have failed before.
    failed: bool,
}

/// What may be handed out at a moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowance {
    /// What others have that only so many may have.
    pub(super) blocked: Blocked,
    /// How many sandboxes there are at the most.
    pub(super) capacity: usize,
    /// Whether only those go out that failed before: what becomes of them decides whether the run goes on.
    pub(super) only_failed: bool,
}

impl Schedule {
    /// `timeout` is what bounds a batch.
    pub(super) fn new(groups: usize, timeout: Duration) -> Self {
        let groups = std::iter::repeat_with(Group::default).take(groups).collect();
        Self {
            timeout,
            groups,
            again: VecDeque::new(),
            in_order: VecDeque::new(),
            constrained: Constrained::default(),
            constraints: Constraints::default(),
            claims: Claims::default(),
            creations: Creations::default(),
            stages: Stages::default(),
            expected: Vec::new(),
        }
    }

    /// Takes in tests that were never handed out, in their framework's order.
    pub(super) fn add(&mut self, group: GroupIndex, tests: impl IntoIterator<Item = Entry>) {
        let mut fresh = Vec::new();
        for entry in tests {
            remember(&mut self.expected, entry.test, entry.expected);
            self.stages.remember(entry.test, entry.stage);
            self.constraints.set(entry.test, entry.class);
            if entry.class == ClassId::FREE {
                fresh.push(entry);
            } else {
                self.constrained.push(group, entry);
            }
        }
        gather_whole(&mut fresh);
        fresh.into_iter().for_each(|entry| self.groups[group.get()].fresh.push_back(entry));
        self.groups[group.get()].rearrange();
    }

    /// The class of tests with these tags.
    pub(super) fn class<'a>(&mut self, tags: impl Iterator<Item = &'a str>) -> ClassId {
        self.constraints.class(tags)
    }

    pub(super) fn constraints(&self) -> &Constraints {
        &self.constraints
    }

    /// Learns, after the tests were taken in, how long those take that nobody has yet, and what keeps them together.
    pub(super) fn expect(
        &mut self,
        group: GroupIndex,
        expected: impl Fn(TestIndex) -> Option<f64>,
        bond: impl Fn(TestIndex) -> Bond,
    ) {
        let group = &mut self.groups[group.get()];
        let informed = |entry: &Entry| Entry {
            expected: expected(entry.test).or(entry.expected),
            bond: bond(entry.test),
            ..*entry
        };
        group.fresh = group.fresh.iter().map(informed).collect();
        group.fresh.iter().for_each(|entry| remember(&mut self.expected, entry.test, entry.expected));
        group.rearrange();
    }

    /// Whether a worker of the group should be given more while it has these.
    pub(super) fn wants_more(&self, group: GroupIndex, mut pending: impl ExactSizeIterator<Item = TestIndex>) -> bool {
        if pending.len() < LEAST_PENDING {
            return true;
        }
        let mut left = SHORT;
        self.groups[group.get()].costs.are_known()
            && pending.all(|test| {
                left -= self.seconds_of(group, test);
                left > 0.0
            })
    }

    /// Takes back a batch that is to be run once more as it is.
    pub(super) fn give_back(&mut self, batch: Batch, avoid: Option<SandboxKey>) {
        self.again(batch, avoid, false);
    }

    fn again(&mut self, batch: Batch, avoid: Option<SandboxKey>, failed: bool) {
        let Batch { group, tests } = batch;
        for tests in self.stages.split(tests) {
            for tests in tests.chunk_by(|one, other| self.constraints.of(*one) == self.constraints.of(*other)) {
                let batch = Batch { group, tests: tests.to_vec() };
                self.again.push_back(Again { batch, avoid, failed });
            }
        }
    }

    /// Takes back tests that failed: their next attempts come soon, spread over the sandboxes.
    pub(super) fn retry(&mut self, batch: Batch, avoid: SandboxKey, sandboxes: usize) {
        let Batch { group, tests } = batch;
        let size = tests.len().div_ceil(sandboxes.max(1)).max(1);
        for tests in tests.chunks(size) {
            self.again(Batch { group, tests: tests.to_vec() }, Some(avoid), true);
        }
    }

    /// Takes tests of one unit that are to be run in its order, by a process of their own.
    pub(super) fn run_in_order(&mut self, batch: Batch) {
        self.in_order.push_back(batch);
    }

    /// The next batch that is to be run in the order of its unit.
    pub(super) fn take_in_order(
        &mut self,
        allowance: &Allowance,
        may_run: impl Fn(GroupIndex) -> bool,
    ) -> Option<Batch> {
        let position =
            self.in_order.iter().position(|batch| self.is_open(allowance, &batch.tests) && may_run(batch.group))?;
        self.in_order.remove(position)
    }

    /// Whether a batch waits that is to be run in the order of its unit: no worker can have it.
    pub(super) fn has_in_order(&self) -> bool {
        !self.in_order.is_empty()
    }

    fn is_open(&self, allowance: &Allowance, tests: &[TestIndex]) -> bool {
        !tests.iter().any(|test| allowance.blocked.has(self.constraints.of(*test)))
    }

    /// From here on this group's tests are handed out one by one.
    pub(super) fn run_singly(&mut self, group: GroupIndex) {
        self.groups[group.get()].singly = true;
    }

    /// Learns from a batch that took `seconds` in all, `running` of them in `tests` tests that ended.
    pub(super) fn learn(&mut self, group: GroupIndex, seconds: f64, tests: usize, running: f64) {
        self.groups[group.get()].costs.learn_batch(seconds, tests, running);
    }

    /// Learns from one test of a worker.
    pub(super) fn learn_test(&mut self, group: GroupIndex, seconds: f64) {
        self.groups[group.get()].costs.learn_test(seconds);
    }

    /// Learns that so many tests of the group have been running for long, for so many seconds together, and have not ended.
    pub(super) fn learn_under_way(&mut self, group: GroupIndex, tests: usize, seconds: f64) {
        self.groups[group.get()].costs.learn_under_way(tests, seconds);
    }

    /// Learns what a worker took besides the test that it then ended, with a unit to load or without.
    pub(super) fn learn_turn(&mut self, group: GroupIndex, seconds: f64, new_unit: bool) {
        self.groups[group.get()].costs.learn_turn(seconds, new_unit);
    }

    /// Learns how long a sandbox took to come up.
    pub(super) fn learn_sandbox(&mut self, seconds: f64) {
        self.creations.learn(seconds);
    }

    /// How many sandboxes there will be, as far as it matters for what waits: some may come up when all is done.
    pub(super) fn sharing(&self, crowd: &Crowd) -> usize {
        self.creations.sharing(crowd, self.seconds_waiting())
    }

    /// Whether another sandbox would find something to do once it is up. As long as nothing is known of the tests, it would.
    pub(super) fn is_worth_another(&self, crowd: &Crowd) -> bool {
        let mut groups = (0..self.groups.len()).map(GroupIndex::new);
        let is_unknown = |group: GroupIndex| !self.groups[group.get()].costs.are_known() && self.waiting(group) > 0;
        !self.is_empty() && (groups.any(is_unknown) || self.creations.are_worth(crowd, self.seconds_waiting()))
    }

    /// Whether each test of the group is handed out by itself.
    pub(super) fn is_singly(&self, group: GroupIndex) -> bool {
        self.groups[group.get()].singly
    }

    /// The group that a free sandbox should work for, of those that may have more of it.
    pub(super) fn choose(
        &self,
        sandbox: SandboxKey,
        allowance: &Allowance,
        may_run: impl Fn(GroupIndex) -> bool,
    ) -> Option<GroupIndex> {
        let again = || self.again.iter().filter(|again| self.may_have(again, allowance) && may_run(again.batch.group));
        if let Some(again) = again().find(|again| again.avoid != Some(sandbox)) {
            return Some(again.batch.group);
        }
        // The group with the most left to do: whatever is large should not be begun last.
        let groups = (0..self.groups.len()).map(GroupIndex::new);
        let open = groups.filter(|group| !allowance.only_failed && self.has_left(*group, allowance) && may_run(*group));
        let largest = open.map(|group| (self.seconds_left(group), group));
        match largest.max_by(|(one, a), (other, b)| one.total_cmp(other).then_with(|| b.cmp(a))) {
            Some((_, group)) => Some(group),
            // Better where it failed before than nowhere.
            None => again().next().map(|again| again.batch.group),
        }
    }

    /// The next batch for a free sandbox, which is one of the crowd.
    pub(super) fn batch(
        &mut self,
        sandbox: SandboxKey,
        group: GroupIndex,
        crowd: &Crowd,
        allowance: &Allowance,
    ) -> Option<Batch> {
        if let Some(batch) = self.elsewhere(sandbox, group, &ANY_STAGE, allowance) {
            return Some(batch);
        }
        if allowance.only_failed {
            return self.again_of(group, &ANY_STAGE, allowance);
        }
        if let Some(batch) = self.take_constrained(group, &ANY_STAGE, allowance) {
            return Some(batch);
        }
        let left = self.groups[group.get()].seconds_fresh();
        if !self.groups[group.get()].fresh.is_empty() && !allowance.blocked.has(ClassId::FREE) {
            let (sharing, end) = (self.sharing(crowd), self.creations.end(crowd, left));
            let batch = self.groups[group.get()].cut_batch(sharing, end, self.timeout);
            let tests = batch.iter().map(|entry| entry.test).collect();
            return Some(Batch { group, tests });
        }
        self.again_of(group, &ANY_STAGE, allowance)
    }

    /// Tests of the group that need something of the whole run, if that can be had.
    fn take_constrained(
        &mut self,
        group: GroupIndex,
        stages: &RangeInclusive<u32>,
        allowance: &Allowance,
    ) -> Option<Batch> {
        let others_wait = self.groups.iter().any(|group| !group.fresh.is_empty())
            || !self.claims.is_empty()
            || self.again.iter().any(|again| again.batch.tests.iter().any(|test| !self.is_alone(*test, allowance)))
            || self.in_order.iter().any(|batch| batch.tests.iter().any(|test| !self.is_alone(*test, allowance)));
        let Group { costs, singly, .. } = &self.groups[group.get()];
        let most = if costs.are_known() { (self.timeout / group::TIMEOUT_PARTS).as_secs_f64() } else { f64::INFINITY };
        let cut = constrained::Cut {
            sandboxes: allowance.capacity,
            most,
            singly: *singly,
            stages: stages.clone(),
            others_wait,
        };
        let weigh = self.groups[group.get()].weigh();
        let tests = self.constrained.take(group, &self.constraints, &cut, weigh, allowance)?;
        Some(Batch { group, tests })
    }

    fn is_alone(&self, test: TestIndex, allowance: &Allowance) -> bool {
        self.constraints.is_alone(self.constraints.of(test), allowance.capacity)
    }

    /// What a worker of the group should have next, that has these tests still.
    pub(super) fn order(
        &mut self,
        sandbox: SandboxKey,
        group: GroupIndex,
        sandboxes: usize,
        pending: impl Iterator<Item = TestIndex>,
        allowance: &Allowance,
    ) -> Option<Batch> {
        let batch = self.find_order(sandbox, group, sandboxes, pending, allowance)?;
        self.stages.reach(sandbox, &batch.tests);
        Some(batch)
    }

    fn find_order(
        &mut self,
        sandbox: SandboxKey,
        group: GroupIndex,
        sandboxes: usize,
        pending: impl Iterator<Item = TestIndex>,
        allowance: &Allowance,
    ) -> Option<Batch> {
        if let Some(batch) = self.elsewhere(sandbox, group, &self.stages_open(sandbox, group), allowance) {
            return Some(batch);
        }
        if allowance.only_failed {
            return self.again_of(group, &self.stages_open(sandbox, group), allowance);
        }
        if let Some(batch) = self.take_constrained(group, &self.stages_open(sandbox, group), allowance) {
            return Some(batch);
        }
        if allowance.blocked.has(ClassId::FREE) {
            return None;
        }
        let mut tests = self.take(sandbox, group, sandboxes);
        if tests.is_empty() {
            let busy: f64 = pending.map(|test| self.seconds_of(group, test)).sum();
            self.claim(sandbox, group, sandboxes, busy);
            tests = self.take(sandbox, group, sandboxes);
        }
        if tests.is_empty() {
            return self.again_of(group, &self.stages_open(sandbox, group), allowance);
        }
        Some(Batch { group, tests })
    }

    /// The stages of which a worker may have tests out of turn: those that it has reached, up to where it goes on.
    fn stages_open(&self, sandbox: SandboxKey, group: GroupIndex) -> RangeInclusive<u32> {
        let reached = self.stages.reached(sandbox);
        let fresh = &self.groups[group.get()].fresh;
        let next_fresh = || fresh.iter().nth(fresh.start_of(reached)).map(|next| next.stage);
        let next = self.claims.next_stage(sandbox, group).or_else(next_fresh);
        reached..=next.unwrap_or(u32::MAX)
    }

    /// Gives a worker that will be busy for so many seconds a new claim.
    fn claim(&mut self, sandbox: SandboxKey, group: GroupIndex, sandboxes: usize, busy: f64) {
        let stage = self.stages.reached(sandbox);
        let Group { fresh, costs, .. } = &self.groups[group.get()];
        let weigh = self.groups[group.get()].weigh();
        // It wants to know what follows; what takes long would wait there while others could have it.
        let is_busy = costs.are_known() && busy > ORDER;
        if fresh.last_stage() >= Some(stage) {
            let cut = |group: &mut Group| if is_busy { group.cut_unit() } else { group.cut_claim(sandboxes) };
            let claim = self.groups[group.get()].beginning_with(stage, cut);
            return self.claims.stake(sandbox, group, claim);
        }
        let thief = Thief { sandbox, stage };
        if is_busy {
            self.claims.steal_last(&thief, group, weigh);
        } else {
            let worth = self.groups[group.get()].worth_splitting();
            self.claims.steal(&thief, group, worth, weigh);
        }
    }

    /// Whether tests wait that this worker must not have any more, but another in its place could.
    pub(super) fn is_past(&self, sandbox: SandboxKey, group: GroupIndex) -> bool {
        let reached = self.stages.reached(sandbox);
        if reached == 0 {
            return false;
        }
        let fresh = self.groups[group.get()].fresh.front().is_some_and(|next| next.stage < reached);
        let again = || self.again.iter().any(|again| again.batch.group == group && self.stage_of(again) < reached);
        let claimed = || {
            let worth = self.groups[group.get()].worth_splitting().max(NEW_WORKER);
            self.claims.longest_before(reached, group, self.groups[group.get()].weigh()) > worth
        };
        fresh || again() || claimed() || self.constrained.has_before(group, reached)
    }

    /// What to take back for this sandbox's worker, which has nothing to do, from the one that would end last: tests that
    /// that one will not come to soon. `pending` tells what each worker has, in the order in which it will run that, and
    /// `unit` where a test belongs.
    pub(super) fn take_back<Key>(
        &self,
        sandbox: SandboxKey,
        group: GroupIndex,
        pending: impl Iterator<Item = (Key, Vec<TestIndex>)>,
        unit: impl Fn(TestIndex) -> (Option<UnitKey>, Bond),
    ) -> Option<(Key, Vec<TestIndex>)> {
        let seconds = |tests: &[TestIndex]| tests.iter().map(|test| self.seconds_of(group, *test)).sum::<f64>();
        let stage = self.stages.reached(sandbox);
        let spare = pending.filter(|(_, tests)| tests.len() > LEAST_PENDING).filter_map(|(key, mut tests)| {
            let at = self.give_up_from(group, &tests, &unit)?;
            let mut spare = tests.split_off(at);
            spare.retain(|test| self.stages.of(*test) >= stage);
            (!spare.is_empty()).then_some((key, spare))
        });
        let (_, key, tests) = spare
            .map(|(key, tests)| (seconds(&tests), key, tests))
            .filter(|(seconds, _, _)| *seconds > SHORT / 4.0)
            .max_by(|(one, _, _), (other, _, _)| one.total_cmp(other))?;
        Some((key, tests))
    }

    /// From which of these tests on a worker can give up what it has: about half of what it will not come to soon, and no part
    /// of a unit that is not worth taking apart.
    fn give_up_from(
        &self,
        group: GroupIndex,
        tests: &[TestIndex],
        unit: &impl Fn(TestIndex) -> (Option<UnitKey>, Bond),
    ) -> Option<usize> {
        let (spare, worth) = (&tests[LEAST_PENDING..], self.groups[group.get()].worth_splitting());
        let half = LEAST_PENDING + spare.len() / 2;
        let left_of_unit = |at: usize| -> f64 {
            let of = unit(tests[at]).0;
            tests[at..].iter().take_while(|test| unit(**test).0 == of).map(|test| self.seconds_of(group, *test)).sum()
        };
        let may_cut = |at: &usize| {
            let ((one, _), (other, bond)) = (unit(tests[at - 1]), unit(tests[*at]));
            let between = one != other || other.is_none();
            between || bond == Bond::Free || (bond == Bond::Ordered && left_of_unit(*at) >= worth)
        };
        (half..tests.len()).find(may_cut).or_else(|| (LEAST_PENDING..half).rev().find(may_cut))
    }

    /// Whether earlier runs say how long the test takes.
    pub(super) fn is_foreseen(&self, test: TestIndex) -> bool {
        self.expected.get(test.get()).copied().flatten().is_some()
    }

    /// How long the test may take.
    pub(super) fn seconds_of(&self, group: GroupIndex, test: TestIndex) -> f64 {
        let Weigh { typical, each } = self.groups[group.get()].weigh();
        self.expected.get(test.get()).copied().flatten().unwrap_or(typical) + each
    }

    /// Takes those of these tests out that are not handed out, in their order.
    pub(super) fn take_out(&mut self, group: GroupIndex, tests: &HashSet<TestIndex>) -> Vec<TestIndex> {
        let mut taken = self.claims.take_out(group, tests);
        taken.extend(self.groups[group.get()].fresh.take_out(tests));
        for again in self.again.iter_mut().filter(|again| again.batch.group == group) {
            let (out, kept) = again.batch.tests.drain(..).partition(|test| tests.contains(test));
            again.batch.tests = kept;
            let out: Vec<_> = out;
            taken.extend(out);
        }
        self.again.retain(|again| !again.batch.tests.is_empty());
        taken.sort_unstable();
        taken
    }

    /// The sandbox has no worker any more: what it had claimed is for the others.
    pub(super) fn release(&mut self, sandbox: SandboxKey) {
        self.stages.leave(sandbox);
        if let Some((group, tests)) = self.claims.release(sandbox) {
            let fresh = &mut self.groups[group.get()].fresh;
            let rest = std::mem::replace(fresh, tests);
            fresh.append(rest);
            fresh.by_stage();
        }
    }

    /// How many tests of the group were never handed out.
    pub(super) fn left(&self, group: GroupIndex) -> usize {
        self.groups[group.get()].fresh.len() + self.claims.count(group) + self.constrained.count(group)
    }

    /// Whether any of them may be handed out.
    fn has_left(&self, group: GroupIndex, allowance: &Allowance) -> bool {
        let free = self.groups[group.get()].fresh.len() + self.claims.count(group);
        (free > 0 && !allowance.blocked.has(ClassId::FREE)) || self.constrained.has_open(group, allowance)
    }

    /// How many tests of the group nobody runs at the moment.
    pub(super) fn waiting(&self, group: GroupIndex) -> usize {
        let again = self.again.iter().filter(|again| again.batch.group == group);
        let in_order = self.in_order.iter().filter(|batch| batch.group == group);
        self.left(group)
            + again.map(|again| again.batch.tests.len()).sum::<usize>()
            + in_order.map(|batch| batch.tests.len()).sum::<usize>()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.again.is_empty()
            && self.in_order.is_empty()
            && self.constrained.is_empty()
            && self.claims.is_empty()
            && self.groups.iter().all(|group| group.fresh.is_empty())
    }

    fn seconds_left(&self, group: GroupIndex) -> f64 {
        let weigh = self.groups[group.get()].weigh();
        weigh.all(&self.groups[group.get()].fresh)
            + self.claims.seconds(group, weigh)
            + self.constrained.seconds(group, weigh)
    }

    /// How long what nobody runs at the moment may take.
    fn seconds_waiting(&self) -> f64 {
        let left: f64 = (0..self.groups.len()).map(|group| self.seconds_left(GroupIndex::new(group))).sum();
        let again = self.again.iter().map(|again| &again.batch).chain(&self.in_order);
        left + again.flat_map(|batch| batch.tests.iter().map(|test| self.seconds_of(batch.group, *test))).sum::<f64>()
    }

    /// Tests of the group that are to be run again and did not fail here.
    fn elsewhere(
        &mut self,
        sandbox: SandboxKey,
        group: GroupIndex,
        stages: &RangeInclusive<u32>,
        allowance: &Allowance,
    ) -> Option<Batch> {
        self.take_again(|again| again.batch.group == group && again.avoid != Some(sandbox), stages, allowance)
    }

    fn again_of(&mut self, group: GroupIndex, stages: &RangeInclusive<u32>, allowance: &Allowance) -> Option<Batch> {
        self.take_again(|again| again.batch.group == group, stages, allowance)
    }

    fn may_have(&self, again: &Again, allowance: &Allowance) -> bool {
        (again.failed || !allowance.only_failed) && self.is_open(allowance, &again.batch.tests)
    }

    fn take_again(
        &mut self,
        fits: impl Fn(&Again) -> bool,
        stages: &RangeInclusive<u32>,
        allowance: &Allowance,
    ) -> Option<Batch> {
        let staged = self.again.iter().enumerate().map(|(position, again)| (self.stage_of(again), position));
        let fitting = staged.filter(|(stage, position)| {
            let again = &self.again[*position];
            stages.contains(stage) && fits(again) && self.may_have(again, allowance)
        });
        let (_, position) = fitting.min()?;
        self.again.remove(position).map(|again| again.batch)
    }

    fn stage_of(&self, again: &Again) -> u32 {
        again.batch.tests.first().map_or(0, |test| self.stages.of(*test))
    }

    /// The next tests of the worker's own claim.
    fn take(&mut self, sandbox: SandboxKey, group: GroupIndex, sandboxes: usize) -> Vec<TestIndex> {
        let Group { costs, singly, .. } = &self.groups[group.get()];
        let most = match costs.are_known() {
            _ if *singly => 1,
            true => LARGE_ORDER,
            false => SMALL_ORDER,
        };
        // Towards the end everybody should get something.
        let most = most.min(self.left(group).div_ceil(sandboxes.max(1)));
        let seconds = if costs.are_known() { ORDER } else { f64::INFINITY };
        self.claims.take(sandbox, group, seconds, most, self.groups[group.get()].weigh())
    }
}

/// Puts what is never taken apart in one row, where the first of it stands.
fn gather_whole(entries: &mut Vec<Entry>) {
    if entries.iter().all(|entry| entry.bond != Bond::Whole) {
        return;
    }
    let mut first: HashMap<UnitKey, usize> = HashMap::new();
    let mut placed: Vec<(usize, Entry)> = entries
        .iter()
        .enumerate()
        .map(|(place, entry)| {
            let at = if entry.bond == Bond::Whole { *first.entry(entry.unit).or_insert(place) } else { place };
            (at, *entry)
        })
        .collect();
    placed.sort_by_key(|(place, _)| *place);
    *entries = placed.into_iter().map(|(_, entry)| entry).collect();
}

fn remember(expected: &mut Vec<Option<f64>>, test: TestIndex, seconds: Option<f64>) {
    if expected.len() <= test.get() {
        expected.resize(test.get() + 1, None);
    }
    expected[test.get()] = seconds;
}
