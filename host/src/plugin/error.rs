//! Why a component could not be used.

use std::fmt;

use crate::model::Failure;

/// A component failed: which one, in what, and how.
#[derive(Clone, Debug, thiserror::Error)]
pub struct PluginError {
    pub plugin: String,
    /// The function of the contract that was called, or what was being done with the component.
    pub function: &'static str,
    pub kind: PluginErrorKind,
    /// The end of what the component wrote to its standard error.
    pub stderr: String,
}

/// What went wrong with a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginErrorKind {
    /// The engine does not run on this machine.
    Engine(String),
    /// No component of that name is known.
    Unknown(Vec<String>),
    /// It is no component, or none that this version can compile.
    Invalid(String),
    /// It does not export what its kind must, or needs what this version does not offer.
    Unlinkable(String),
    /// It panicked or did something forbidden.
    Trapped(String),
    OutOfMemory,
    TooSlow,
}

impl PluginErrorKind {
    fn code(&self) -> &'static str {
        match self {
            Self::Engine(_) => "engine",
            Self::Unknown(_) => "unknown-plugin",
            Self::Invalid(_) => "invalid-plugin",
            Self::Unlinkable(_) => "unlinkable-plugin",
            Self::Trapped(_) => "plugin-trapped",
            Self::OutOfMemory => "plugin-out-of-memory",
            Self::TooSlow => "plugin-too-slow",
        }
    }

    fn help(&self) -> String {
        match self {
            Self::Engine(_) => "run offload on x86-64 or arm64, Linux or macOS".into(),
            Self::Unknown(known) => format!("use one of: {}", known.join(", ")),
            Self::Invalid(_) => "build the plugin as a component, for example for `wasm32-wasip2`".into(),
            Self::Unlinkable(_) => "build the plugin against the contract of this version of offload".into(),
            Self::Trapped(_) | Self::OutOfMemory | Self::TooSlow => {
                "this is a defect of the plugin: report it to its author".into()
            }
        }
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin `{}` failed in `{}`: ", self.plugin, self.function)?;
        match &self.kind {
            PluginErrorKind::Engine(reason) => write!(f, "the WebAssembly engine does not start: {reason}")?,
            PluginErrorKind::Unknown(_) => write!(f, "there is no such plugin")?,
            PluginErrorKind::Invalid(reason) => write!(f, "it cannot be compiled: {reason}")?,
            PluginErrorKind::Unlinkable(reason) => write!(f, "it does not fit: {reason}")?,
            PluginErrorKind::Trapped(reason) => write!(f, "{reason}")?,
            PluginErrorKind::OutOfMemory => write!(f, "it used more memory than a plugin may")?,
            PluginErrorKind::TooSlow => write!(f, "it computed for longer than a plugin may")?,
        }
        if !self.stderr.is_empty() {
            write!(f, "; it wrote: {}", self.stderr)?;
        }
        Ok(())
    }
}

impl From<PluginError> for Failure {
    fn from(error: PluginError) -> Self {
        Self::new(error.kind.code(), error.to_string()).with_help(error.kind.help())
    }
}
