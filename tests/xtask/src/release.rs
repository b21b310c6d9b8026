//! Builds what is measured as it is shipped.

use anyhow::Result;

use crate::{program, workspace};

/// Builds the release binaries of offload and of `programs`, which measure it. The packages of both are named whatever is
/// built: alone, each would have other features of its dependencies, and most of them would be compiled anew.
pub fn build(programs: &[&str]) -> Result<()> {
    let mut build = program::cargo(workspace::root());
    build.args(["build", "--release", "--package", "offload", "--package", "offload-tests"]);
    program::run(build.args(["--bin", "offload"]).args(programs.iter().flat_map(|name| ["--bin", name])))
}
