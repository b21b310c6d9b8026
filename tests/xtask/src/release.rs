//! Builds what is measured as it is shipped.

use anyhow::Result;

use crate::{program, workspace};

/// offload itself, and what measures it. All are built at once: alone, each would have other features of its dependencies,
/// and most of them would be compiled anew.
const PROGRAMS: [&str; 3] = ["offload", "plugin_costs", "provider_costs"];

/// Builds the release binaries.
pub fn build() -> Result<()> {
    let mut build = program::cargo(workspace::root());
    build.args(["build", "--release", "--package", "offload", "--package", "offload-tests"]);
    program::run(build.args(PROGRAMS.iter().flat_map(|name| ["--bin", name])))
}
