//! What authors of offload's components build on: the contract's shared types, what the host offers, and the pieces that
//! several components share.
//!
//! A component generates its own exports, with the types of this crate, in a module of its own (`src/bindings.rs`) that
//! allows the `unsafe` of generated code:
//!
//! ```ignore
//! wit_bindgen::generate!({
//!     world: "framework-plugin",
//!     path: "../../../wit",
//!     with: {
//!         "offload:plugin/types@0.1.0": offload_plugin::types,
//!         "offload:plugin/host@0.1.0": offload_plugin::host,
//!     },
//! });
//! ```

mod answers;
mod bindings;
pub mod excerpt;
pub mod junit;
pub mod shell;
pub mod template;

pub use bindings::offload::plugin::{bridge, host, io, process, types};
