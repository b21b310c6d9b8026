//! The vocabulary of a run: what every other part speaks of. Imports nothing of ours.

mod attempt;
mod event;
mod exit_code;
mod expected;
mod failure;
mod ids;
mod mask;
mod shard;
mod summary;
mod test;
mod verdict;

pub use attempt::{Attempt, Outcome, Status};
pub use event::{BatchEnd, Event, NoticeLevel, Stream};
pub use exit_code::ExitCode;
pub use expected::Expected;
pub use failure::Failure;
pub use ids::{AttemptNumber, BatchId, GroupName, RunId, SandboxName, TestId};
pub use mask::{Mask, Masked};
pub use shard::{Shard, ShardError};
pub use summary::Summary;
pub use test::{Discovered, Problem, Test};
pub use verdict::Verdict;
