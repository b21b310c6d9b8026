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
    #[cfg(test)]
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
}

impl Catalog {
    pub(super) fn new(frameworks: Vec<Framework>) -> Self {
        Self { frameworks, tests: Vec::new() }
    }

    pub(super) fn add(&mut self, test: Arc<Test>) -> TestIndex {
        self.tests.push(test);
        TestIndex::new(self.tests.len() - 1)
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

    /// Where each of these tests is, by its id.
    pub(super) fn by_id(&self, tests: &[TestIndex]) -> HashMap<TestId, TestIndex> {
        tests.iter().map(|test| (self.test(*test).id.clone(), *test)).collect()
    }
}
