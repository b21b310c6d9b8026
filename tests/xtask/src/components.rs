//! Components of this workspace as files, compiled as those are that offload embeds.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{program, workspace};

/// Compiles the components of these packages into a folder of their own.
pub fn build<'a>(packages: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut build = program::cargo(workspace::root());
    build.args(["build", "--profile", "plugin", "--target", "wasm32-wasip2", "--target-dir"]).arg(target());
    for package in packages {
        build.args(["--package", package]);
    }
    program::run(&mut build)
}

/// Where the component of a package is.
pub fn file(package: &str) -> PathBuf {
    target().join("wasm32-wasip2/plugin").join(Path::new(&package.replace('-', "_")).with_extension("wasm"))
}

fn target() -> PathBuf {
    workspace::target().join("guests")
}
