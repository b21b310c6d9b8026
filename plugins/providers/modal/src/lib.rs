//! The `modal` provider: sandboxes in the cloud of Modal, made from a Dockerfile.
//!
//! Modal is spoken to by its SDK in Python. One process of it serves the whole run (`helper/`), which a [`bridge`] of the host
//! keeps; what is here says what is asked of it.
//!
//! [`bridge`]: offload_plugin::bridge

#![forbid(unsafe_code)]

mod helper;
mod lines;
mod provider;
mod sandbox;
mod settings;

pub use provider::Modal;
pub use settings::Settings;
