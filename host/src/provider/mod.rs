//! Where tests run: the host's face of a provider component.

mod deadline;
pub mod default;
mod fetch;
mod handle;
pub mod local;
mod sandbox;

pub(crate) use deadline::DEADLINE;
pub use handle::Provider;
pub(crate) use sandbox::transfers;
pub use sandbox::{Sandbox, SandboxSpec};
