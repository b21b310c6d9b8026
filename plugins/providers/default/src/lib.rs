//! The `default` provider: the person's own shell commands make sandboxes, run commands in them and remove them.

#![forbid(unsafe_code)]

mod doctor;
mod lifecycle;
mod printed;
mod provider;
mod sandbox;
mod script;
mod settings;

pub use provider::ShellCommands;
pub use settings::Settings;
