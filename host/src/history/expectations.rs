//! What earlier runs let expect of each test.

use std::collections::{HashMap, HashSet};

use crate::model::{Expected, GroupName, TestId};

/// How long tests are expected to take, by group and id, and which units are not to be taken apart.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    tests: HashMap<GroupName, HashMap<TestId, Expected>>,
    whole_units: HashMap<GroupName, HashSet<String>>,
}

impl Expectations {
    /// What is known of this test, which one earlier run is enough for.
    pub fn of(&self, group: &GroupName, test: &TestId) -> Option<Expected> {
        self.tests.get(group)?.get(test).copied()
    }

    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    pub(super) fn insert(&mut self, group: GroupName, test: TestId, expected: Expected) {
        self.tests.entry(group).or_default().insert(test, expected);
    }

    /// Whether an earlier run saw that tests of this unit rely on those before them.
    pub fn keeps_whole(&self, group: &GroupName, unit: &str) -> bool {
        self.whole_units.get(group).is_some_and(|units| units.contains(unit))
    }

    pub(super) fn insert_whole(&mut self, group: GroupName, unit: String) {
        self.whole_units.entry(group).or_default().insert(unit);
    }
}
