//! The `slurm` provider: runs tests in allocations of a Slurm cluster.

#![forbid(unsafe_code)]

mod provider;
mod settings;

pub use provider::Slurm;
pub use settings::Settings;
