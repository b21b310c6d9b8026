//! How tests are found, run and judged: the host's face of a framework component.

pub mod cargo;
mod convert;
pub mod default;
mod discovery;
mod handle;
pub mod pytest;
mod run;

pub(crate) use convert::nameless;
pub use handle::{Framework, Place, TestFramework};
pub(crate) use run::{Context, Observation, Plan, Reported, Run};
