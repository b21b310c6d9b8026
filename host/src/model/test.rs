//! What discovery finds.

use serde::{Deserialize, Serialize};

use super::{GroupName, Outcome, TestId};

/// A discovered test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    pub group: GroupName,
    pub id: TestId,
    /// The file, module or binary that holds it: tests that share one are cheaper together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// As the framework's own JUnit would say; absent means the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// As the framework's own JUnit would say; absent means the unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classname: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whether the framework already says that it will not run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skipped: bool,
    /// One process runs no test of an earlier stage after one of a later.
    #[serde(default, skip_serializing_if = "is_first")]
    pub stage: u32,
}

impl Test {
    /// A test of which no more is known than how it is called.
    pub fn nameless(group: GroupName, id: impl Into<String>) -> Self {
        Self {
            group,
            id: TestId::new(id),
            unit: None,
            file: None,
            line: None,
            name: None,
            classname: None,
            tags: Vec::new(),
            skipped: false,
            stage: 0,
        }
    }
}

fn is_first(stage: &u32) -> bool {
    *stage == 0
}

/// Something that could not be collected, or a whole module that skipped itself: a result without a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub test: Test,
    pub outcome: Outcome,
}

/// What one group holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Discovered {
    pub tests: Vec<Test>,
    pub problems: Vec<Problem>,
    /// After how many failures the framework was told to stop (`-x`, `--maxfail`).
    pub max_failures: Option<u32>,
    /// What was collected and then left out on purpose.
    pub deselected: Vec<TestId>,
}

impl Discovered {
    /// Adds what was found later. The last word on when to stop counts.
    pub(crate) fn append(&mut self, later: Self) {
        self.tests.extend(later.tests);
        self.problems.extend(later.problems);
        self.max_failures = later.max_failures.or(self.max_failures);
        self.deselected.extend(later.deselected);
    }
}
