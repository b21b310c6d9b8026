//! Tests of pytest.

use serde::Serialize;

use super::handle::{Framework, Place, TestFramework};
use crate::model::GroupName;

/// The settings of a group of type `pytest`, as in `[groups.<name>]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PytestConfig {
    /// Files and directories to look in; by default what pytest itself would.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// An expression of markers, as of `pytest -m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub markers: Option<String>,
    /// The command that runs Python; by default `python3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// More arguments for pytest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_args: Vec<String>,
}

/// Finds and runs tests with pytest.
#[derive(Clone)]
pub struct PytestFramework(Framework);

impl PytestFramework {
    /// The group is called like the framework, and its commands run in the current directory.
    pub fn new(config: PytestConfig) -> Self {
        let settings = crate::plugin::settings_of(&config);
        Self(Framework::new("pytest", GroupName::from("pytest"), settings, Place::default()))
    }
}

impl TestFramework for PytestFramework {
    fn framework(&self) -> &Framework {
        &self.0
    }
}
