//! What earlier runs let expect of each test.

use std::collections::HashMap;

use crate::model::{Expected, GroupName, TestId};

/// How long tests are expected to take, by group and id.
#[derive(Clone, Debug, Default)]
pub struct Expectations(HashMap<GroupName, HashMap<TestId, Expected>>);

impl Expectations {
    /// What is known of this test, which one earlier run is enough for.
    pub fn of(&self, group: &GroupName, test: &TestId) -> Option<Expected> {
        self.0.get(group)?.get(test).copied()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn insert(&mut self, group: GroupName, test: TestId, expected: Expected) {
        self.0.entry(group).or_default().insert(test, expected);
    }
}
