//! Where offload keeps what outlives a run and belongs to the user, not to a project.

use std::path::PathBuf;

/// Names the folder to use instead of the user's cache folder.
const FOLDER_VARIABLE: &str = "OFFLOAD_CACHE_DIR";

/// `$OFFLOAD_CACHE_DIR`, `$XDG_CACHE_HOME/offload`, `~/Library/Caches/offload` or `~/.cache/offload`.
pub fn caches() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = variable(FOLDER_VARIABLE) {
        return Some(folder);
    }
    let caches = variable("XDG_CACHE_HOME").filter(|path| path.is_absolute()).or_else(|| {
        let home = variable("HOME")?;
        Some(home.join(if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" }))
    })?;
    Some(caches.join("offload"))
}
