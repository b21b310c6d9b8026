//! Runs a project's tests in parallel across sandboxes and reports one truth.
//!
//! The command `offload` is a thin layer over this library: load a configuration, choose a provider and a framework,
//! discover, create sandboxes, run.

pub mod cli;
pub mod config;
mod foreign_file;
pub mod framework;
pub mod history;
mod limits;
pub mod model;
pub mod orchestrator;
pub mod plugin;
mod presence;
pub mod process;
pub mod provider;
pub mod report;
mod user_folder;
