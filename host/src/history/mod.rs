//! Durations and verdicts of earlier runs, kept in one file between them.
//!
//! What is known of a test's duration says when it should be started; it never says whether it is run. A history that
//! cannot be read or written costs speed, and a line of warning, but no run.

mod commit;
mod database;
mod error;
mod expectations;
mod insight;
mod keep;
mod recorder;
mod schema;

pub use commit::commit_of;
pub use database::{History, Opened};
pub use error::HistoryError;
pub use expectations::Expectations;
pub use insight::{Failing, Flaky, Insight, RunMark, Slow};
pub use recorder::Recorder;
