//! `cargo xtask simulate`: a program of the tests' package, since it needs the library.

use anyhow::Result;

use crate::{program, workspace};

/// Builds it with everything else, as the tests do, and runs it.
pub fn run(arguments: &[String]) -> Result<()> {
    let mut cargo = program::cargo(workspace::root());
    program::run(cargo.args(["run", "--quiet", "--bin", "simulate", "--"]).args(arguments))
}
