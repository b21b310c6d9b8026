//! The `local` provider: a sandbox is a directory on this machine, and its commands are processes of the host.

#![forbid(unsafe_code)]

mod cgroup;
mod exec;
mod isolation;
mod limits;
mod links;
mod provider;
mod sandbox;
mod script;
mod settings;

pub use isolation::Isolation;
pub use limits::Limits;
pub use provider::Local;
pub use settings::Settings;
