//! Which tests go where: a pure state machine that reads no clock and does nothing itself.
//!
//! Sandboxes ask for work when they are free. Batches shrink towards the end (guided self-scheduling: Polychronopoulos and
//! Kuck, 1987): large ones while there is much to do, since each pays for a process and a collection, and small ones at
//! last, so that all sandboxes end together.

use std::collections::VecDeque;
use std::time::Duration;

use super::catalog::{GroupIndex, TestIndex};

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

#[derive(Debug)]
pub(super) struct Schedule {
    timeout: Duration,
    groups: Vec<Group>,
    again: VecDeque<Again>,
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
        Self { timeout, groups, again: VecDeque::new() }
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

    /// The next batch for a free sandbox, when `sandboxes` are up or coming up.
    pub(super) fn next(&mut self, sandbox: SandboxKey, sandboxes: usize) -> Option<Batch> {
        let elsewhere = self.again.iter().position(|again| again.avoid != Some(sandbox));
        if let Some(position) = elsewhere {
            return self.again.remove(position).map(|again| again.batch);
        }
        // The group with the most left to do: whatever is large should not be begun last.
        let largest = (0..self.groups.len()).max_by_key(|group| (self.groups[*group].fresh.len(), usize::MAX - group));
        if let Some(group) = largest
            && !self.groups[group].fresh.is_empty()
        {
            return Some(self.cut(GroupIndex::new(group), sandboxes));
        }
        // Better where it failed before than nowhere.
        self.again.pop_front().map(|again| again.batch)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.again.is_empty() && self.groups.iter().all(|group| group.fresh.is_empty())
    }

    fn cut(&mut self, group: GroupIndex, sandboxes: usize) -> Batch {
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
        let tests = fresh.drain(..size).map(|(test, _)| test).collect();
        Batch { group, tests }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GROUP: GroupIndex = GroupIndex::FIRST;

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
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0u64..4, 0usize..5).prop_map(|(sandbox, sandboxes)| Step::Take { sandbox, sandboxes }),
            1 => (0u64..4).prop_map(|sandbox| Step::GiveBack { sandbox }),
            1 => (0u64..4, 0usize..5).prop_map(|(sandbox, sandboxes)| Step::Retry { sandbox, sandboxes }),
            2 => (0.0f64..10.0, 0.0f64..10.0).prop_map(|(seconds, running)| Step::Finish { seconds, running }),
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
                    Step::Take { sandbox, sandboxes } => match schedule.next(sandbox, sandboxes) {
                        Some(batch) => {
                            prop_assert!(!batch.tests.is_empty());
                            out.push(batch);
                        }
                        None => prop_assert!(schedule.is_empty()),
                    },
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
            while let Some(batch) = schedule.next(0, 1) {
                out.push(batch);
            }
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
