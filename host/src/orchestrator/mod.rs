//! From tests and sandboxes to one verdict for each test.

mod artifacts;
mod batch;
mod bonds;
mod catalog;
mod constraints;
mod creation;
mod destruction;
mod dispatch;
mod ledger;
mod lines;
mod memory;
mod news;
mod output;
mod pool;
pub(crate) mod run_tmp;
mod runner;
mod schedule;
pub(crate) mod scratch;
mod settle;
mod shard;
mod signals;
pub mod simulation;
mod stop;
mod units;
mod worker;

pub use pool::SandboxPool;
pub use runner::{Orchestrator, RunError, RunOverrides, RunResult};
