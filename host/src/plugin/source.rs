//! Where a component comes from.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::locator::Kind;
use super::store::Limits;
use crate::config::{Config, Digest, PluginConfig};

/// A component by the name that `type` uses: one that comes with offload, or one of the configuration.
#[derive(Clone, Debug)]
pub struct Source {
    name: Arc<str>,
    origin: Origin,
}

#[derive(Clone, Debug)]
pub(super) enum Origin {
    BuiltIn(Kind),
    Configured(Arc<Configured>),
}

/// A component that the configuration names.
#[derive(Debug)]
pub(super) struct Configured {
    pub(super) config: PluginConfig,
    /// Where relative paths start from.
    pub(super) root: PathBuf,
    /// What `offload.lock` says of it.
    pub(super) pin: Option<Digest>,
}

impl Source {
    /// A component that comes with offload.
    pub fn built_in(kind: Kind, name: &str) -> Self {
        Self { name: name.into(), origin: Origin::BuiltIn(kind) }
    }

    /// What a configuration calls by this name where it wants one of this kind.
    pub fn of(config: &Config, kind: Kind, name: &str) -> Self {
        Self::configured_as(config, name).unwrap_or_else(|| Self::built_in(kind, name))
    }

    /// The component of `[plugins.<name>]`.
    pub fn configured_as(config: &Config, name: &str) -> Option<Self> {
        let plugin = config.plugins.get(name)?;
        Some(Self::configured(name, plugin.clone(), &config.root, config.pins.get(name)))
    }

    /// The component in a file, without any grant; it is called as the file is.
    pub fn file(path: &Path) -> Self {
        let name = path.file_stem().map_or_else(|| "plugin".into(), |stem| stem.to_string_lossy());
        Self::configured(&name, PluginConfig::of_file(path), Path::new(""), None)
    }

    fn configured(name: &str, config: PluginConfig, root: &Path, pin: Option<Digest>) -> Self {
        let configured = Configured { config, root: root.to_owned(), pin };
        Self { name: name.into(), origin: Origin::Configured(Arc::new(configured)) }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_built_in(&self) -> bool {
        matches!(self.origin, Origin::BuiltIn(_))
    }

    pub(super) fn shared_name(&self) -> Arc<str> {
        self.name.clone()
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn limits(&self) -> Limits {
        match &self.origin {
            Origin::BuiltIn(_) => Limits::default(),
            Origin::Configured(configured) => {
                let seconds = Duration::from_secs(configured.config.call_timeout_secs.into());
                Limits { memory: configured.config.memory_mb as usize * (1 << 20), compute: seconds, call: seconds }
            }
        }
    }
}
