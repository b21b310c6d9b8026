//! What was learned of a group's costs, in seconds.

/// What a test may take of which nothing is known, as long as nothing is known of any other.
const UNKNOWN: f64 = 1.0;

/// No process is started for less.
const LEAST_OVERHEAD: f64 = 0.02;

#[derive(Debug, Default)]
pub(super) struct Costs {
    batches: f64,
    overhead: f64,
    /// Whether batches run tests side by side, so that what they take besides cannot be seen.
    opaque: bool,
    tests: f64,
    running: f64,
    /// How many tests have been running for long and have not ended yet, and for how long they have, together.
    under_way: (f64, f64),
    /// The median of what earlier runs let expect.
    median: Option<f64>,
    units: f64,
    loading: f64,
    turns: f64,
    between: f64,
}

impl Costs {
    pub(super) fn learn_batch(&mut self, seconds: f64, tests: usize, running: f64) {
        self.batches += 1.0;
        self.overhead += (seconds - running).max(0.0);
        self.opaque |= running > seconds;
        self.tests += tests as f64;
        self.running += running;
    }

    pub(super) fn learn_test(&mut self, seconds: f64) {
        self.tests += 1.0;
        self.running += seconds;
    }

    /// So many tests have been running for so many seconds, together, and have not ended.
    pub(super) fn learn_under_way(&mut self, tests: usize, seconds: f64) {
        self.under_way = (tests as f64, seconds);
    }

    /// A worker took so long besides a test's own time, with a new unit before it or without.
    pub(super) fn learn_turn(&mut self, seconds: f64, new_unit: bool) {
        let (count, sum) =
            if new_unit { (&mut self.units, &mut self.loading) } else { (&mut self.turns, &mut self.between) };
        *count += 1.0;
        // What a worker says comes in bursts: too little for one is too much for another.
        *sum += seconds;
    }

    pub(super) fn expect(&mut self, median: Option<f64>) {
        self.median = median;
    }

    /// Whether there is any measure of its tests.
    pub(super) fn are_known(&self) -> bool {
        self.median.is_some() || self.seen() > 0.0
    }

    /// Whether earlier runs say how long its tests take.
    pub(super) fn are_foreseen(&self) -> bool {
        self.median.is_some()
    }

    /// A test of which nothing else is known.
    pub(super) fn of_a_test(&self) -> f64 {
        let learned = || (self.seen() > 0.0).then(|| ((self.running + self.under_way.1) / self.seen()).max(1e-6));
        self.median.or_else(learned).unwrap_or(UNKNOWN)
    }

    /// How many tests there are of which something was seen.
    fn seen(&self) -> f64 {
        self.tests + self.under_way.0
    }

    /// What a batch takes besides its tests, as far as that can be seen.
    pub(super) fn of_a_batch(&self) -> Option<f64> {
        (self.batches > 0.0 && !self.opaque).then(|| (self.overhead / self.batches).max(LEAST_OVERHEAD))
    }

    /// What a worker takes for each test besides the test itself.
    pub(super) fn of_a_turn(&self) -> f64 {
        if self.turns > 0.0 { (self.between / self.turns).max(0.0) } else { 0.0 }
    }

    /// What a worker takes to load a unit, once that was seen.
    pub(super) fn of_a_unit(&self) -> Option<f64> {
        (self.units > 0.0).then(|| (self.loading / self.units).max(0.0))
    }
}
