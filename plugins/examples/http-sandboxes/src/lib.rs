//! The provider `http-sandboxes`: sandboxes of a service that is spoken to by HTTP, and by nothing else.
#![forbid(unsafe_code)]

mod exec;
mod provider;
mod service;

pub use provider::{HttpSandboxes, Settings};
