//! The host that loads components.

use std::env;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::framework::FrameworkComponent;
use super::line::Line;
use super::provider::ProviderComponent;
use super::ran::Ran;
use crate::types::{Command, Failure};

/// An offload.
#[derive(Clone, Debug)]
pub struct Host {
    program: PathBuf,
}

impl Default for Host {
    /// The one that the variable `OFFLOAD` names, or the first on the `PATH`.
    fn default() -> Self {
        Self { program: env::var_os("OFFLOAD").map_or_else(|| "offload".into(), Into::into) }
    }
}

impl Host {
    /// The program at this path.
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into() }
    }

    /// Loads a framework's component for a group with this table of settings.
    ///
    /// # Errors
    /// It is no framework, cannot be loaded, or its settings are wrong.
    pub fn framework(&self, component: impl AsRef<Path>, settings: &Value) -> Result<FrameworkComponent, Failure> {
        let (line, loaded) = Line::open(&self.program, component.as_ref(), "framework", settings)?;
        Ok(FrameworkComponent::of(line, loaded))
    }

    /// Loads a provider's component with this table of settings. `answer` says what becomes of each command that it runs on
    /// the host, given what that finds on its standard input.
    ///
    /// # Errors
    /// It is no provider, cannot be loaded, or its settings are wrong.
    pub fn provider(
        &self,
        component: impl AsRef<Path>,
        settings: &Value,
        answer: impl FnMut(&Command, &[u8]) -> Ran + 'static,
    ) -> Result<ProviderComponent, Failure> {
        let (line, loaded) = Line::open(&self.program, component.as_ref(), "provider", settings)?;
        Ok(ProviderComponent::of(line, loaded, Box::new(answer)))
    }
}
