//! Everything that happens in a run, in the order in which one dispatcher put it.

use std::sync::Arc;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{Attempt, BatchId, ExitCode, Failure, GroupName, RunId, SandboxName, Shard, Summary, Test, Verdict};

/// One thing that happened. The ledger and every report are functions of a run's events.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    RunStarted {
        run_id: RunId,
        version: &'static str,
        /// RFC 3339, UTC.
        started: String,
        provider: String,
        max_parallel: usize,
    },
    DiscoveryStarted {
        group: GroupName,
    },
    TestDiscovered {
        #[serde(flatten)]
        test: Arc<Test>,
    },
    DiscoveryFinished {
        group: GroupName,
        tests: usize,
        problems: usize,
        seconds: f64,
    },
    /// Only a part of the group's tests is this run's.
    Sharded {
        group: GroupName,
        shard: Shard,
        /// How many tests all shards have together.
        tests: usize,
        /// The same for all shards of one plan, and only for those.
        plan: String,
    },
    /// A group of several could not be discovered at all; it gets an error result of its own.
    DiscoveryFailed {
        group: GroupName,
        failure: Failure,
    },
    SandboxUp {
        sandbox: SandboxName,
        seconds: f64,
    },
    SandboxFailed {
        sandbox: SandboxName,
        failure: Failure,
        /// Whether another one is created in its place.
        replaced: bool,
    },
    BatchStarted {
        batch: BatchId,
        sandbox: SandboxName,
        group: GroupName,
        tests: usize,
    },
    /// A process that takes tests while it runs; it ends as a batch does.
    WorkerStarted {
        batch: BatchId,
        sandbox: SandboxName,
        group: GroupName,
    },
    /// A framework that streams says that a test has begun.
    TestStarted {
        #[serde(flatten, serialize_with = "by_id")]
        test: Arc<Test>,
        sandbox: SandboxName,
    },
    Attempted {
        #[serde(flatten, serialize_with = "by_id")]
        test: Arc<Test>,
        attempt: Attempt,
        /// Whether another attempt follows.
        retried: bool,
    },
    BatchEnded {
        batch: BatchId,
        sandbox: SandboxName,
        seconds: f64,
        #[serde(flatten)]
        end: BatchEnd,
        /// Tests that go back to be handed out again.
        returned: usize,
    },
    /// A process of the framework counted so many warnings.
    Warned {
        sandbox: SandboxName,
        group: GroupName,
        count: u32,
    },
    /// A test failed where its file was taken apart, and passed after the tests that precede it in its file: it relies on them,
    /// and the file is not taken apart again.
    ReliesOnOrder {
        #[serde(flatten, serialize_with = "by_id")]
        test: Arc<Test>,
    },
    /// The final word on a test.
    Judged {
        #[serde(flatten, serialize_with = "by_id")]
        test: Arc<Test>,
        verdict: Verdict,
    },
    Notice {
        level: NoticeLevel,
        message: String,
    },
    /// A whole line that a test command printed; only streamed, kept in `logs/` rather than among the events.
    Output {
        sandbox: SandboxName,
        stream: Stream,
        line: String,
    },
    RunFinished {
        exit_code: ExitCode,
        seconds: f64,
        summary: Summary,
    },
}

/// How a batch's command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "ended", rename_all = "kebab-case")]
pub enum BatchEnd {
    Exited {
        code: i32,
    },
    Signalled {
        signal: i32,
    },
    TimedOut,
    /// The run stopped or was interrupted.
    Cancelled,
    /// It cannot be run, or judged, as one: its tests are handed out in smaller batches.
    Split {
        reason: String,
    },
    /// The provider or the framework could not do its part.
    Failed {
        failure: Failure,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeLevel {
    Info,
    Warning,
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    /// As file names and the contract with plugins have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// A test that was described before is named by group and id.
fn by_id<S: Serializer>(test: &Arc<Test>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut name = serializer.serialize_struct("test", 2)?;
    name.serialize_field("group", &test.group)?;
    name.serialize_field("id", &test.id)?;
    name.end()
}
