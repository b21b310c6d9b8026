//! Finds the bytes of a component, and holds them against what they are said to be.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::{Mismatch, PluginErrorKind};
use super::shape::refused_at_sight;
use super::source::{Configured, Origin, Source};
use super::{embedded, fetch};
use crate::config::Digest;

/// Components of whole language runtimes have some 20 MB; what is much larger is something else.
pub(super) const MOST_BYTES: u64 = 256 << 20;

/// What a component is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Provider,
    Framework,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Framework => "framework",
        }
    }
}

/// The digest of a component as it is now, whatever it should be; fetched anew where it comes from an address.
///
/// # Errors
/// It cannot be read.
pub(super) fn current(source: &Source) -> Result<Digest, PluginErrorKind> {
    match source.origin() {
        Origin::BuiltIn(kind) => built_in(*kind, source.name()).map(|located| Digest::of(&located.bytes())),
        Origin::Configured(configured) => match (&configured.config.path, &configured.config.url) {
            (None, Some(url)) => fetch::unverified(url).map(|bytes| Digest::of(&bytes)),
            (path, _) => {
                let path = path.as_deref().unwrap_or(Path::new(""));
                read(&configured.root.join(path)).map(|bytes| Digest::of(&bytes))
            }
        },
    }
}

/// A component that was found, with the hash by which its compiled form is kept.
pub(super) struct Located {
    contents: Contents,
    pub(super) hash: blake3::Hash,
}

enum Contents {
    Read(Vec<u8>),
    /// One that comes with offload.
    Packed(&'static embedded::Embedded),
}

impl Located {
    fn read(bytes: Vec<u8>) -> Self {
        Self { hash: blake3::hash(&bytes), contents: Contents::Read(bytes) }
    }

    /// The component itself; one that comes with offload is unpacked first.
    pub(super) fn bytes(&self) -> Cow<'_, [u8]> {
        match &self.contents {
            Contents::Read(bytes) => Cow::Borrowed(bytes),
            Contents::Packed(component) => Cow::Owned(component.unpack()),
        }
    }

    pub(super) fn is_built_in(&self) -> bool {
        matches!(self.contents, Contents::Packed(_))
    }

    /// Why it cannot be what it should be, as far as its first bytes tell.
    pub(super) fn refusal(&self) -> Option<PluginErrorKind> {
        match &self.contents {
            Contents::Read(bytes) => refused_at_sight(bytes),
            Contents::Packed(_) => None,
        }
    }
}

/// The names of the components that come with offload, in alphabetical order.
pub fn built_in_names(kind: Kind) -> Vec<&'static str> {
    let name = |component: &embedded::Embedded| component.name.strip_prefix(kind.name())?.strip_prefix('-');
    let mut names: Vec<_> = embedded::COMPONENTS.iter().filter_map(name).collect();
    names.sort_unstable();
    names
}

pub(super) fn locate(source: &Source) -> Result<Located, PluginErrorKind> {
    match source.origin() {
        Origin::BuiltIn(kind) => built_in(*kind, source.name()),
        Origin::Configured(configured) => installed(configured),
    }
}

fn built_in(kind: Kind, name: &str) -> Result<Located, PluginErrorKind> {
    let full = format!("{}-{name}", kind.name());
    let component = embedded::COMPONENTS.iter().find(|component| component.name == full);
    let component = component
        .ok_or_else(|| PluginErrorKind::Unknown(built_in_names(kind).into_iter().map(String::from).collect()))?;
    Ok(Located { contents: Contents::Packed(component), hash: blake3::Hash::from_bytes(component.hash) })
}

fn installed(configured: &Configured) -> Result<Located, PluginErrorKind> {
    let Configured { config, root, pin } = configured;
    let stated = config.sha256.as_ref().and_then(|text| text.parse::<Digest>().ok());
    let bytes = match (&config.path, &config.url) {
        (Some(path), _) => read(&root.join(path))?,
        (None, Some(url)) => {
            let expected = stated.or(*pin).ok_or_else(|| PluginErrorKind::Unpinned(fetch::without_password(url)))?;
            fetch::cached(url, expected)?
        }
        (None, None) => return Err(PluginErrorKind::Unreadable("the configuration names no file".to_owned())),
    };
    let places = [(stated, "`sha256` in offload.toml"), (*pin, "offload.lock")];
    for (expected, place) in places.into_iter().filter_map(|(digest, place)| Some((digest?, place))) {
        let found = Digest::of(&bytes);
        if found != expected {
            return Err(PluginErrorKind::WrongDigest(Box::new(Mismatch { found, expected, place })));
        }
    }
    Ok(Located::read(bytes))
}

/// The bytes of a file that somebody says is a component.
fn read(path: &Path) -> Result<Vec<u8>, PluginErrorKind> {
    let unreadable = |error: std::io::Error| PluginErrorKind::Unreadable(format!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        let text = format!("{} is larger than {} MiB", path.display(), MOST_BYTES >> 20);
        return Err(PluginErrorKind::Unreadable(text));
    }
    Ok(bytes)
}
