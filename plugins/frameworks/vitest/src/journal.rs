//! What our JavaScript writes while vitest works: a JSON line `[nonce, {kind: record}]` for everything that happens.

use serde::Deserialize;

/// Something that happened.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Vitest is not one that offload can work with.
    Unusable { code: String, message: String, help: String },
    /// Vitest is up. `bail` is 0 where it was not told after how many failures to stop.
    Begun { bail: u32 },
    /// The files that vitest goes through.
    Planned { units: Vec<String> },
    /// A file was loaded.
    Collected { unit: String },
    /// A test was discovered.
    Test(Discovered),
    /// Something that could not be collected.
    Problem { id: String, message: String, details: String },
    /// A test begins. `at` counts seconds on a clock of the machine.
    Started { id: String, at: f64 },
    /// A test is over. The last word on it counts.
    Finished(Finished),
    /// Nothing but hooks is left to run after a test that is over.
    Closing { id: String },
    /// These hooks are over as well.
    Closed { id: String },
    /// A test printed something.
    Printed { task: String, stream: String, text: String },
    /// Vitest still runs.
    Alive { at: f64 },
    /// Vitest is over.
    Exit(End),
}

#[derive(Debug, Deserialize)]
pub struct Discovered {
    pub id: String,
    pub unit: String,
    pub file: String,
    pub line: Option<u32>,
    pub name: String,
    pub tags: Vec<String>,
    pub skipped: bool,
}

/// How a test ended.
#[derive(Debug, Deserialize)]
pub struct Finished {
    pub id: String,
    /// What vitest calls it where it says what it printed; absent of one that is not there.
    pub task: Option<String>,
    pub at: f64,
    pub status: String,
    /// Seconds.
    pub duration: f64,
    pub message: Option<String>,
    pub details: Option<String>,
}

/// How vitest ended.
#[derive(Debug, Deserialize)]
pub struct End {
    pub code: i32,
    /// Whether it went through all files.
    pub finished: bool,
    /// Whether a file, or something in it, failed.
    pub failed: bool,
    /// What was thrown where nobody caught it.
    pub errors: Vec<Stray>,
}

/// An error that no test, no hook and no file threw.
#[derive(Debug, Deserialize)]
pub struct Stray {
    pub message: String,
    pub details: String,
    /// The test file whose process it was.
    pub file: Option<String>,
    /// The name of the test that ran at the time.
    pub test: Option<String>,
}
