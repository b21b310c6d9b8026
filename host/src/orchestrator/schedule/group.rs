//! How the tests of a group are cut into batches and claims.

use std::time::Duration;

use super::super::bonds::Bond;
use super::costs::Costs;
use super::stretch::{Entry, Stretch};

/// A batch, or what a worker has to itself, is cut so that a sandbox still gets about this many more before all is done.
const SHARES: f64 = 2.0;

/// A batch is smaller than its share by this as long as nothing is known of what batches cost, and where that is little:
/// smaller ones even out more.
const SMALL: f64 = 2.0;

/// What a batch pays besides is little where it spends this many times as long in its tests.
const WORTHWHILE: f64 = 20.0;

/// And it should spend at least so many times as long, with and without earlier runs to say how long that is.
const FORESEEN: f64 = 15.0;
const UNFORESEEN: f64 = 3.0;

/// What a batch may pay besides, in seconds, as long as none has ended.
const PROCESS: f64 = 0.1;

/// A batch should fill no more than one part in this many of the time that it may take.
pub(super) const TIMEOUT_PARTS: u32 = 4;

/// A unit is taken apart only if so many times as long is left of it as loading it takes, within these bounds in seconds: a
/// shorter one is not worth what its tests may rely on, and a longer one is, unless loading takes longer still.
const LOADS: f64 = 10.0;
const SPLIT: (f64, f64) = (0.5, 2.0);

/// What loading a unit may take, in seconds, as long as that was not seen.
const LOADING: f64 = 0.1;

/// The tests of a group that were never handed out, and what is known of them.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) fresh: Stretch,
    pub(super) costs: Costs,
    /// Whether its tests are handed out one by one.
    pub(super) singly: bool,
}

/// How long a test may take, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weigh {
    /// If nothing is known of it.
    pub(super) typical: f64,
    /// Besides what it takes itself.
    pub(super) each: f64,
}

impl Weigh {
    pub(super) fn one(self, entry: &Entry) -> f64 {
        entry.expected.unwrap_or(self.typical) + self.each
    }

    pub(super) fn all(self, stretch: &Stretch) -> f64 {
        stretch.seconds(self.typical, self.each)
    }
}

impl Group {
    pub(super) fn weigh(&self) -> Weigh {
        Weigh { typical: self.costs.of_a_test(), each: self.costs.of_a_turn() }
    }

    /// How long what was never handed out may take.
    pub(super) fn seconds_fresh(&self) -> f64 {
        self.weigh().all(&self.fresh)
    }

    /// Orders what is left by what is known of it.
    pub(super) fn rearrange(&mut self) {
        let mut expected: Vec<_> = self.fresh.iter().filter_map(|entry| entry.expected).collect();
        let middle = expected.len() / 2;
        if expected.is_empty() {
            return self.fresh.by_stage();
        }
        let (_, median, _) = expected.select_nth_unstable_by(middle, f64::total_cmp);
        self.costs.expect(Some(*median));
        self.fresh.longest_first(*median);
    }

    /// Takes tests for about so many seconds from the front, whole units as far as that may be: one is only taken apart where
    /// earlier runs say that it takes longer, or where it takes more than `most` seconds.
    fn cut(&mut self, seconds: f64, most: f64) -> Stretch {
        let weigh = self.weigh();
        let (mut cut, mut sum) = (Stretch::default(), 0.0);
        let mut apart = None;
        while let Some(first) = self.fresh.front() {
            let is_apart = apart == Some(first.unit)
                || match first.bond {
                    Bond::Free => true,
                    Bond::Ordered => self.is_long(seconds, most),
                    Bond::Whole => false,
                };
            apart = is_apart.then_some(first.unit);
            let (count, weight) = if is_apart { (1, weigh.one(&first)) } else { self.front_unit() };
            if !cut.is_empty() && sum + weight / 2.0 > seconds {
                break;
            }
            sum += weight;
            self.fresh.take_front(count).for_each(|entry| cut.push_back(entry));
        }
        cut
    }

    /// How many tests the unit at the front has here, and how long they may take.
    fn front_unit(&self) -> (usize, f64) {
        let weigh = self.weigh();
        self.fresh.front_unit().fold((0, 0.0), |(count, sum), entry| (count + 1, sum + weigh.one(entry)))
    }

    /// Whether the unit at the front takes so long that it is better run by several.
    fn is_long(&self, seconds: f64, most: f64) -> bool {
        let weight = self.front_unit().1;
        let is_foreseen = || self.fresh.front_unit().all(|entry| entry.expected.is_some());
        weight > most || (weight > seconds && weight >= self.worth_splitting() && is_foreseen())
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

    /// From how many seconds on a unit may be in two processes at once: it is loaded twice, and tests of one file are those
    /// that are likeliest to rely on each other. As long as nothing is known of how long tests take, none is.
    pub(super) fn worth_splitting(&self) -> f64 {
        let loading = self.costs.of_a_unit().unwrap_or(LOADING);
        if self.costs.are_known() { (LOADS * loading).clamp(SPLIT.0, SPLIT.1).max(loading) } else { f64::INFINITY }
    }

    /// Sets the tests of stages before this one aside while others are taken.
    pub(super) fn beginning_with<T>(&mut self, stage: u32, take: impl FnOnce(&mut Self) -> T) -> T {
        let start = self.fresh.start_of(stage);
        if start == 0 {
            return take(self);
        }
        let later = self.fresh.split_off(start);
        let mut earlier = std::mem::replace(&mut self.fresh, later);
        let taken = take(self);
        earlier.append(std::mem::take(&mut self.fresh));
        self.fresh = earlier;
        taken
    }

    /// A unit for a worker that has enough for now: rather a short one.
    pub(super) fn cut_unit(&mut self) -> Stretch {
        let is_one_stage = self.fresh.front().map(|entry| entry.stage) == self.fresh.last_stage();
        if is_one_stage { self.fresh.pop_unit() } else { self.cut(0.0, f64::INFINITY) }
    }

    /// What a worker has to itself from now on.
    pub(super) fn cut_claim(&mut self, sandboxes: usize) -> Stretch {
        let share = self.seconds_fresh() / (sandboxes.max(1) as f64 * SHARES);
        let mut cut = self.cut(share, f64::INFINITY);
        // What is too much is taken over by others in the end, and units stay in one piece meanwhile.
        let worth = Some(self.worth_splitting()).filter(|worth| worth.is_finite());
        self.round_up(&mut cut, share.max(worth.unwrap_or_default()));
        cut
    }

    /// The next batch, which may take `timeout`, when all sandboxes could be done in `end` seconds.
    pub(super) fn cut_batch(&mut self, sandboxes: usize, end: f64, timeout: Duration) -> Stretch {
        let most = if self.costs.are_known() { (timeout / TIMEOUT_PARTS).as_secs_f64() } else { f64::INFINITY };
        if self.singly {
            return self.fresh.pop_front().into_iter().collect();
        }
        let share = self.seconds_fresh() / (sandboxes.max(1) as f64 * SHARES);
        let foreseen = self.costs.are_foreseen();
        let overhead = self.costs.of_a_batch().or(foreseen.then_some(PROCESS));
        let size = match overhead {
            // A batch should spend several times as long in its tests as it pays besides: more times where it is known
            // what that is, since less has to be evened out later.
            Some(overhead) => {
                let least = if foreseen { FORESEEN } else { UNFORESEEN } * overhead;
                share.min(WORTHWHILE * overhead).max(share / SMALL).max(least.min(end))
            }
            None => share / SMALL,
        };
        let size = size.min(most);
        let mut cut = self.cut(size, most);
        self.round_up(&mut cut, overhead.unwrap_or(f64::INFINITY).min(size / 4.0));
        cut
    }
}
