//! `offload plugin lock`

use std::path::Path;

use crate::cli::output::{complain, print};
use crate::cli::project;
use crate::config::load_unpinned_config;
use crate::plugin::{self, Source};

/// Pins the digests that the configuration's plugins have now.
pub(super) async fn lock(path: &Path) -> anyhow::Result<u8> {
    let config = load_unpinned_config(path)?;
    project::check_names(&config)?;
    let mut pins = Vec::new();
    for (name, configured) in &config.plugins {
        let Some(source) = Source::configured_as(&config, name) else { continue };
        let digest = tokio::task::spawn_blocking(move || plugin::digest(&source)).await??;
        // What the configuration says itself is for a person to change.
        if let Some(stated) = configured.sha256.as_ref().filter(|stated| stated.parse() != Ok(digest)) {
            complain(&format!(
                "error: plugin `{name}` has the digest {digest}, and `sha256` in [{}] says {stated}: correct that first",
                plugin::table_of(name)
            ));
            return Ok(1);
        }
        let change = match config.pins.get(name) {
            Some(pinned) if pinned == digest => "as before",
            Some(_) => "changed",
            None => "new",
        };
        print(&format!("{name}  {digest}  {change}\n"));
        pins.push((name.clone(), digest));
    }
    if pins.is_empty() && !config.pins.path().exists() {
        print(&format!("{} names no plugins: there is nothing to pin\n", path.display()));
        return Ok(0);
    }
    config.pins.replace(pins)?;
    print(&format!("written to {}\n", config.pins.path().display()));
    Ok(0)
}
