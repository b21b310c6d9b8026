//! The `slurm` provider: a sandbox is an allocation of a Slurm cluster, and its commands are steps in it.

#![forbid(unsafe_code)]

mod allocation;
mod creation;
mod doctor;
mod exec;
mod job;
mod prepare;
mod provider;
mod reaper;
mod sandbox;
mod script;
mod settings;
mod step;
mod trouble;

pub use provider::Slurm;
pub use settings::Settings;
