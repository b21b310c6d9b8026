//! Tests of Go, through `go test`.

use serde::Serialize;

use super::handle::{Framework, Place, TestFramework};
use crate::model::GroupName;

/// The settings of a group of type `go`, as in `[groups.<name>]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GoConfig {
    /// The command that is Go; by default `go`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub go: Option<String>,
    /// Packages to test; by default `./...`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
    /// Build tags that are set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// More arguments for `go test`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_args: Vec<String>,
}

/// Finds and runs tests with `go test`.
#[derive(Clone)]
pub struct GoFramework(Framework);

impl GoFramework {
    /// The group is called like the framework, and its commands run in the current directory.
    pub fn new(config: GoConfig) -> Self {
        let settings = crate::plugin::settings_of(&config);
        Self(Framework::new("go", GroupName::from("go"), settings, Place::default()))
    }
}

impl TestFramework for GoFramework {
    fn framework(&self) -> &Framework {
        &self.0
    }
}
