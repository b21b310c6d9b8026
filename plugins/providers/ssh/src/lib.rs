//! The `ssh` provider: runs tests on hosts that ssh reaches.

#![forbid(unsafe_code)]

mod client;
mod complaint;
mod doctor;
mod environment;
mod fleet;
mod hosts;
mod provider;
mod reaper;
mod remote;
mod sandbox;
mod script;
mod seats;
mod settings;

pub use provider::Ssh;
pub use settings::Settings;
