//! The `docker` provider: runs tests in containers of docker or podman.

#![forbid(unsafe_code)]

mod container;
mod doctor;
mod engine;
mod exec;
mod image;
mod leftovers;
mod mounts;
mod provider;
mod removal;
mod sandbox;
mod settings;
mod state;
mod trouble;

pub use provider::Docker;
pub use settings::Settings;
