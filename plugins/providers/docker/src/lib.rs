//! The `docker` provider: runs tests in containers of docker or podman.

#![forbid(unsafe_code)]

mod provider;
mod settings;

pub use provider::Docker;
pub use settings::Settings;
