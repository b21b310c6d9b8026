//! All tests of a run, each known by its place.

use std::collections::HashMap;
use std::sync::Arc;

use crate::framework::Framework;
use crate::model::{GroupName, Test, TestId};

/// A test's place in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TestIndex(u32);

impl TestIndex {
    pub(super) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("fewer than four thousand million tests"))
    }

    pub(super) fn get(self) -> usize {
        self.0 as usize
    }
}

/// A group's place in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct GroupIndex(usize);

impl GroupIndex {
    pub(super) const FIRST: Self = Self(0);

    pub(super) fn new(index: usize) -> Self {
        Self(index)
    }

    pub(super) fn get(self) -> usize {
        self.0
    }
}

pub(super) struct Catalog {
    frameworks: Vec<Framework>,
    tests: Vec<Arc<Test>>,
    by_id: Vec<HashMap<TestId, TestIndex>>,
}

impl Catalog {
    pub(super) fn new(frameworks: Vec<Framework>) -> Self {
        let by_id = std::iter::repeat_with(HashMap::new).take(frameworks.len()).collect();
        Self { frameworks, tests: Vec::new(), by_id }
    }

    pub(super) fn add(&mut self, group: GroupIndex, test: Arc<Test>) -> TestIndex {
        let index = TestIndex::new(self.tests.len());
        // A problem may be called like a test that was found: the test is what results are about.
        self.by_id[group.get()].entry(test.id.clone()).or_insert(index);
        self.tests.push(test);
        index
    }

    /// Where the group's test with this id is.
    pub(super) fn find(&self, group: GroupIndex, id: &TestId) -> Option<TestIndex> {
        self.by_id[group.get()].get(id).copied()
    }

    /// The group's tests of this unit, in their order.
    pub(super) fn of_unit(&self, group: GroupIndex, unit: &str) -> Vec<TestIndex> {
        let mut tests: Vec<_> = self.by_id[group.get()].values().copied().collect();
        tests.retain(|test| self.test(*test).unit.as_deref() == Some(unit));
        tests.sort_unstable();
        tests
    }

    pub(super) fn len(&self) -> usize {
        self.tests.len()
    }

    pub(super) fn test(&self, test: TestIndex) -> &Arc<Test> {
        &self.tests[test.get()]
    }

    pub(super) fn framework(&self, group: GroupIndex) -> &Framework {
        &self.frameworks[group.get()]
    }

    pub(super) fn group_indices(&self) -> impl Iterator<Item = GroupIndex> + use<> {
        (0..self.frameworks.len()).map(GroupIndex::new)
    }

    pub(super) fn group_name(&self, group: GroupIndex) -> &GroupName {
        self.frameworks[group.get()].group()
    }
}
