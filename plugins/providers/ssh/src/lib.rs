//! The `ssh` provider: runs tests on hosts that ssh reaches.

#![forbid(unsafe_code)]

mod aftermath;
mod client;
mod complaint;
mod creation;
mod destruction;
mod doctor;
mod environment;
mod fleet;
mod hosts;
mod preparation;
mod provider;
mod reaper;
mod remote;
mod sandbox;
mod script;
mod seats;
mod settings;

pub use provider::Ssh;
pub use settings::Settings;
