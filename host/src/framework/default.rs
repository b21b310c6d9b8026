//! Tests of anything that a command can list and a command can run.

use serde::Serialize;

use super::handle::{Framework, Place, TestFramework};
use crate::model::GroupName;

/// The settings of a group of type `default`, as in `[groups.<name>]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DefaultConfig {
    /// Prints one id a line, or a JSON array of strings.
    pub discover_command: String,
    /// Runs the tests that `{tests}` stands for.
    pub run_command: String,
    /// The JUnit file that it writes; without one the exit code judges each test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_file: Option<String>,
}

/// Finds and runs tests with the commands of its settings.
#[derive(Clone)]
pub struct DefaultFramework(Framework);

impl DefaultFramework {
    /// The group is called like the framework, and its commands run in the current directory.
    pub fn new(config: DefaultConfig) -> Self {
        let settings = crate::plugin::settings_of(&config);
        Self(Framework::new("default", GroupName::from("default"), settings, Place::default()))
    }
}

impl TestFramework for DefaultFramework {
    fn framework(&self) -> &Framework {
        &self.0
    }
}
