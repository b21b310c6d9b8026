//! What the schedule must hold to, whatever it is told.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const GROUP: GroupIndex = GroupIndex::FIRST;

impl Schedule {
    fn next(&mut self, sandbox: SandboxKey, sandboxes: usize) -> Option<Batch> {
        let group = self.choose(sandbox, &Allowance::default(), |_| true)?;
        self.batch(sandbox, group, &Crowd { busy: vec![0.0; sandboxes], coming: Vec::new() }, &Allowance::default())
    }
}

fn schedule_of(units: &[u32]) -> Schedule {
    let mut schedule = Schedule::new(1, Duration::from_secs(900));
    schedule.add(GROUP, units.iter().enumerate().map(|(index, unit)| entry(index, *unit, None)));
    schedule
}

fn entry(index: usize, unit: UnitKey, expected: Option<f64>) -> Entry {
    Entry { test: TestIndex::new(index), unit, expected, stage: 0, bond: Bond::Ordered, class: ClassId::FREE }
}

/// What workers were given, each in a row until its sandbox was released.
#[derive(Default)]
struct Rows {
    reached: BTreeMap<SandboxKey, u32>,
}

impl Rows {
    /// Whether the worker may have these after what it had.
    fn take(&mut self, sandbox: SandboxKey, stages: impl Iterator<Item = u32>) -> bool {
        let reached = self.reached.entry(sandbox).or_default();
        stages.into_iter().all(|stage| stage >= std::mem::replace(reached, stage))
    }
}

#[derive(Clone, Debug)]
enum Step {
    Take { sandbox: u64, sandboxes: usize },
    GiveBack { sandbox: u64 },
    Retry { sandbox: u64, sandboxes: usize },
    Finish { seconds: f64, running: f64 },
    Order { sandbox: u64, sandboxes: usize },
    Learn { seconds: f64 },
    Turn { seconds: f64, new_unit: bool },
    Expect { seconds: f64, every: usize },
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
        1 => (0.0f64..0.5, any::<bool>()).prop_map(|(seconds, new_unit)| Step::Turn { seconds, new_unit }),
        1 => (0.0f64..9.0, 1usize..4).prop_map(|(seconds, every)| Step::Expect { seconds, every }),
        1 => (0u64..4).prop_map(|sandbox| Step::Release { sandbox }),
    ]
}

proptest! {
    #[test]
    fn no_test_is_lost_and_none_is_out_twice(
        units in prop::collection::vec((0u32..5, prop_oneof![4 => Just(0u32), 1 => 0u32..4]), 0..200),
        bonds in prop::collection::vec(prop::sample::select(vec![Bond::Free, Bond::Ordered, Bond::Whole]), 5),
        locked in prop::option::of(0u32..5),
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut schedule = Schedule::new(1, Duration::from_secs(900));
        let bond = |unit: u32| bonds[unit as usize];
        // What is never taken apart is of one stage.
        let stage = |unit: u32, stage: u32| if bond(unit) == Bond::Whole { unit % 3 } else { stage };
        let units: Vec<_> = units.into_iter().map(|(unit, of)| (unit, stage(unit, of))).collect();
        let lock = schedule.class(["lock:it"].into_iter());
        let entries = units.iter().enumerate();
        schedule.add(GROUP, entries.map(|(index, (unit, stage))| Entry {
            stage: *stage,
            bond: bond(*unit),
            class: if locked == Some(*unit) { lock } else { ClassId::FREE },
            ..entry(index, *unit, None)
        }));
        // What is never taken apart is always out as a whole.
        let is_whole = |batch: &Batch| batch.tests.iter().all(|test| {
            let unit = units[test.get()].0;
            let count = |of: &mut dyn Iterator<Item = u32>| of.filter(|other| *other == unit).count();
            bond(unit) != Bond::Whole
                || count(&mut batch.tests.iter().map(|test| units[test.get()].0)) == count(&mut units.iter().map(|it| it.0))
        });
        let stages = |batch: &Batch| batch.tests.iter().map(|test| units[test.get()].1).collect::<Vec<_>>().into_iter();
        let mut rows = Rows::default();
        let mut out: Vec<Batch> = Vec::new();
        let mut finished: Vec<TestIndex> = Vec::new();
        for step in steps {
            match step {
                // What others have claimed is not for batches.
                Step::Take { sandbox, sandboxes } => match schedule.next(sandbox, sandboxes) {
                    Some(batch) => {
                        prop_assert!(!batch.tests.is_empty());
                        prop_assert!(is_whole(&batch), "{:?}", batch);
                        out.push(batch);
                    }
                    None => prop_assert_eq!(schedule.waiting(GROUP), schedule.claims.count(GROUP)),
                },
                Step::Order { sandbox, sandboxes } => match schedule.order(sandbox, GROUP, sandboxes, std::iter::empty(), &Allowance::default()) {
                    Some(batch) => {
                        prop_assert!(!batch.tests.is_empty());
                        prop_assert!(is_whole(&batch), "{:?}", batch);
                        prop_assert!(rows.take(sandbox, stages(&batch)));
                        out.push(batch);
                    }
                    // What is left is not worth to be taken over from those who have it, or for others.
                    None => prop_assert!(
                        schedule.waiting(GROUP) == schedule.claims.count(GROUP) || schedule.is_past(sandbox, GROUP)
                    ),
                },
                Step::Learn { seconds } => schedule.learn_test(GROUP, seconds),
                Step::Turn { seconds, new_unit } => schedule.learn_turn(GROUP, seconds, new_unit),
                Step::Expect { seconds, every } => {
                    let of = |test: TestIndex| seconds * (test.get() % 7) as f64;
                    schedule.expect(
                        GROUP,
                        |test| test.get().is_multiple_of(every).then(|| of(test)),
                        |test| bond(units[test.get()].0),
                    );
                }
                Step::Release { sandbox } => {
                    schedule.release(sandbox);
                    rows.reached.remove(&sandbox);
                }
                Step::GiveBack { sandbox } => {
                    if let Some(batch) = out.pop() {
                        schedule.give_back(batch, Some(sandbox));
                    }
                }
                Step::Retry { sandbox, sandboxes } => {
                    if let Some(batch) = out.pop() {
                        // What is never taken apart is run again in its order.
                        match batch.tests.iter().any(|test| bond(units[test.get()].0) == Bond::Whole) {
                            true => schedule.give_back(batch, Some(sandbox)),
                            false => schedule.retry(batch, sandbox, sandboxes),
                        }
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
        let mut rows = Rows::default();
        while !schedule.is_empty() {
            match schedule.order(0, GROUP, 1, std::iter::empty(), &Allowance::default()) {
                Some(batch) => {
                    prop_assert!(rows.take(0, stages(&batch)));
                    out.push(batch);
                }
                None => {
                    prop_assert!(schedule.is_past(0, GROUP));
                    schedule.release(0);
                    rows.reached.clear();
                }
            }
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
    assert_eq!(sizes[0], 63);
    assert!(sizes.is_sorted_by(|earlier, later| earlier >= later), "{sizes:?}");
    assert_eq!(sizes.last(), Some(&1));
}

#[test]
fn workers_get_little_at_a_time_from_a_stretch_of_their_own() {
    let mut schedule = schedule_of(&(0..1000).map(|index| index / 10).collect::<Vec<_>>());
    let mut order =
        |sandbox| schedule.order(sandbox, GROUP, 2, std::iter::empty(), &Allowance::default()).unwrap().tests;
    assert_eq!(order(1), [0, 1].map(TestIndex::new));
    assert_eq!(order(2), [250, 251].map(TestIndex::new));
    assert_eq!(order(1), [2, 3].map(TestIndex::new));
    schedule.learn_test(GROUP, 0.01);
    assert_eq!(schedule.order(1, GROUP, 2, std::iter::empty(), &Allowance::default()).unwrap().tests.len(), 19);
}

#[test]
fn few_tests_go_to_many_workers() {
    let mut schedule = schedule_of(&(0..10).collect::<Vec<_>>());
    let given: Vec<_> = (0..10)
        .map(|sandbox| {
            schedule.order(sandbox, GROUP, 10, std::iter::empty(), &Allowance::default()).map(|batch| batch.tests.len())
        })
        .collect();
    assert_eq!(given, [Some(1); 10]);
}

#[test]
fn a_file_of_which_nothing_is_known_stays_together() {
    let mut schedule = schedule_of(&[0; 10]);
    let mut order = |sandbox| {
        let order = schedule.order(sandbox, GROUP, 10, std::iter::empty(), &Allowance::default());
        order.map(|batch| batch.tests.len())
    };
    assert_eq!([order(0), order(1), order(0), order(2)], [Some(1), None, Some(1), None]);
    schedule.learn_test(GROUP, 1.0);
    // Now it is known to be worth it.
    assert!(schedule.order(1, GROUP, 10, std::iter::empty(), &Allowance::default()).is_some());
}

#[test]
fn a_file_whose_first_test_does_not_end_is_taken_apart() {
    let mut schedule = schedule_of(&[0; 10]);
    let order = |schedule: &mut Schedule, sandbox| {
        let order = schedule.order(sandbox, GROUP, 10, std::iter::empty(), &Allowance::default());
        order.map(|batch| batch.tests.len())
    };
    assert_eq!([order(&mut schedule, 0), order(&mut schedule, 1)], [Some(1), None]);
    schedule.learn_under_way(GROUP, 1, 1.5);
    assert_eq!(order(&mut schedule, 1), Some(1));
    // It has ended, and took that long all the same.
    schedule.learn_under_way(GROUP, 0, 0.0);
    schedule.learn_test(GROUP, 1.6);
    assert_eq!(order(&mut schedule, 2), Some(1));
}

#[test]
fn what_earlier_runs_know_to_be_long_is_taken_apart_at_once() {
    let claim_of = |seconds, bond| {
        let mut schedule = schedule_of(&[0; 10]);
        schedule.expect(GROUP, |_| Some(seconds), |_| bond);
        let group = &mut schedule.groups[GROUP.get()];
        group.cut_claim(2).len()
    };
    assert_eq!(claim_of(1.0, Bond::Ordered), 3);
    assert_eq!(claim_of(0.01, Bond::Ordered), 10);
    assert_eq!(claim_of(1.0, Bond::Whole), 10);
}

#[test]
fn what_others_hold_waits() {
    let mut schedule = Schedule::new(1, Duration::from_secs(900));
    let class = schedule.class(["lock:db"].into_iter());
    let alone = schedule.class(["alone"].into_iter());
    let of = |index, class| Entry { class, ..entry(index, u32::try_from(index).unwrap(), None) };
    schedule.add(GROUP, [of(0, alone), of(1, class), of(2, class), of(3, ClassId::FREE)]);
    let mut next = |running: &[ClassId]| {
        let running: Vec<_> = running.iter().map(|class| [*class].into()).collect();
        let blocked = schedule.constraints().blocked(&running, 4);
        let allowance = Allowance { blocked, capacity: 4, only_failed: false };
        let group = schedule.choose(0, &allowance, |_| true)?;
        let crowd = Crowd { busy: vec![0.0; 4], coming: Vec::new() };
        schedule.batch(0, group, &crowd, &allowance).map(|batch| batch.tests)
    };
    let indices = |numbers: &[usize]| Some(numbers.iter().copied().map(TestIndex::new).collect::<Vec<_>>());
    assert_eq!(next(&[]), indices(&[1, 2]));
    assert_eq!(next(&[class]), indices(&[3]));
    // The one that has to be alone comes last, when nothing runs any more.
    assert_eq!(next(&[class, ClassId::FREE]), None);
    assert_eq!(next(&[]), indices(&[0]));
}

#[test]
fn dear_batches_stay_large() {
    let mut schedule = schedule_of(&(0..1000).collect::<Vec<_>>());
    schedule.learn(GROUP, 12.0, 1000, 10.0);
    let batches = std::iter::from_fn(|| schedule.next(0, 2)).count();
    assert!(batches < 12, "{batches}");
}

#[test]
fn slow_tests_do_not_fill_the_timeout() {
    let mut schedule = schedule_of(&(0..1000).collect::<Vec<_>>());
    schedule.learn(GROUP, 30.0, 1, 10.0);
    let batch = schedule.next(0, 2).unwrap();
    assert_eq!(batch.tests.len(), 23);
}

#[test]
fn retries_rather_run_elsewhere() {
    let mut schedule = schedule_of(&[]);
    let failed = Batch { group: GROUP, tests: vec![TestIndex::new(0)] };
    schedule.retry(failed.clone(), 1, 2);
    schedule.add(GROUP, [entry(1, 0, None)]);
    assert_eq!(schedule.next(1, 2).unwrap().tests, [TestIndex::new(1)]);
    assert_eq!(schedule.next(1, 2), Some(failed));
}

#[test]
fn what_takes_long_goes_first() {
    let mut schedule = schedule_of(&[0, 1, 2, 3]);
    schedule.expect(GROUP, |test| Some([1.0, 2.0, 9.0, 3.0][test.get()]), |_| Bond::Ordered);
    let order: Vec<_> = std::iter::from_fn(|| schedule.next(0, 9)).flat_map(|batch| batch.tests).collect();
    assert_eq!(order, [2, 3, 1, 0].map(TestIndex::new));
}

#[test]
fn units_stay_together_and_in_order() {
    let mut schedule = schedule_of(&[0, 0, 1, 1]);
    schedule.expect(GROUP, |test| Some([1.0, 3.0, 4.0, 2.0][test.get()]), |_| Bond::Ordered);
    assert_eq!(schedule.next(0, 1).unwrap().tests[0], TestIndex::new(2));
    let rest: Vec<_> = std::iter::from_fn(|| schedule.next(0, 1)).flat_map(|batch| batch.tests).collect();
    assert_eq!(rest, [3, 0, 1].map(TestIndex::new));
}

#[test]
fn unknown_tests_count_as_the_median() {
    let mut schedule = schedule_of(&[0, 1, 2, 3]);
    schedule.expect(GROUP, |test| [Some(1.0), Some(5.0), None, Some(9.0)][test.get()], |_| Bond::Ordered);
    let order: Vec<_> = std::iter::from_fn(|| schedule.next(0, 9)).flat_map(|batch| batch.tests).collect();
    assert_eq!(order, [3, 1, 2, 0].map(TestIndex::new));
}

#[test]
fn cheap_batches_are_half_as_large() {
    let size = |seconds| {
        let mut schedule = schedule_of(&(0..1000).collect::<Vec<_>>());
        schedule.learn(GROUP, seconds, 10, 10.0);
        schedule.next(0, 10).unwrap().tests.len()
    };
    assert_eq!(size(10.1), 25);
    assert_eq!(size(13.0), 50);
}

#[test]
fn units_that_load_fast_are_split_sooner() {
    let is_split = |loading| {
        let mut schedule = schedule_of(&[0; 100]);
        schedule.learn_test(GROUP, 0.01);
        schedule.learn_turn(GROUP, loading, true);
        schedule.order(1, GROUP, 2, std::iter::empty(), &Allowance::default());
        // All of the unit is claimed, and most of it is left.
        schedule.order(2, GROUP, 2, std::iter::empty(), &Allowance::default()).is_some()
    };
    assert!(is_split(0.001));
    assert!(!is_split(0.1));
}

#[test]
fn another_sandbox_is_worth_it_while_enough_waits() {
    let mut schedule = schedule_of(&[0; 10]);
    schedule.learn_sandbox(30.0);
    let crowd = Crowd { busy: vec![0.0], coming: Vec::new() };
    assert!(schedule.is_worth_another(&crowd), "nothing is known of the tests");
    schedule.learn_test(GROUP, 1.0);
    assert!(!schedule.is_worth_another(&crowd));
    assert!(schedule.is_worth_another(&Crowd::default()), "nobody else is there");
    assert!(schedule.is_worth_another(&Crowd { busy: vec![60.0], coming: vec![60.0] }), "the others are held up");
    schedule.expect(GROUP, |_| Some(20.0), |_| Bond::Ordered);
    assert!(schedule.is_worth_another(&crowd));
    let all = schedule.next(0, 1).unwrap();
    while schedule.next(0, 1).is_some() {}
    assert!(!schedule.is_worth_another(&Crowd::default()), "nothing waits");
    schedule.give_back(all, None);
    assert!(schedule.is_worth_another(&crowd), "what is to be run again waits");
}

#[test]
fn batches_that_run_tests_side_by_side_stay_large() {
    let mut schedule = schedule_of(&(0..1000).collect::<Vec<_>>());
    schedule.learn(GROUP, 5.0, 10, 10.0);
    assert_eq!(schedule.next(0, 10).unwrap().tests.len(), 25);
}

#[test]
fn groups_that_may_not_run_wait() {
    let mut schedule = Schedule::new(2, Duration::from_secs(900));
    let other = GroupIndex::new(1);
    schedule.add(GROUP, [entry(0, 0, None), entry(1, 0, None)]);
    schedule.add(other, [entry(2, 0, None)]);
    assert_eq!(schedule.choose(0, &Allowance::default(), |_| true), Some(GROUP));
    assert_eq!(schedule.choose(0, &Allowance::default(), |group| group == other), Some(other));
    assert_eq!(schedule.choose(0, &Allowance::default(), |_| false), None);
}
