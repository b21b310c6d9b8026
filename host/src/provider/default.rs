//! Tests wherever the user's own shell commands take them.

use std::path::PathBuf;

use serde::Serialize;

use super::Provider;

/// The settings of the provider `default`, as in `[provider]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DefaultConfig {
    #[serde(skip)]
    pub working_dir: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prepare_command: Option<String>,
    pub create_command: String,
    pub exec_command: String,
    pub destroy_command: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_secs: Option<u64>,
}

/// Runs tests through the commands of its configuration.
#[derive(Clone)]
pub struct DefaultProvider(Provider);

impl DefaultProvider {
    pub fn new(config: DefaultConfig) -> Self {
        let directory = config.working_dir.clone().or_else(|| std::env::current_dir().ok());
        Self(Provider::new("default", crate::plugin::settings_of(&config), directory))
    }
}

impl AsRef<Provider> for DefaultProvider {
    fn as_ref(&self) -> &Provider {
        &self.0
    }
}
