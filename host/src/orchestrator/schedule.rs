//! Which tests go where: a pure state machine that reads no clock and does nothing itself.
//!
//! Sandboxes ask for work when they are free. Batches shrink towards the end (guided self-scheduling: Polychronopoulos and
//! Kuck, 1987): large ones while there is much to do, since each pays for a process and a collection, and small ones at
//! last, so that all sandboxes end together.

use std::collections::VecDeque;
use std::time::Duration;

use super::catalog::{GroupIndex, TestIndex};
use super::claims::Claims;

/// A sandbox as the schedule tells it from others.
pub(super) type SandboxKey = u64;

/// Tests to run with one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) group: GroupIndex,
    pub(super) tests: Vec<TestIndex>,
}

/// A batch is cut so that a sandbox still gets about this many more before all is done.
const SHARES: usize = 2;

/// A batch should fill no more than one part in this many of the time that it may take.
const TIMEOUT_PARTS: u32 = 4;

/// What a worker is handed at once should keep it busy for about so many seconds: long enough to hide the way to it, and
/// short enough that others find something to take over in the end.
const ORDER: f64 = 0.2;

/// To load a unit costs less than about so many seconds.
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
}

#[derive(Debug, Default)]
struct Group {
    fresh: VecDeque<(TestIndex, UnitKey)>,
    costs: Costs,
    /// Whether its tests are handed out one by one.
    singly: bool,
}

/// Tests with the same key share a unit.
pub(super) type UnitKey = u32;

/// Tests that are handed out once more, in the shape that they have here.
#[derive(Debug)]
struct Again {
    batch: Batch,
    /// Where they should rather not run.
    avoid: Option<SandboxKey>,
}

/// What was learned of a group's costs, in seconds.
#[derive(Debug, Default)]
struct Costs {
    batches: f64,
    overhead: f64,
    tests: f64,
    running: f64,
}

impl Costs {
    fn of_a_test(&self) -> Option<f64> {
        (self.tests > 0.0).then(|| (self.running / self.tests).max(1e-6))
    }

    fn of_a_batch(&self) -> f64 {
        if self.batches > 0.0 { self.overhead / self.batches } else { 0.0 }
    }
}

impl Schedule {
    /// `timeout` is what bounds a batch.
    pub(super) fn new(groups: usize, timeout: Duration) -> Self {
        let groups = std::iter::repeat_with(Group::default).take(groups).collect();
        Self { timeout, groups, again: VecDeque::new(), claims: Claims::default() }
    }

    /// Takes in tests that were never handed out, in their framework's order.
    pub(super) fn add(&mut self, group: GroupIndex, tests: impl IntoIterator<Item = (TestIndex, UnitKey)>) {
        self.groups[group.get()].fresh.extend(tests);
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
        let costs = &mut self.groups[group.get()].costs;
        costs.batches += 1.0;
        costs.overhead += (seconds - running).max(0.0);
        costs.tests += tests as f64;
        costs.running += running;
    }

    /// Learns from one test of a worker.
    pub(super) fn learn_test(&mut self, group: GroupIndex, seconds: f64) {
        let costs = &mut self.groups[group.get()].costs;
        costs.tests += 1.0;
        costs.running += seconds;
    }

    /// How long so many tests of the group may take, in seconds, where anything is known of that.
    pub(super) fn expected(&self, group: GroupIndex, tests: usize) -> Option<f64> {
        self.groups[group.get()].costs.of_a_test().map(|cost| cost * tests as f64)
    }

    /// The group that a free sandbox should work for.
    pub(super) fn choose(&self, sandbox: SandboxKey) -> Option<GroupIndex> {
        if let Some(again) = self.again.iter().find(|again| again.avoid != Some(sandbox)) {
            return Some(again.batch.group);
        }
        // The group with the most left to do: whatever is large should not be begun last.
        let groups = (0..self.groups.len()).map(GroupIndex::new);
        let largest =
            groups.map(|group| (self.left(group), group)).max_by_key(|(left, group)| (*left, usize::MAX - group.get()));
        match largest {
            Some((left, group)) if left > 0 => Some(group),
            // Better where it failed before than nowhere.
            _ => self.again.front().map(|again| again.batch.group),
        }
    }

    /// The next batch for a free sandbox, when `sandboxes` are up or coming up.
    pub(super) fn batch(&mut self, sandbox: SandboxKey, group: GroupIndex, sandboxes: usize) -> Option<Batch> {
        if let Some(batch) = self.elsewhere(sandbox, group) {
            return Some(batch);
        }
        if !self.groups[group.get()].fresh.is_empty() {
            let tests = self.cut(group, sandboxes).into_iter().map(|(test, _)| test).collect();
            return Some(Batch { group, tests });
        }
        self.again_of(group)
    }

    /// What a worker of the group should have next.
    pub(super) fn order(&mut self, sandbox: SandboxKey, group: GroupIndex, sandboxes: usize) -> Option<Batch> {
        if let Some(batch) = self.elsewhere(sandbox, group) {
            return Some(batch);
        }
        let most = self.order_size(group, sandboxes);
        let mut tests = self.claims.take(sandbox, group, most);
        if tests.is_empty() {
            if self.groups[group.get()].fresh.is_empty() {
                self.claims.steal(sandbox, group, self.worth_splitting(group));
            } else {
                let claim = self.cut(group, sandboxes);
                self.claims.stake(sandbox, group, claim);
            }
            tests = self.claims.take(sandbox, group, most);
        }
        if tests.is_empty() { self.again_of(group) } else { Some(Batch { group, tests }) }
    }

    /// The sandbox has no worker any more: what it had claimed is for the others.
    pub(super) fn release(&mut self, sandbox: SandboxKey) {
        if let Some((group, tests)) = self.claims.release(sandbox) {
            let fresh = &mut self.groups[group.get()].fresh;
            tests.into_iter().rev().for_each(|test| fresh.push_front(test));
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

    /// From how many tests on it is worth it to load their unit twice.
    fn worth_splitting(&self, group: GroupIndex) -> usize {
        self.groups[group.get()].costs.of_a_test().map_or(1, |cost| (SPLIT / cost) as usize)
    }

    fn order_size(&self, group: GroupIndex, sandboxes: usize) -> usize {
        let Group { costs, singly, .. } = &self.groups[group.get()];
        let size = match costs.of_a_test() {
            _ if *singly => 1,
            Some(cost) => (ORDER / cost) as usize,
            None => SMALL_ORDER,
        };
        // Towards the end everybody should get something.
        let share = self.left(group).div_ceil(sandboxes.max(1));
        size.min(share).clamp(1, LARGE_ORDER)
    }

    fn cut(&mut self, group: GroupIndex, sandboxes: usize) -> Vec<(TestIndex, UnitKey)> {
        let Group { fresh, costs, singly } = &mut self.groups[group.get()];
        let sandboxes = sandboxes.max(1);
        let mut size = fresh.len().div_ceil(sandboxes * SHARES);
        if let Some(cost) = costs.of_a_test() {
            // A batch should spend at least as long in its tests as it pays before the first.
            let worthwhile = (costs.of_a_batch() / cost).ceil() as usize;
            size = size.max(worthwhile);
            let in_time = ((self.timeout / TIMEOUT_PARTS).as_secs_f64() / cost) as usize;
            size = size.min(in_time);
        }
        let size = if *singly { 1 } else { size.clamp(1, fresh.len()) };
        // A unit that is nearly done is cheaper finished here than loaded again elsewhere.
        let unit = fresh[size - 1].1;
        let rest_of_unit = fresh.iter().skip(size).take(size / 4 + 1).take_while(|(_, key)| *key == unit).count();
        let size = if rest_of_unit <= size / 4 { size + rest_of_unit } else { size };
        fresh.drain(..size).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GROUP: GroupIndex = GroupIndex::FIRST;

    impl Schedule {
        fn next(&mut self, sandbox: SandboxKey, sandboxes: usize) -> Option<Batch> {
            let group = self.choose(sandbox)?;
            self.batch(sandbox, group, sandboxes)
        }
    }

    fn schedule_of(units: &[u32]) -> Schedule {
        let mut schedule = Schedule::new(1, Duration::from_secs(900));
        schedule.add(GROUP, units.iter().enumerate().map(|(index, unit)| (TestIndex::new(index), *unit)));
        schedule
    }

    #[derive(Clone, Debug)]
    enum Step {
        Take { sandbox: u64, sandboxes: usize },
        GiveBack { sandbox: u64 },
        Retry { sandbox: u64, sandboxes: usize },
        Finish { seconds: f64, running: f64 },
        Order { sandbox: u64, sandboxes: usize },
        Learn { seconds: f64 },
        Release { sandbox: u64 },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0u64..4, 0usize..5).prop_map(|(sandbox, sandboxes)| Step::Take { sandbox, sandboxes }),
            1 => (0u64..4).prop_map(|sandbox| Step::GiveBack { sandbox }),
            1 => (0u64..4, 0usize..5).prop_map(|(sandbox, sandboxes)| Step::Retry { sandbox, sandboxes }),
            2 => (0.0f64..10.0, 0.0f64..10.0).prop_map(|(seconds, running)| Step::Finish { seconds, running }),
            6 => (0u64..4, 0usize..5).prop_map(|(sandbox, sandboxes)| Step::Order { sandbox, sandboxes }),
            1 => (0.0f64..0.5).prop_map(|seconds| Step::Learn { seconds }),
            1 => (0u64..4).prop_map(|sandbox| Step::Release { sandbox }),
        ]
    }

    proptest! {
        #[test]
        fn no_test_is_lost_and_none_is_out_twice(
            units in prop::collection::vec(0u32..5, 0..200),
            steps in prop::collection::vec(step(), 0..80),
        ) {
            let mut schedule = schedule_of(&units);
            let mut out: Vec<Batch> = Vec::new();
            let mut finished: Vec<TestIndex> = Vec::new();
            for step in steps {
                match step {
                    // What others have claimed is not for batches.
                    Step::Take { sandbox, sandboxes } => match schedule.next(sandbox, sandboxes) {
                        Some(batch) => {
                            prop_assert!(!batch.tests.is_empty());
                            out.push(batch);
                        }
                        None => prop_assert_eq!(schedule.waiting(GROUP), schedule.claims.count(GROUP)),
                    },
                    Step::Order { sandbox, sandboxes } => match schedule.order(sandbox, GROUP, sandboxes) {
                        Some(batch) => {
                            prop_assert!(!batch.tests.is_empty());
                            out.push(batch);
                        }
                        // What is left is not worth to be taken over from those who have it.
                        None => prop_assert_eq!(schedule.waiting(GROUP), schedule.claims.count(GROUP)),
                    },
                    Step::Learn { seconds } => schedule.learn_test(GROUP, seconds),
                    Step::Release { sandbox } => schedule.release(sandbox),
                    Step::GiveBack { sandbox } => {
                        if let Some(batch) = out.pop() {
                            schedule.give_back(batch, Some(sandbox));
                        }
                    }
                    Step::Retry { sandbox, sandboxes } => {
                        if let Some(batch) = out.pop() {
                            schedule.retry(batch, sandbox, sandboxes);
                        }
                    }
                    Step::Finish { seconds, running } => {
                        if let Some(batch) = out.pop() {
                            schedule.learn(GROUP, seconds, batch.tests.len(), running);
                            finished.extend(batch.tests);
                        }
                    }
                }
            }
            (0..4).for_each(|sandbox| schedule.release(sandbox));
            while let Some(batch) = schedule.order(0, GROUP, 1) {
                out.push(batch);
            }
            prop_assert!(schedule.is_empty());
            let mut all: Vec<_> = finished.into_iter().chain(out.into_iter().flat_map(|batch| batch.tests)).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..units.len()).map(TestIndex::new).collect::<Vec<_>>());
        }
    }

    #[test]
    fn batches_shrink_towards_the_end() {
        let mut schedule = schedule_of(&(0..1000).collect::<Vec<_>>());
        let sizes: Vec<_> = std::iter::from_fn(|| schedule.next(0, 4)).map(|batch| batch.tests.len()).collect();
        assert_eq!(sizes[0], 125);
        assert!(sizes.is_sorted_by(|earlier, later| earlier >= later), "{sizes:?}");
        assert_eq!(sizes.last(), Some(&1));
    }

    #[test]
    fn workers_get_little_at_a_time_from_a_stretch_of_their_own() {
        let mut schedule = schedule_of(&(0..1000).map(|index| index / 10).collect::<Vec<_>>());
        let mut order = |sandbox| schedule.order(sandbox, GROUP, 2).unwrap().tests;
        assert_eq!(order(1), [0, 1].map(TestIndex::new));
        assert_eq!(order(2), [250, 251].map(TestIndex::new));
        assert_eq!(order(1), [2, 3].map(TestIndex::new));
        schedule.learn_test(GROUP, 0.01);
        assert_eq!(schedule.order(1, GROUP, 2).unwrap().tests.len(), 20);
    }

    #[test]
    fn few_tests_go_to_many_workers() {
        let mut schedule = schedule_of(&[0; 10]);
        let given: Vec<_> =
            (0..10).map(|sandbox| schedule.order(sandbox, GROUP, 10).map(|batch| batch.tests.len())).collect();
        assert_eq!(given, [Some(1); 10]);
    }

    #[test]
    fn dear_batches_stay_large() {
        let mut schedule = schedule_of(&(0..1000).collect::<Vec<_>>());
        schedule.learn(GROUP, 12.0, 1000, 10.0);
        let batches = std::iter::from_fn(|| schedule.next(0, 2)).count();
        assert!(batches < 10, "{batches}");
    }

    #[test]
    fn slow_tests_do_not_fill_the_timeout() {
        let mut schedule = schedule_of(&(0..1000).collect::<Vec<_>>());
        schedule.learn(GROUP, 10.0, 1, 10.0);
        let batch = schedule.next(0, 2).unwrap();
        assert_eq!(batch.tests.len(), 22);
    }

    #[test]
    fn retries_rather_run_elsewhere() {
        let mut schedule = schedule_of(&[]);
        let failed = Batch { group: GROUP, tests: vec![TestIndex::new(0)] };
        schedule.retry(failed.clone(), 1, 2);
        schedule.add(GROUP, [(TestIndex::new(1), 0)]);
        assert_eq!(schedule.next(1, 2).unwrap().tests, [TestIndex::new(1)]);
        assert_eq!(schedule.next(1, 2), Some(failed));
    }
}
