//! The `local` provider: a sandbox is a directory on this machine, and its commands are processes of the host.

#![forbid(unsafe_code)]

mod exec;
mod isolation;
mod provider;
mod sandbox;
mod script;
mod settings;

pub use isolation::Isolation;
pub use provider::Local;
pub use settings::Settings;
