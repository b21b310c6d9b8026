//! Tests of Rust, through cargo-nextest.

use serde::Serialize;

use super::handle::{Framework, Place, TestFramework};
use crate::model::GroupName;

/// The settings of a group of type `cargo`, as in `[groups.<name>]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CargoConfig {
    /// The one package whose tests are meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Features to enable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// The profile of nextest's configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Whether to run tests marked `#[ignore]` too.
    pub include_ignored: bool,
}

/// Finds and runs tests with cargo-nextest.
#[derive(Clone)]
pub struct CargoFramework(Framework);

impl CargoFramework {
    /// The group is called like the framework, and its commands run in the current directory.
    pub fn new(config: CargoConfig) -> Self {
        let settings = crate::plugin::settings_of(&config);
        Self(Framework::new("cargo", GroupName::from("cargo"), settings, Place::default()))
    }
}

impl TestFramework for CargoFramework {
    fn framework(&self) -> &Framework {
        &self.0
    }
}
