//! pytest for offload: how its tests are discovered, run and judged.
//!
//! Discovery, batches and workers are one `python -c` command: pytest with a plugin of ours (`python/`), which keeps a
//! journal in the attempt's scratch directory or, in a worker, on its standard output. The journal is all that is read;
//! what pytest prints is only quoted when something went wrong.

#![forbid(unsafe_code)]

mod address;
pub mod command;
mod component;
pub mod discovery;
mod ending;
mod journal;
mod mishap;
pub mod results;
pub mod settings;
pub mod worker;

pub use component::Pytest;
pub use offload_plugin::framework::{FinishedRun, ResultFile, RunPlan};
pub use offload_plugin::observer::{Event, UnitListing};
pub use offload_plugin::types::Found;
