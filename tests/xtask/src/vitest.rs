//! A `node_modules` for each version of vitest that is tested.

use anyhow::Result;
use serde_json::json;

use crate::{npm, workspace};

/// The oldest major version that offload works with, and the newest that runs on Node 20.
const VERSIONS: [(&str, &str); 2] = [("vitest3", "3.2.7"), ("vitest4", "4.1.12")];

const VITE: &str = "7.3.8";

pub fn with_each_version() -> Result<()> {
    VERSIONS.iter().try_for_each(|(name, version)| {
        let manifest = json!({"private": true, "dependencies": {"vitest": version, "vite": VITE}});
        npm::install(&workspace::target().join(name), &manifest.to_string())
    })
}
