//! The `ssh` provider: runs tests on hosts that ssh reaches.

#![forbid(unsafe_code)]

mod provider;
mod settings;

pub use provider::Ssh;
pub use settings::Settings;
