//! Runs a project's tests in parallel across sandboxes and reports one truth.

pub mod model;
pub mod plugin;
pub mod process;
