//! Where things are.

use std::path::{Path, PathBuf};

/// The workspace's root directory.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Where cargo puts what it builds; everything that this program makes is below it, too.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().canonicalize().unwrap_or_else(|_| root().to_owned()).join("target"),
    }
}

/// The release binary.
pub fn release_binary() -> PathBuf {
    target().join("release").join("offload")
}
