//! How far workers have come: none is given a test of an earlier stage than one that it was given before.

use std::collections::BTreeMap;

use super::super::catalog::TestIndex;
use super::SandboxKey;

#[derive(Debug, Default)]
pub(super) struct Stages {
    /// By test; those beyond the end are of the first.
    of_tests: Vec<u32>,
    reached: BTreeMap<SandboxKey, u32>,
}

impl Stages {
    pub(super) fn remember(&mut self, test: TestIndex, stage: u32) {
        // Most groups know one stage only.
        if stage > 0 && self.of_tests.len() <= test.get() {
            self.of_tests.resize(test.get() + 1, 0);
        }
        if let Some(remembered) = self.of_tests.get_mut(test.get()) {
            *remembered = stage;
        }
    }

    pub(super) fn of(&self, test: TestIndex) -> u32 {
        self.of_tests.get(test.get()).copied().unwrap_or_default()
    }

    /// The latest stage of what this sandbox's worker was given.
    pub(super) fn reached(&self, sandbox: SandboxKey) -> u32 {
        self.reached.get(&sandbox).copied().unwrap_or_default()
    }

    /// A worker is given these.
    pub(super) fn reach(&mut self, sandbox: SandboxKey, tests: &[TestIndex]) {
        let latest = tests.iter().map(|test| self.of(*test)).max().unwrap_or_default();
        if latest > self.reached(sandbox) {
            self.reached.insert(sandbox, latest);
        }
    }

    /// What comes next in this sandbox is another worker.
    pub(super) fn leave(&mut self, sandbox: SandboxKey) {
        self.reached.remove(&sandbox);
    }

    /// Cut where the stage changes.
    pub(super) fn split(&self, tests: Vec<TestIndex>) -> Vec<Vec<TestIndex>> {
        tests.chunk_by(|one, other| self.of(*one) == self.of(*other)).map(<[_]>::to_vec).collect()
    }
}
