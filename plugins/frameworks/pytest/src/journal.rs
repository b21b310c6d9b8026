//! What the pytest plugin writes while it works: a JSON line `[nonce, {kind: record}]` for everything that happens.

use serde::Deserialize;

/// Something that happened.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// pytest cannot even begin.
    Unusable { code: String, message: String, help: String },
    /// A test was discovered.
    Test {
        id: String,
        file: String,
        line: Option<u32>,
        tags: Vec<String>,
        #[serde(default)]
        stage: u32,
    },
    /// Something that could not be collected, or that skipped itself whole.
    Problem { id: String, status: String, message: Option<String>, details: Option<String> },
    /// Collection is over. `max_failures` is 0 where pytest was not told to stop.
    Collected { max_failures: i64 },
    /// A test begins. `at` counts seconds on a clock of the attempt's own.
    Started { id: String, at: f64 },
    /// A test is over, or one attempt at it ("rerun").
    Finished(Finished),
    /// The tests are over, and the hooks at the end of the session begin with this exit status.
    Ending { status: i32 },
    /// The session is to be judged beyond its tests.
    Session(Session),
    /// The directory that pytest was started in is gone: whatever is said of this process is about that.
    Gone {},
    /// A test was collected and left out on purpose.
    Deselected { id: String },
    /// Something that a person should know of the whole group.
    Notice { message: String },
    /// pytest is over, with so many warnings.
    Exit {
        status: i32,
        #[serde(default)]
        warnings: u32,
    },
    /// A worker has read its standard input.
    Ready {},
    /// A worker has loaded a file, which holds these tests.
    Unit { file: String, ids: Vec<String> },
    /// A worker gives tests back unrun.
    Returned { ids: Vec<String> },
}

/// What is wrong with a session.
#[derive(Debug, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) message: Option<String>,
    pub(crate) details: Option<String>,
    /// Whether a plain run would have run no test after this.
    #[serde(default)]
    pub(crate) stop: bool,
}

/// How a test ended.
#[derive(Debug, Deserialize)]
pub(crate) struct Finished {
    pub(crate) id: String,
    /// Seconds on the attempt's own clock.
    pub(crate) at: f64,
    pub(crate) status: String,
    /// Seconds.
    pub(crate) duration: f64,
    pub(crate) message: Option<String>,
    pub(crate) details: Option<String>,
    pub(crate) stdout: Option<String>,
    pub(crate) stderr: Option<String>,
    #[serde(default)]
    pub(crate) properties: Vec<(String, String)>,
}
