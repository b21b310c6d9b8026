//! The `modal` provider: runs tests in sandboxes of Modal.

#![forbid(unsafe_code)]

mod provider;
mod settings;

pub use provider::Modal;
pub use settings::Settings;
