//! Counts of a suite, from the same reading of each record that its testcase is written from.

use std::ops::AddAssign;

use super::case::{Case, Mark};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub tests: u64,
    pub failures: u64,
    pub errors: u64,
    pub skipped: u64,
    /// The sum of the testcases' times.
    pub micros: u64,
}

impl Totals {
    pub fn add(&mut self, case: &Case<'_>) {
        self.tests += 1;
        self.micros += case.micros();
        match case.mark {
            Mark::Passed => {}
            Mark::Failure => self.failures += 1,
            Mark::Error => self.errors += 1,
            Mark::Skipped => self.skipped += 1,
        }
    }

    /// In the order in which JUnit's own writers put them.
    pub fn attributes(&self) -> [(&'static str, String); 5] {
        [
            ("tests", self.tests.to_string()),
            ("failures", self.failures.to_string()),
            ("errors", self.errors.to_string()),
            ("skipped", self.skipped.to_string()),
            ("time", seconds(self.micros)),
        ]
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
        self.micros += other.micros;
    }
}

/// Seconds with six decimals, which is exact.
pub(super) fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}
