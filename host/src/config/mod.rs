//! The configuration file: what it may say, what it means, and where in it a mistake is.

mod artifact_glob;
mod check;
mod copy_dir;
mod document;
mod env_var;
mod error;
mod explain;
mod load;
mod pins;
mod plugins;
mod pointer;
mod redaction;
mod schema;
mod suggestion;
mod tables;
#[cfg(test)]
mod tests;
mod variables;

pub use artifact_glob::ArtifactGlob;
pub use check::check_table;
pub use copy_dir::{CopyDir, CopyDirError};
pub use env_var::{EnvVar, EnvVarError};
pub use error::ConfigError;
pub use load::{load_config, load_unpinned_config};
pub use pins::Pins;
pub use plugins::{Allow, Digest, Endpoint, NoDigest, PluginConfig};
pub use schema::{
    Config, GroupConfig, HistoryConfig, OffloadConfig, ProviderConfig, ReportConfig, SandboxConfig, Split,
};
