//! Tests as child processes on this machine.

use std::path::PathBuf;

use serde::Serialize;

use super::Provider;

/// The settings of the provider `local`, as in `[provider]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LocalConfig {
    /// Where commands run; by default in the current directory.
    #[serde(skip)]
    pub working_dir: Option<PathBuf>,
    /// The shell that runs commands; by default `/bin/sh`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    /// `auto`, `copy` or `none`: whether each sandbox works in a private copy of the working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<String>,
}

/// Runs tests as local child processes.
#[derive(Clone)]
pub struct LocalProvider(Provider);

impl LocalProvider {
    pub fn new(config: LocalConfig) -> Self {
        let directory = config.working_dir.clone().or_else(|| std::env::current_dir().ok());
        Self(Provider::new("local", crate::plugin::settings_of(&config), directory))
    }
}

impl AsRef<Provider> for LocalProvider {
    fn as_ref(&self) -> &Provider {
        &self.0
    }
}
