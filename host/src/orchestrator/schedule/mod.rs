//! Which tests go where: a pure state machine that reads no clock and does nothing itself.
//!
//! Sandboxes ask for work when they are free. What takes long goes first (Graham, 1969), where earlier runs say what that
//! is. Batches shrink towards the end (guided self-scheduling: Polychronopoulos and Kuck, 1987): large ones while there is
//! much to do, since each pays for a process and a collection, and small ones at last, so that all sandboxes end together.

mod claims;
mod costs;
mod stretch;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use super::catalog::{GroupIndex, TestIndex};
use claims::Claims;
use costs::Costs;
pub(super) use stretch::Entry;
use stretch::Stretch;

/// A sandbox as the schedule tells it from others.
pub(super) type SandboxKey = u64;

/// Tests to run with one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) group: GroupIndex,
    pub(super) tests: Vec<TestIndex>,
}

/// A batch, or what a worker has to itself, is cut so that a sandbox still gets about this many more before all is done.
const SHARES: f64 = 2.0;

/// The first batch is smaller by this, since nothing is known of what batches cost.
const FIRST: f64 = 2.0;

/// A batch that spends this many times as long in its tests as it pays besides is large enough.
const WORTHWHILE: f64 = 20.0;

/// And it should spend at least so many times as long, with and without earlier runs to say how long that is.
const FORESEEN: f64 = 10.0;
const UNFORESEEN: f64 = 3.0;

/// What a batch may pay besides, in seconds, as long as none has ended.
const PROCESS: f64 = 0.1;

/// A batch should fill no more than one part in this many of the time that it may take.
const TIMEOUT_PARTS: u32 = 4;

/// What a worker is handed at once should keep it busy for about so many seconds: long enough to hide the way to it, and
/// short enough that others find something to take over in the end.
const ORDER: f64 = 0.2;

/// A worker runs a test only when it knows what follows, so it needs two.
const LEAST_PENDING: usize = 2;

/// Tests that take less than this together, in seconds, may be done before more of them arrive.
const SHORT: f64 = 0.1;

/// A unit of which fewer seconds are left stays in one process.
const SPLIT: f64 = 1.0;

/// How many tests of unknown duration a worker is handed at once, and how many at the most.
const SMALL_ORDER: usize = 2;
const LARGE_ORDER: usize = 500;

#[derive(Debug)]
pub(super) struct Schedule {
    timeout: Duration,
    groups: Vec<Group>,
    again: VecDeque<Again>,
    claims: Claims,
    /// Seconds that earlier runs let expect, by test.
    expected: Vec<Option<f64>>,
}

#[derive(Debug, Default)]
struct Group {
    fresh: Stretch,
    costs: Costs,
    /// Whether its tests are handed out one by one.
    singly: bool,
}

/// Tests that are handed out once more, in the shape that they have here.
#[derive(Debug)]
struct Again {
    batch: Batch,
    /// Where they should rather not run.
    avoid: Option<SandboxKey>,
}

/// How long a test may take, in seconds.
#[derive(Clone, Copy, Debug)]
struct Weigh {
    /// If nothing is known of it.
    typical: f64,
    /// Besides what it takes itself.
    each: f64,
}

impl Weigh {
    fn one(self, entry: &Entry) -> f64 {
        entry.expected.unwrap_or(self.typical) + self.each
    }

    fn all(self, stretch: &Stretch) -> f64 {
        stretch.seconds(self.typical, self.each)
    }
}

impl Group {
    fn weigh(&self) -> Weigh {
        Weigh { typical: self.costs.of_a_test(), each: self.costs.of_a_turn() }
    }

    /// Orders what is left by what is known of it.
    fn rearrange(&mut self) {
        let mut expected: Vec<_> = self.fresh.iter().filter_map(|entry| entry.expected).collect();
        let middle = expected.len() / 2;
        if expected.is_empty() {
            return;
        }
        let (_, median, _) = expected.select_nth_unstable_by(middle, f64::total_cmp);
        self.costs.expect(Some(*median));
        self.fresh.longest_first(*median);
    }

    /// Takes tests for about so many seconds from the front.
    fn cut(&mut self, seconds: f64) -> Stretch {
        let weigh = self.weigh();
        let (mut cut, mut sum) = (Stretch::default(), 0.0);
        while let Some(entry) = self.fresh.front() {
            let weight = weigh.one(&entry);
            if !cut.is_empty() && sum + weight / 2.0 > seconds {
                break;
            }
            sum += weight;
            self.fresh.pop_front().into_iter().for_each(|entry| cut.push_back(entry));
        }
        cut
    }

    /// A unit that is nearly done is cheaper finished here than loaded again elsewhere.
    fn round_up(&mut self, cut: &mut Stretch, most: f64) {
        let Some(unit) = cut.iter().last().map(|entry| entry.unit) else { return };
        let weigh = self.weigh();
        let (mut count, mut rest) = (0, 0.0);
        for entry in self.fresh.iter().take_while(|entry| entry.unit == unit) {
            rest += weigh.one(entry);
            count += 1;
            if rest > most {
                return;
            }
        }
        (0..count).filter_map(|_| self.fresh.pop_front()).for_each(|entry| cut.push_back(entry));
    }
}

impl Schedule {
    /// `timeout` is what bounds a batch.
    pub(super) fn new(groups: usize, timeout: Duration) -> Self {
        let groups = std::iter::repeat_with(Group::default).take(groups).collect();
        Self { timeout, groups, again: VecDeque::new(), claims: Claims::default(), expected: Vec::new() }
    }

    /// Takes in tests that were never handed out, in their framework's order.
    pub(super) fn add(&mut self, group: GroupIndex, tests: impl IntoIterator<Item = Entry>) {
        for entry in tests {
            remember(&mut self.expected, entry.test, entry.expected);
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
        if !batch.tests.is_empty() {
            self.again.push_back(Again { batch, avoid });
        }
    }

    /// Takes back tests that failed: their next attempts come soon, spread over the sandboxes.
    pub(super) fn retry(&mut self, batch: Batch, avoid: SandboxKey, sandboxes: usize) {
        let Batch { group, tests } = batch;
        let size = tests.len().div_ceil(sandboxes.max(1)).max(1);
        for tests in tests.chunks(size) {
            let batch = Batch { group, tests: tests.to_vec() };
            self.again.push_back(Again { batch, avoid: Some(avoid) });
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

    /// The next batch for a free sandbox, when `sandboxes` are up or coming up and `busy` of them have batches of the group.
    pub(super) fn batch(
        &mut self,
        sandbox: SandboxKey,
        group: GroupIndex,
        sandboxes: usize,
        busy: usize,
    ) -> Option<Batch> {
        if let Some(batch) = self.elsewhere(sandbox, group) {
            return Some(batch);
        }
        if !self.groups[group.get()].fresh.is_empty() {
            let tests = self.cut_batch(group, sandboxes, busy).iter().map(|entry| entry.test).collect();
            return Some(Batch { group, tests });
        }
        self.again_of(group)
    }

    /// What a worker of the group should have next, that has these tests still.
    pub(super) fn order(
        &mut self,
        sandbox: SandboxKey,
        group: GroupIndex,
        sandboxes: usize,
        pending: impl Iterator<Item = TestIndex>,
    ) -> Option<Batch> {
        if let Some(batch) = self.elsewhere(sandbox, group) {
            return Some(batch);
        }
        let mut tests = self.take(sandbox, group, sandboxes);
        if tests.is_empty() {
            let busy: f64 = pending.map(|test| self.seconds_of(group, test)).sum();
            self.claim(sandbox, group, sandboxes, busy);
            tests = self.take(sandbox, group, sandboxes);
        }
        if tests.is_empty() { self.again_of(group) } else { Some(Batch { group, tests }) }
    }

    /// Gives a worker that will be busy for so many seconds a new claim.
    fn claim(&mut self, sandbox: SandboxKey, group: GroupIndex, sandboxes: usize, busy: f64) {
        let Group { fresh, costs, .. } = &self.groups[group.get()];
        let weigh = self.groups[group.get()].weigh();
        // It wants to know what follows; what takes long would wait there while others could have it.
        let is_busy = costs.are_known() && busy > ORDER;
        match (fresh.is_empty(), is_busy) {
            (false, false) => {
                let claim = self.cut_claim(group, sandboxes);
                self.claims.stake(sandbox, group, claim);
            }
            (false, true) => {
                let claim = self.groups[group.get()].fresh.pop_unit();
                self.claims.stake(sandbox, group, claim);
            }
            (true, false) => {
                let worth = self.worth_splitting(group);
                self.claims.steal(sandbox, group, worth, weigh);
            }
            (true, true) => self.claims.steal_last(sandbox, group, weigh),
        }
    }

    /// What to take back for a worker that has nothing to do, from the one that would end last: tests that it will not come to
    /// soon. `pending` tells what each worker has, in the order in which it will run that.
    pub(super) fn take_back<Key>(
        &self,
        group: GroupIndex,
        pending: impl Iterator<Item = (Key, Vec<TestIndex>)>,
    ) -> Option<(Key, Vec<TestIndex>)> {
        let seconds = |tests: &[TestIndex]| tests.iter().map(|test| self.seconds_of(group, *test)).sum::<f64>();
        let spare = pending.filter(|(_, tests)| tests.len() > LEAST_PENDING);
        let spare = spare.map(|(key, mut tests)| (key, tests.split_off(LEAST_PENDING)));
        let (_, key, mut tests) = spare
            .map(|(key, tests)| (seconds(&tests), key, tests))
            .filter(|(seconds, _, _)| *seconds > SHORT / 2.0)
            .max_by(|(one, _, _), (other, _, _)| one.total_cmp(other))?;
        let kept = tests.len() / 2;
        Some((key, tests.split_off(kept)))
    }

    fn seconds_of(&self, group: GroupIndex, test: TestIndex) -> f64 {
        let Weigh { typical, each } = self.groups[group.get()].weigh();
        self.expected.get(test.get()).copied().flatten().unwrap_or(typical) + each
    }

    /// The sandbox has no worker any more: what it had claimed is for the others.
    pub(super) fn release(&mut self, sandbox: SandboxKey) {
        if let Some((group, tests)) = self.claims.release(sandbox) {
            let fresh = &mut self.groups[group.get()].fresh;
            *fresh = tests.iter().chain(fresh.iter()).copied().collect();
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

    /// Tests of the group that are to be run again and did not fail here.
    fn elsewhere(&mut self, sandbox: SandboxKey, group: GroupIndex) -> Option<Batch> {
        let fits = |again: &Again| again.batch.group == group && again.avoid != Some(sandbox);
        let position = self.again.iter().position(fits)?;
        self.again.remove(position).map(|again| again.batch)
    }

    fn again_of(&mut self, group: GroupIndex) -> Option<Batch> {
        let position = self.again.iter().position(|again| again.batch.group == group)?;
        self.again.remove(position).map(|again| again.batch)
    }

    /// From how many seconds on a unit may be in two processes at once: it is loaded twice, and tests of one file are those
    /// that are likeliest to get into each other's way.
    fn worth_splitting(&self, group: GroupIndex) -> f64 {
        let costs = &self.groups[group.get()].costs;
        if costs.are_known() { costs.of_a_unit().unwrap_or(0.0).max(SPLIT) } else { 0.0 }
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

    fn cut_claim(&mut self, group: GroupIndex, sandboxes: usize) -> Stretch {
        let worth = self.worth_splitting(group);
        let group = &mut self.groups[group.get()];
        let share = group.weigh().all(&group.fresh) / (sandboxes.max(1) as f64 * SHARES);
        let mut cut = group.cut(share);
        // What is too much is taken over by others in the end, and units stay in one piece meanwhile.
        group.round_up(&mut cut, share.max(worth));
        cut
    }

    fn cut_batch(&mut self, group: GroupIndex, sandboxes: usize, busy: usize) -> Stretch {
        let most = (self.timeout / TIMEOUT_PARTS).as_secs_f64();
        let group = &mut self.groups[group.get()];
        if group.singly {
            return group.fresh.pop_front().into_iter().collect();
        }
        let left = group.weigh().all(&group.fresh);
        let share = left / (sandboxes.max(1) as f64 * SHARES);
        // If all that are free now took as much, nothing would be left.
        let rest = left / (sandboxes.saturating_sub(busy).max(1) as f64);
        let foreseen = group.costs.are_foreseen();
        let size = match group.costs.of_a_batch().or(foreseen.then_some(PROCESS)) {
            // A batch need not spend very much longer in its tests than it pays besides, but should spend several times as
            // long: more times where it is known what that is, since less has to be evened out later.
            Some(overhead) => {
                let least = if foreseen { FORESEEN } else { UNFORESEEN } * overhead;
                share.min(WORTHWHILE * overhead).max(least.min(rest))
            }
            None => share / FIRST,
        };
        let size = if group.costs.are_known() { size.min(most) } else { size };
        let mut cut = group.cut(size);
        group.round_up(&mut cut, size / 4.0);
        cut
    }
}

fn remember(expected: &mut Vec<Option<f64>>, test: TestIndex, seconds: Option<f64>) {
    if expected.len() <= test.get() {
        expected.resize(test.get() + 1, None);
    }
    expected[test.get()] = seconds;
}
