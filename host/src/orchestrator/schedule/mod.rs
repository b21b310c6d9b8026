//! Which tests go where: a pure state machine that reads no clock and does nothing itself.
//!
//! Sandboxes ask for work when they are free. What takes long goes first (Graham, 1969), where earlier runs say what that
//! is. Batches shrink towards the end (guided self-scheduling: Polychronopoulos and Kuck, 1987): large ones while there is
//! much to do, since each pays for a process and a collection, and small ones at last, so that all sandboxes end together.

mod claims;
mod costs;
mod crowd;
mod group;
mod stages;
mod stretch;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::catalog::{GroupIndex, TestIndex};
use claims::{Claims, Thief};
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
}

impl Schedule {
    /// `timeout` is what bounds a batch.
    pub(super) fn new(groups: usize, timeout: Duration) -> Self {
        let groups = std::iter::repeat_with(Group::default).take(groups).collect();
        Self {
            timeout,
            groups,
            again: VecDeque::new(),
            claims: Claims::default(),
            creations: Creations::default(),
            stages: Stages::default(),
            expected: Vec::new(),
        }
    }

    /// Takes in tests that were never handed out, in their framework's order.
    pub(super) fn add(&mut self, group: GroupIndex, tests: impl IntoIterator<Item = Entry>) {
        for entry in tests {
            remember(&mut self.expected, entry.test, entry.expected);
            self.stages.remember(entry.test, entry.stage);
            self.groups[group.get()].fresh.push_back(entry);
        }
        self.groups[group.get()].rearrange();
    }

    /// Learns, after the tests were taken in, how long those take that nobody has yet.
    pub(super) fn expect(&mut self, group: GroupIndex, expected: impl Fn(TestIndex) -> Option<f64>) {
        let group = &mut self.groups[group.get()];
        let informed = |entry: &Entry| Entry { expected: expected(entry.test).or(entry.expected), ..*entry };
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
        let Batch { group, tests } = batch;
        for tests in self.stages.split(tests) {
            self.again.push_back(Again { batch: Batch { group, tests }, avoid });
        }
    }

    /// Takes back tests that failed: their next attempts come soon, spread over the sandboxes.
    pub(super) fn retry(&mut self, batch: Batch, avoid: SandboxKey, sandboxes: usize) {
        let Batch { group, tests } = batch;
        let size = tests.len().div_ceil(sandboxes.max(1)).max(1);
        for tests in tests.chunks(size) {
            self.give_back(Batch { group, tests: tests.to_vec() }, Some(avoid));
        }
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

    /// The group that a free sandbox should work for, of those that may have more of it.
    pub(super) fn choose(&self, sandbox: SandboxKey, may_run: impl Fn(GroupIndex) -> bool) -> Option<GroupIndex> {
        let again = || self.again.iter().filter(|again| may_run(again.batch.group));
        if let Some(again) = again().find(|again| again.avoid != Some(sandbox)) {
            return Some(again.batch.group);
        }
        // The group with the most left to do: whatever is large should not be begun last.
        let groups = (0..self.groups.len()).map(GroupIndex::new);
        let open = groups.filter(|group| self.left(*group) > 0 && may_run(*group));
        let largest = open.map(|group| (self.seconds_left(group), group));
        match largest.max_by(|(one, a), (other, b)| one.total_cmp(other).then_with(|| b.cmp(a))) {
            Some((_, group)) => Some(group),
            // Better where it failed before than nowhere.
            None => again().next().map(|again| again.batch.group),
        }
    }

    /// The next batch for a free sandbox, which is one of the crowd.
    pub(super) fn batch(&mut self, sandbox: SandboxKey, group: GroupIndex, crowd: &Crowd) -> Option<Batch> {
        if let Some(batch) = self.elsewhere(sandbox, group, &ANY_STAGE) {
            return Some(batch);
        }
        let left = self.groups[group.get()].seconds_fresh();
        if !self.groups[group.get()].fresh.is_empty() {
            let (sharing, end) = (self.sharing(crowd), self.creations.end(crowd, left));
            let batch = self.groups[group.get()].cut_batch(sharing, end, self.timeout);
            let tests = batch.iter().map(|entry| entry.test).collect();
            return Some(Batch { group, tests });
        }
        self.again_of(group, &ANY_STAGE)
    }

    /// What a worker of the group should have next, that has these tests still.
    pub(super) fn order(
        &mut self,
        sandbox: SandboxKey,
        group: GroupIndex,
        sandboxes: usize,
        pending: impl Iterator<Item = TestIndex>,
    ) -> Option<Batch> {
        let batch = self.find_order(sandbox, group, sandboxes, pending)?;
        self.stages.reach(sandbox, &batch.tests);
        Some(batch)
    }

    fn find_order(
        &mut self,
        sandbox: SandboxKey,
        group: GroupIndex,
        sandboxes: usize,
        pending: impl Iterator<Item = TestIndex>,
    ) -> Option<Batch> {
        if let Some(batch) = self.elsewhere(sandbox, group, &self.stages_open(sandbox, group)) {
            return Some(batch);
        }
        let mut tests = self.take(sandbox, group, sandboxes);
        if tests.is_empty() {
            let busy: f64 = pending.map(|test| self.seconds_of(group, test)).sum();
            self.claim(sandbox, group, sandboxes, busy);
            tests = self.take(sandbox, group, sandboxes);
        }
        if tests.is_empty() {
            return self.again_of(group, &self.stages_open(sandbox, group));
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
        fresh || again() || claimed()
    }

    /// What to take back for this sandbox's worker, which has nothing to do, from the one that would end last: tests that
    /// that one will not come to soon. `pending` tells what each worker has, in the order in which it will run that.
    pub(super) fn take_back<Key>(
        &self,
        sandbox: SandboxKey,
        group: GroupIndex,
        pending: impl Iterator<Item = (Key, Vec<TestIndex>)>,
    ) -> Option<(Key, Vec<TestIndex>)> {
        let seconds = |tests: &[TestIndex]| tests.iter().map(|test| self.seconds_of(group, *test)).sum::<f64>();
        let spare = pending.filter(|(_, tests)| tests.len() > LEAST_PENDING);
        let stage = self.stages.reached(sandbox);
        let spare = spare.map(|(key, mut tests)| {
            let mut spare = tests.split_off(LEAST_PENDING);
            spare.retain(|test| self.stages.of(*test) >= stage);
            (key, spare)
        });
        let (_, key, mut tests) = spare
            .map(|(key, tests)| (seconds(&tests), key, tests))
            .filter(|(seconds, _, _)| *seconds > SHORT / 2.0)
            .max_by(|(one, _, _), (other, _, _)| one.total_cmp(other))?;
        let kept = tests.len() / 2;
        Some((key, tests.split_off(kept)))
    }

    /// How long the test may take.
    pub(super) fn seconds_of(&self, group: GroupIndex, test: TestIndex) -> f64 {
        let Weigh { typical, each } = self.groups[group.get()].weigh();
        self.expected.get(test.get()).copied().flatten().unwrap_or(typical) + each
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
        self.groups[group.get()].fresh.len() + self.claims.count(group)
    }

    /// How many tests of the group nobody runs at the moment.
    pub(super) fn waiting(&self, group: GroupIndex) -> usize {
        let again = self.again.iter().filter(|again| again.batch.group == group);
        self.left(group) + again.map(|again| again.batch.tests.len()).sum::<usize>()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.again.is_empty() && self.claims.is_empty() && self.groups.iter().all(|group| group.fresh.is_empty())
    }

    fn seconds_left(&self, group: GroupIndex) -> f64 {
        let weigh = self.groups[group.get()].weigh();
        weigh.all(&self.groups[group.get()].fresh) + self.claims.seconds(group, weigh)
    }

    /// How long what nobody runs at the moment may take.
    fn seconds_waiting(&self) -> f64 {
        let left: f64 = (0..self.groups.len()).map(|group| self.seconds_left(GroupIndex::new(group))).sum();
        let again = self.again.iter().map(|again| &again.batch);
        left + again.flat_map(|batch| batch.tests.iter().map(|test| self.seconds_of(batch.group, *test))).sum::<f64>()
    }

    /// Tests of the group that are to be run again and did not fail here.
    fn elsewhere(&mut self, sandbox: SandboxKey, group: GroupIndex, stages: &RangeInclusive<u32>) -> Option<Batch> {
        self.take_again(|again| again.batch.group == group && again.avoid != Some(sandbox), stages)
    }

    fn again_of(&mut self, group: GroupIndex, stages: &RangeInclusive<u32>) -> Option<Batch> {
        self.take_again(|again| again.batch.group == group, stages)
    }

    fn take_again(&mut self, fits: impl Fn(&Again) -> bool, stages: &RangeInclusive<u32>) -> Option<Batch> {
        let staged = self.again.iter().enumerate().map(|(position, again)| (self.stage_of(again), position));
        let fitting = staged.filter(|(stage, position)| stages.contains(stage) && fits(&self.again[*position]));
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

fn remember(expected: &mut Vec<Option<f64>>, test: TestIndex, seconds: Option<f64>) {
    if expected.len() <= test.get() {
        expected.resize(test.get() + 1, None);
    }
    expected[test.get()] = seconds;
}
