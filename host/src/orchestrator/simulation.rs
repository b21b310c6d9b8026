//! The schedule over durations that are made up or recorded, without any clock: what `cargo xtask simulate` prints and what
//! property tests drive. Whatever it decides, the schedule of a run decides by the same code.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

use super::bonds::Bond;
use super::catalog::{GroupIndex, TestIndex};
use super::constraints::ClassId;
use super::schedule::{Allowance, Batch, Crowd, Entry, Schedule, remaining};

/// How tests are brought to sandboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A process for each batch.
    Batches,
    /// A process a sandbox that takes tests while it runs.
    Workers,
    /// For comparison: one test at a time in the order of discovery, with a process each (list scheduling).
    List,
    /// For comparison: the same, but what takes longest first, as if that were known (Graham, 1969).
    LongestFirst,
}

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Each test's duration, in seconds, and the unit that it belongs to.
    pub tests: Vec<(f64, u32)>,
    pub sandboxes: usize,
    pub mode: Mode,
    /// Whether earlier runs let expect these durations.
    pub known: bool,
    /// Seconds until a sandbox can take anything; the n-th sandbox takes n times `stagger` more.
    pub creation: f64,
    pub stagger: f64,
    /// Seconds that a batch's process takes besides its tests, or a worker's once.
    pub process: f64,
    /// Seconds between a sandbox's word and the answer.
    pub latency: f64,
    /// Seconds to load a unit in a process that has not loaded it.
    pub unit: f64,
    /// Every so many tests one takes its process with it the first time; 0 for none.
    pub crash_every: usize,
    /// The first sandbox takes so many times as long for everything.
    pub straggler: f64,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            tests: Vec::new(),
            sandboxes: 1,
            mode: Mode::Workers,
            known: false,
            creation: 0.0,
            stagger: 0.0,
            process: 0.0,
            latency: 0.0,
            unit: 0.0,
            crash_every: 0,
            straggler: 1.0,
        }
    }
}

/// How it went.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulated {
    /// Seconds until the last test had ended.
    pub makespan: f64,
    /// Seconds below which nobody can stay: the longest test, or all of them spread evenly.
    pub bound: f64,
    /// How often something was handed to a sandbox.
    pub orders: usize,
    /// How often each test ran to its end.
    pub ended: Vec<u32>,
}

impl Simulated {
    /// How close to the bound it came; 1 is perfect.
    pub fn ratio(&self) -> f64 {
        if self.bound > 0.0 { self.makespan / self.bound } else { 1.0 }
    }
}

const GROUP: GroupIndex = GroupIndex::FIRST;

/// Runs the scenario to its end.
pub fn simulate(scenario: &Scenario) -> Simulated {
    Simulation::new(scenario).run()
}

struct Simulation<'a> {
    scenario: &'a Scenario,
    schedule: Schedule,
    /// Tests for the modes that are for comparison, in the order in which they go out.
    list: VecDeque<usize>,
    /// When each sandbox has something to say next, in nanoseconds.
    clock: BinaryHeap<Reverse<(u64, u64)>>,
    sandboxes: BTreeMap<u64, Sandbox>,
    crashed: Vec<bool>,
    result: Simulated,
}

#[derive(Default)]
struct Sandbox {
    pending: VecDeque<usize>,
    loaded: Vec<u32>,
    is_there: bool,
    is_up: bool,
    /// Since when it is at what it does.
    since: f64,
    /// What runs now, until the sandbox's next word.
    running: Option<usize>,
    /// What that takes besides, in seconds, and whether it is for a new unit.
    besides: (f64, bool),
    batch: Option<(f64, Vec<usize>, Vec<usize>)>,
}

impl<'a> Simulation<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let mut schedule = Schedule::new(1, Duration::from_secs(900));
        let ours = matches!(scenario.mode, Mode::Batches | Mode::Workers);
        let entry = |(index, (seconds, unit)): (usize, &(f64, u32))| Entry {
            test: TestIndex::new(index),
            unit: *unit,
            expected: scenario.known.then_some(*seconds),
            stage: 0,
            bond: Bond::Ordered,
            class: ClassId::FREE,
        };
        schedule.add(GROUP, scenario.tests.iter().enumerate().map(entry).filter(|_| ours));
        let mut list: Vec<_> = (0..scenario.tests.len()).filter(|_| !ours).collect();
        if scenario.mode == Mode::LongestFirst {
            list.sort_by(|one, other| scenario.tests[*other].0.total_cmp(&scenario.tests[*one].0));
        }
        let total: f64 = scenario.tests.iter().map(|(seconds, _)| seconds).sum();
        let longest = scenario.tests.iter().map(|(seconds, _)| *seconds).fold(0.0, f64::max);
        let result = Simulated {
            makespan: 0.0,
            bound: longest.max(total / scenario.sandboxes.max(1) as f64),
            orders: 0,
            ended: vec![0; scenario.tests.len()],
        };
        let up = |number: u64| nanos(scenario.creation + scenario.stagger * number as f64);
        let numbers = 0..scenario.sandboxes.max(1) as u64;
        Self {
            scenario,
            schedule,
            list: list.into(),
            clock: numbers.clone().map(|number| Reverse((up(number), number))).collect(),
            sandboxes: numbers.map(|number| (number, Sandbox::default())).collect(),
            crashed: vec![false; scenario.tests.len()],
            result,
        }
    }

    fn run(mut self) -> Simulated {
        let mut idle = Vec::new();
        while let Some(Reverse((now, number))) = self.clock.pop() {
            self.comes_up(number, seconds(now));
            let ended = self.settle(number, seconds(now));
            if !self.go_on(number, now) {
                idle.push(number);
            }
            if ended {
                // What came back may be for those who had nothing to do.
                let waiting = std::mem::take(&mut idle);
                idle.extend(waiting.into_iter().filter(|other| !self.go_on(*other, now)));
            }
        }
        self.result
    }

    /// A sandbox says its first word.
    fn comes_up(&mut self, number: u64, now: f64) {
        let Some(sandbox) = self.sandboxes.get_mut(&number) else { return };
        if !std::mem::replace(&mut sandbox.is_there, true) {
            self.schedule.learn_sandbox(now);
        }
    }

    /// All sandboxes, and how long each is busy.
    fn crowd(&self, now: f64) -> Crowd {
        let seconds_of = |test: &usize| self.schedule.seconds_of(GROUP, TestIndex::new(*test));
        let busy = |sandbox: &Sandbox| {
            let batch = sandbox.batch.iter().flat_map(|(_, done, lost)| done.iter().chain(lost));
            let given: Vec<_> = sandbox.running.iter().chain(&sandbox.pending).chain(batch).map(seconds_of).collect();
            if given.is_empty() { 0.0 } else { remaining(given.iter().sum(), now - sandbox.since) }
        };
        let (there, coming): (Vec<_>, Vec<_>) = self.sandboxes.values().partition(|sandbox| sandbox.is_there);
        Crowd { busy: there.into_iter().map(busy).collect(), coming: coming.into_iter().map(|_| now).collect() }
    }

    /// What a sandbox was at has ended; says whether anything was.
    fn settle(&mut self, number: u64, now: f64) -> bool {
        let Some(sandbox) = self.sandboxes.get_mut(&number) else { return false };
        let mut again = Vec::new();
        let mut ended = Vec::new();
        if let Some(test) = sandbox.running.take() {
            if self.scenario.crashes(test) && !std::mem::replace(&mut self.crashed[test], true) {
                // The worker is gone with what it had.
                again.extend(std::iter::once(test).chain(sandbox.pending.drain(..)));
                *sandbox = Sandbox { is_there: true, ..Sandbox::default() };
                self.schedule.release(number);
            } else {
                self.schedule.learn_test(GROUP, self.scenario.tests[test].0);
                let (besides, new_unit) = sandbox.besides;
                self.schedule.learn_turn(GROUP, besides, new_unit);
                ended.push(test);
            }
        } else if let Some((took, done, lost)) = sandbox.batch.take() {
            let running = done.iter().map(|test| self.scenario.tests[*test].0).sum();
            self.schedule.learn(GROUP, took, done.len(), running);
            lost.first().into_iter().for_each(|test| self.crashed[*test] = true);
            (ended, again) = (done, lost);
        } else {
            return false;
        }
        for test in ended {
            self.result.ended[test] += 1;
            self.result.makespan = self.result.makespan.max(now);
        }
        match self.scenario.mode {
            Mode::List | Mode::LongestFirst => self.list.extend(again),
            Mode::Batches | Mode::Workers => {
                let tests = again.into_iter().map(TestIndex::new).collect();
                self.schedule.give_back(Batch { group: GROUP, tests }, None);
            }
        }
        true
    }

    /// Gives a sandbox its next work; says whether there was any.
    fn go_on(&mut self, number: u64, now: u64) -> bool {
        let slow = if number == 0 { self.scenario.straggler } else { 1.0 };
        let takes = match self.scenario.mode {
            Mode::Workers => self.worker(number, seconds(now)),
            Mode::Batches => self.batch(number, slow, seconds(now)),
            Mode::List | Mode::LongestFirst => self.one(number, slow),
        };
        if let Some(sandbox) = self.sandboxes.get_mut(&number) {
            sandbox.since = seconds(now);
        }
        let next = takes.map(|seconds| Reverse((now + nanos(seconds * slow), number)));
        self.clock.extend(next);
        takes.is_some()
    }

    fn worker(&mut self, number: u64, now: f64) -> Option<f64> {
        let mut takes = 0.0;
        let sandboxes = self.schedule.sharing(&self.crowd(now));
        let sandbox = self.sandboxes.get_mut(&number)?;
        let pending = |sandbox: &Sandbox| sandbox.pending.clone().into_iter().map(TestIndex::new);
        while self.schedule.wants_more(GROUP, pending(sandbox)) {
            let Some(batch) = self.schedule.order(number, GROUP, sandboxes, pending(sandbox), &Allowance::default())
            else {
                break;
            };
            if sandbox.pending.is_empty() {
                takes += self.scenario.latency;
            }
            sandbox.pending.extend(batch.tests.iter().map(|test| test.get()));
            self.result.orders += 1;
        }
        if sandbox.pending.is_empty() {
            // The one that would end last gives some of its tests back.
            let units = &self.scenario.tests;
            let others = self.sandboxes.iter().map(|(key, other)| {
                let tests = other.running.iter().chain(&other.pending).copied().map(TestIndex::new);
                (*key, tests.collect())
            });
            let (victim, tests) =
                self.schedule.take_back(number, GROUP, others, |test| (Some(units[test.get()].1), Bond::Ordered))?;
            let taken = |test: &usize| tests.contains(&TestIndex::new(*test));
            self.sandboxes.get_mut(&victim)?.pending.retain(|test| !taken(test));
            takes += 2.0 * self.scenario.latency;
            self.sandboxes.get_mut(&number)?.pending.extend(tests.iter().map(|test| test.get()));
        }
        let sandbox = self.sandboxes.get_mut(&number)?;
        let test = sandbox.pending.pop_front()?;
        if !std::mem::replace(&mut sandbox.is_up, true) {
            takes += self.scenario.process;
        }
        let (seconds, unit) = self.scenario.tests[test];
        let new_unit = !sandbox.loaded.contains(&unit);
        if new_unit {
            sandbox.loaded.push(unit);
            takes += self.scenario.unit;
        }
        sandbox.besides = (takes, new_unit);
        sandbox.running = Some(test);
        Some(takes + seconds)
    }

    fn batch(&mut self, number: u64, slow: f64, now: f64) -> Option<f64> {
        let group = self.schedule.choose(number, &Allowance::default(), |_| true)?;
        let batch = self.schedule.batch(number, group, &self.crowd(now), &Allowance::default())?;
        let tests: Vec<_> = batch.tests.iter().map(|test| test.get()).collect();
        Some(self.start(number, tests, slow))
    }

    fn one(&mut self, number: u64, slow: f64) -> Option<f64> {
        let test = self.list.pop_front()?;
        Some(self.start(number, vec![test], slow))
    }

    /// A process of its own for these tests.
    fn start(&mut self, number: u64, tests: Vec<usize>, slow: f64) -> f64 {
        self.result.orders += 1;
        let mut units: Vec<_> = tests.iter().map(|test| self.scenario.tests[*test].1).collect();
        units.dedup();
        let overhead = self.scenario.latency + self.scenario.process + self.scenario.unit * units.len() as f64;
        let fatal = tests.iter().position(|test| self.scenario.crashes(*test) && !self.crashed[*test]);
        let (done, lost) = tests.split_at(fatal.unwrap_or(tests.len()));
        let running: f64 = done.iter().chain(lost.first()).map(|test| self.scenario.tests[*test].0).sum();
        let takes = overhead + running;
        if let Some(sandbox) = self.sandboxes.get_mut(&number) {
            sandbox.batch = Some((takes * slow, done.to_vec(), lost.to_vec()));
        }
        takes
    }
}

impl Scenario {
    fn crashes(&self, test: usize) -> bool {
        self.crash_every > 0 && (test + 1).is_multiple_of(self.crash_every)
    }
}

fn nanos(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e9) as u64
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mode() -> impl Strategy<Value = Mode> {
        prop::sample::select(vec![Mode::Batches, Mode::Workers, Mode::List, Mode::LongestFirst])
    }

    prop_compose! {
        fn scenario()(
            tests in prop::collection::vec((0.0f64..3.0, 0u32..9), 0..150),
            sandboxes in 1usize..20,
            mode in mode(),
            known in any::<bool>(),
            costs in prop::collection::vec(0.0f64..0.5, 5),
            crash_every in prop_oneof![Just(0usize), 1usize..40],
            straggler in prop_oneof![Just(1.0f64), 1.0f64..9.0],
        ) -> Scenario {
            let [creation, stagger, process, latency, unit] = costs[..] else { unreachable!("five costs") };
            Scenario {
                tests, sandboxes, mode, known, creation, stagger, process, latency, unit, crash_every, straggler,
            }
        }
    }

    proptest! {
        /// Whatever crashes and whoever is slow, every test ends once, and nobody is faster than anybody can be.
        #[test]
        fn every_test_ends_once(scenario in scenario()) {
            let result = simulate(&scenario);
            prop_assert!(result.ended.iter().all(|times| *times == 1), "{:?}", result.ended);
            prop_assert!(result.makespan >= result.bound - 1e-6);
        }

        /// Greedy schedules are within twice the bound (Graham, 1969); ours pay besides for what they hand out together.
        #[test]
        fn nobody_idles_while_there_is_work(scenario in scenario()) {
            let free = Scenario {
                creation: 0.0, stagger: 0.0, process: 0.0, latency: 0.0, unit: 0.0, crash_every: 0, straggler: 1.0, known: true,
                ..scenario
            };
            let result = simulate(&free);
            let longest = free.tests.iter().map(|(seconds, _)| *seconds).fold(0.0, f64::max);
            prop_assert!(result.makespan <= 2.0 * result.bound + 2.0 * longest + 1.0, "{} / {}", result.makespan, result.bound);
        }
    }

    /// Few tests take most of the time, as it is in real suites (Pareto), at most six seconds.
    fn heavy_tailed(count: usize) -> Vec<(f64, u32)> {
        let place = |index: usize| ((index * 7919) % count) as f64 / count as f64;
        let seconds = |index: usize| (0.15 / (1.0 - place(index)).powf(0.8)).min(6.0);
        (0..count).map(|index| (seconds(index), u32::try_from(index).unwrap())).collect()
    }

    #[track_caller]
    fn check(mode: Mode, known: bool, sandboxes: usize, most: f64) {
        let scenario = Scenario {
            tests: heavy_tailed(400),
            sandboxes,
            mode,
            known,
            process: 0.01,
            latency: 0.005,
            ..Scenario::default()
        };
        let ratio = simulate(&scenario).ratio();
        assert!(ratio <= most, "{mode:?}, known: {known}, {sandboxes} sandboxes: {ratio:.3}");
    }

    #[test]
    fn history_brings_the_makespan_near_the_bound() {
        check(Mode::Batches, true, 10, 1.05);
        check(Mode::Batches, true, 50, 1.05);
        check(Mode::Workers, true, 10, 1.05);
        check(Mode::Workers, true, 50, 1.05);
    }

    #[test]
    fn without_history_it_is_not_far() {
        check(Mode::Batches, false, 10, 1.15);
        // A worker knows what follows, which is then behind what it runs.
        check(Mode::Workers, false, 10, 1.25);
    }

    /// Ten seconds of tests are not cut for sandboxes that come up after a minute, once they do not come with the first.
    #[test]
    fn those_that_come_late_cost_little() {
        let many = simulate(&Scenario {
            tests: (0..100).map(|index| (0.1, index)).collect(),
            sandboxes: 10,
            mode: Mode::Batches,
            known: true,
            stagger: 60.0,
            process: 0.5,
            ..Scenario::default()
        });
        assert!(many.orders <= 4, "{}", many.orders);
        assert!(many.makespan <= 10.0 + 4.0 * 0.5 + 1e-6, "{}", many.makespan);
    }

    #[test]
    fn a_straggler_is_left_little() {
        let tests = (0..1000).map(|index| (0.05, index / 10)).collect();
        let scenario =
            Scenario { tests, sandboxes: 5, straggler: 10.0, known: true, unit: 0.01, ..Scenario::default() };
        // Four and a tenth do the work of five: 1.22 would be perfect. Files of half a second are not taken apart.
        assert!(simulate(&scenario).ratio() < 1.6, "{:?}", simulate(&scenario).ratio());
    }
}
