//! What a component is by its imports and exports, before anything of it runs.

use wasmtime::Engine;
use wasmtime::component::Component;

use super::error::PluginErrorKind;
use super::locator::Kind;

/// The package of the contract, and the version that this offload speaks.
const PACKAGE: &str = "offload:plugin/";
pub const CONTRACT: &str = "0.1.0";

/// The imports and exports of a component by name, such as `offload:plugin/framework@0.1.0`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    pub imports: Vec<String>,
    pub exports: Vec<String>,
}

/// What the first bytes say of a file that is not compiled: nothing if it may be a component.
pub(super) fn refused_at_sight(bytes: &[u8]) -> Option<PluginErrorKind> {
    // The magic number, a version and a layer: 1 and 0 for a core module, 13 and 1 for a component.
    match bytes {
        [b'\0', b'a', b's', b'm', _, _, 1, 0, ..] => None,
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => Some(PluginErrorKind::CoreModule),
        [b'\0', b'a', b's', b'm', ..] => {
            Some(PluginErrorKind::Invalid("its first bytes are of no known format".into()))
        }
        _ => Some(PluginErrorKind::NotWasm),
    }
}

impl Shape {
    pub(super) fn of(engine: &Engine, component: &Component) -> Self {
        let kind = component.component_type();
        Self {
            imports: kind.imports(engine).map(|(name, _)| name.to_owned()).collect(),
            exports: kind.exports(engine).map(|(name, _)| name.to_owned()).collect(),
        }
    }

    /// What it is for; nothing where it is for nothing of offload's.
    pub fn kind(&self) -> Option<Kind> {
        let exports = |interface: &str| self.exports.iter().any(|name| interface_of(name) == Some(interface));
        // One that were both would be used as either.
        if exports("provider") {
            Some(Kind::Provider)
        } else if exports("framework") {
            Some(Kind::Framework)
        } else {
            None
        }
    }

    /// Whether it exports an interface of the contract.
    pub fn exports(&self, interface: &str) -> bool {
        self.exports.iter().any(|name| interface_of(name) == Some(interface))
    }

    /// The version of the contract that it was built for; that of this offload if it has nothing to do with the contract.
    pub fn contract(&self) -> &str {
        let versions = || self.exports.iter().chain(&self.imports).filter_map(|name| version_of(name));
        versions().find(|version| *version != CONTRACT).unwrap_or(CONTRACT)
    }

    /// Why it cannot serve as this, if it cannot.
    pub(super) fn refuse(&self, wanted: Kind) -> Result<(), PluginErrorKind> {
        if self.contract() != CONTRACT {
            return Err(PluginErrorKind::OtherContract(self.contract().to_owned()));
        }
        match self.kind() {
            Some(kind) if kind == wanted => Ok(()),
            found => Err(PluginErrorKind::OtherKind { wanted, found }),
        }
    }
}

/// `framework` of `offload:plugin/framework@0.1.0`.
fn interface_of(name: &str) -> Option<&str> {
    name.strip_prefix(PACKAGE)?.split('@').next()
}

fn version_of(name: &str) -> Option<&str> {
    name.strip_prefix(PACKAGE)?.split_once('@').map(|(_, version)| version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(imports: &[&str], exports: &[&str]) -> Shape {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Shape { imports: names(imports), exports: names(exports) }
    }

    #[test]
    fn exports_say_what_it_is_for() {
        let framework = shape(&["wasi:io/poll@0.2.6"], &["offload:plugin/framework@0.1.0"]);
        assert_eq!(framework.kind(), Some(Kind::Framework));
        assert!(framework.refuse(Kind::Framework).is_ok());
        assert!(matches!(
            framework.refuse(Kind::Provider),
            Err(PluginErrorKind::OtherKind { found: Some(Kind::Framework), .. })
        ));
        assert!(matches!(
            shape(&[], &["wasi:cli/run@0.2.6"]).refuse(Kind::Provider),
            Err(PluginErrorKind::OtherKind { found: None, .. })
        ));
    }

    #[test]
    fn another_version_is_named() {
        let newer = shape(&["offload:plugin/host@0.1.0"], &["offload:plugin/framework@0.2.0"]);
        assert!(
            matches!(newer.refuse(Kind::Framework), Err(PluginErrorKind::OtherContract(version)) if version == "0.2.0")
        );
    }

    #[test]
    fn the_first_bytes_tell_what_is_no_component() {
        assert!(matches!(refused_at_sight(b"\0asm\x01\0\0\0rest"), Some(PluginErrorKind::CoreModule)));
        assert!(matches!(refused_at_sight(b"#!/bin/sh"), Some(PluginErrorKind::NotWasm)));
        assert!(matches!(refused_at_sight(b""), Some(PluginErrorKind::NotWasm)));
        assert!(refused_at_sight(b"\0asm\x0d\0\x01\0rest").is_none());
    }
}
