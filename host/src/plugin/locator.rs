//! Finds the bytes of a component by its kind and name.

use std::borrow::Cow;

use super::embedded;

/// What a component is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Provider,
    Framework,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Provider => "provider-",
            Self::Framework => "framework-",
        }
    }
}

/// The bytes of a component and the hash by which its compiled form is kept.
pub(super) struct Located {
    pub(super) bytes: Cow<'static, [u8]>,
    pub(super) hash: blake3::Hash,
}

/// The names of the components that come with offload.
pub fn built_in_names(kind: Kind) -> Vec<&'static str> {
    embedded::COMPONENTS.iter().filter_map(|component| component.name.strip_prefix(kind.prefix())).collect()
}

pub(super) fn locate(kind: Kind, name: &str) -> Option<Located> {
    let component =
        embedded::COMPONENTS.iter().find(|component| component.name.strip_prefix(kind.prefix()) == Some(name))?;
    Some(Located { bytes: Cow::Borrowed(component.bytes), hash: blake3::Hash::from_bytes(component.hash) })
}
