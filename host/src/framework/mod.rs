//! How tests are found, run and judged: the host's face of a framework component.

pub mod cargo;
mod convert;
pub mod default;
mod discovery;
pub mod go;
mod handle;
mod observation;
pub mod pytest;
mod run;
pub mod vitest;
mod worker;

pub use handle::{Framework, Place, TestFramework};
pub(crate) use observation::{Observation, Reported};
pub(crate) use run::{Context, Plan, Run};
pub(crate) use worker::{Launch, Worker};
