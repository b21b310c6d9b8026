//! What a JUnit file says, whichever tool wrote it.

use std::rc::Rc;

/// The cases of a file, in its order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    pub cases: Vec<Case>,
    /// Why the file could be read no further, if not all of it could: `cases` then holds the ones that are whole.
    pub truncated: Option<String>,
}

/// One `<testcase>`, or a failure that a suite has outside of its cases.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Case {
    /// The name of the innermost suite around it, which thousands of cases may share.
    pub suite: Option<Rc<str>>,
    pub classname: Option<String>,
    pub name: String,
    /// The case's own `file`, else the one of the innermost suite that has one.
    pub file: Option<String>,
    /// Seconds.
    pub time: Option<f64>,
    pub status: CaseStatus,
    /// The `type` of what made it other than passed, such as an exception's name or `pytest.xfail`.
    pub kind: Option<String>,
    /// The `message` of each failure, error or skip, a line each.
    pub message: Option<String>,
    /// The text of each failure, error or skip.
    pub details: Option<String>,
    pub stdout: Option<String>,
    pub stderr: Option<String>,
    pub properties: Vec<(String, String)>,
    /// What became of it when the tool itself ran it at other times: the case is what it says of the one that counts.
    pub reruns: Vec<Rerun>,
}

/// An attempt that failed, and beside which there is another: `flakyFailure`, `flakyError`, `rerunFailure` and `rerunError`, as
/// Maven's Surefire began to write them and nextest, Gradle, Playwright and others do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rerun {
    /// [`CaseStatus::Failed`] or [`CaseStatus::Error`].
    pub status: CaseStatus,
    /// Seconds.
    pub time: Option<f64>,
    pub kind: Option<String>,
    pub message: Option<String>,
    pub details: Option<String>,
    pub stdout: Option<String>,
    pub stderr: Option<String>,
}

/// How a case ended: from the best to the worst that one can say of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaseStatus {
    #[default]
    Passed,
    Skipped,
    Failed,
    Error,
}
