//! Tests of JavaScript and TypeScript, through vitest.

use serde::Serialize;

use super::handle::{Framework, Place, TestFramework};
use crate::model::GroupName;

/// The settings of a group of type `vitest`, as in `[groups.<name>]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VitestConfig {
    /// Test files, or parts of their paths; by default what vitest itself would take.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// The command that runs vitest; by default `npx --no-install vitest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The configuration file, as `vitest --config`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// The one project whose tests are meant, as `vitest --project`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// More arguments for vitest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_args: Vec<String>,
}

/// Finds and runs tests with vitest.
#[derive(Clone)]
pub struct VitestFramework(Framework);

impl VitestFramework {
    /// The group is called like the framework, and its commands run in the current directory.
    pub fn new(config: VitestConfig) -> Self {
        let settings = crate::plugin::settings_of(&config);
        Self(Framework::new("vitest", GroupName::from("vitest"), settings, Place::default()))
    }
}

impl TestFramework for VitestFramework {
    fn framework(&self) -> &Framework {
        &self.0
    }
}
