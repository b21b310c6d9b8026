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
    Planned { units: Vec<Unit> },
    /// A file was loaded.
    Collected { unit: String },
    /// A test was discovered.
    Test(Discovered),
    /// Something that could not be collected.
    Problem { id: String, message: String, details: String },
    /// All that is to be found was found.
    Found {},
    /// Something that a person should know of the whole group.
    Notice { message: String },
    /// A worker has read its standard input.
    Ready {},
    /// A worker gives tests back unrun.
    Returned { ids: Vec<String> },
    /// A test begins. `at` counts seconds on a clock of the machine.
    Started { id: String, at: f64 },
    /// A test is over, hooks that follow it included; or an attempt is that vitest itself repeats.
    Finished(Finished),
    /// An error that fails vitest and no test.
    Stray(Stray),
    /// The process that ran a test is gone, and vitest ends for that.
    Gone {},
    /// A file is over.
    Over {},
    /// Vitest ended without a word, and here is its whole journal once more.
    Again {},
    /// Vitest still runs.
    Alive { at: f64 },
    /// Vitest is over.
    Exit(End),
}

/// A file, once for each project that has it.
#[derive(Debug, Deserialize)]
pub struct Unit {
    pub unit: String,
    pub stage: u32,
    /// What its tests rely on.
    pub tags: Vec<String>,
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
    pub at: f64,
    pub status: String,
    /// Seconds.
    pub duration: f64,
    pub message: Option<String>,
    pub details: Option<String>,
    pub stdout: Option<String>,
    pub stderr: Option<String>,
}

/// How vitest ended.
#[derive(Debug, Deserialize)]
pub struct End {
    pub code: i32,
    /// Whether it went through all files.
    pub finished: bool,
    /// Whether a file, or something in it, failed.
    pub failed: bool,
}

/// An error that no test, no hook and no file threw.
#[derive(Debug, Deserialize)]
pub struct Stray {
    /// What kind of error it is, in words.
    pub what: String,
    pub message: String,
    pub details: String,
    /// The test file whose process it was.
    pub file: Option<String>,
    /// The name of the test that ran at the time.
    pub test: Option<String>,
}
