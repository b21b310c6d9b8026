//! `offload.lock`: the digests that components had when they were pinned.

use std::{
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{
    error::{ConfigError, Problem},
    plugins::Digest,
};

const HEADING: &str = "# Written by `offload plugin lock`: keep it under version control beside the configuration.\n\n";

/// What components of the configuration must be, byte by byte.
#[derive(Clone, Debug, Default)]
pub struct Pins {
    path: PathBuf,
    digests: IndexMap<String, Digest>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default)]
    plugins: IndexMap<String, Pin>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Pin {
    sha256: String,
}

const VERSION: u32 = 1;

impl Pins {
    /// Those of a configuration file: `offload.lock` of `offload.toml`. Where there is no such file, nothing is pinned.
    pub(super) fn of(config: &Path) -> Result<Self, ConfigError> {
        let none = Self::none(config);
        let path = none.path.clone();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(none),
            Err(error) => return Err(unusable(&path, "cannot be read").caused_by(error)),
        };
        let file: File = toml::from_str(&text).map_err(|error| unusable(&path, error.message()))?;
        if file.version != VERSION {
            let why = format!("has version {}, and this offload knows version {VERSION}", file.version);
            return Err(unusable(&path, &why));
        }
        let digest = |(name, pin): (String, Pin)| match pin.sha256.parse() {
            Ok(digest) => Ok((name, digest)),
            Err(error) => Err(unusable(&path, &format!("has no digest for `{name}`: {error}"))),
        };
        let digests = file.plugins.into_iter().map(digest).collect::<Result<_, _>>()?;
        Ok(Self { path, digests })
    }

    /// No pins at all, for a configuration file.
    pub(super) fn none(config: &Path) -> Self {
        Self { path: config.with_extension("lock"), digests: IndexMap::new() }
    }

    /// The file, whether it exists or not.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn get(&self, plugin: &str) -> Option<Digest> {
        self.digests.get(plugin).copied()
    }

    /// Writes these digests in place of all that were pinned.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn replace(&self, digests: impl IntoIterator<Item = (String, Digest)>) -> std::io::Result<()> {
        let plugins = digests.into_iter().map(|(name, digest)| (name, Pin { sha256: digest.to_string() })).collect();
        let text = toml::to_string(&File { version: VERSION, plugins }).map_err(std::io::Error::other)?;
        // Whole or not at all: what is cut off would pin less than it did.
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut unfinished = tempfile::NamedTempFile::new_in(folder)?;
        unfinished.write_all(HEADING.as_bytes())?;
        unfinished.write_all(text.as_bytes())?;
        std::fs::set_permissions(unfinished.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        unfinished.persist(&self.path)?;
        Ok(())
    }
}

fn unusable(path: &Path, why: &str) -> ConfigError {
    ConfigError::new(
        Problem::new(format!("the pins of plugins in `{}` are not usable: {}", path.display(), why.trim())).with_help(
            "write them anew with `offload plugin lock`, after a look at what changed in version control".to_owned(),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pins(text: Option<&str>) -> Result<Pins, String> {
        let folder = tempfile::tempdir().expect("a temporary directory");
        if let Some(text) = text {
            std::fs::write(folder.path().join("offload.lock"), text).expect("a file");
        }
        Pins::of(&folder.path().join("offload.toml"))
            .map_err(|error| error.to_string().replace(&folder.path().display().to_string(), ""))
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let config = folder.path().join("offload.toml");
        let none = Pins::of(&config).expect("no file is no mistake");
        assert_eq!(none.get("acme"), None);
        none.replace([("acme".to_owned(), Digest::of(b"it"))]).expect("a writable directory");
        assert_eq!(Pins::of(&config).expect("a good file").get("acme"), Some(Digest::of(b"it")));
    }

    #[test]
    fn a_damaged_file_is_no_missing_one() {
        assert!(pins(None).is_ok());
        for (text, expected) in [
            ("", "missing field `version`"),
            ("version = 2", "has version 2, and this offload knows version 1"),
            (
                "version = 1\n[plugins.a]\nsha256 = \"12\"",
                "has no digest for `a`: a SHA-256 digest has 64 hexadecimal digits",
            ),
            ("<<<<<<< HEAD", ""),
        ] {
            let error = pins(Some(text)).map(|_| ()).expect_err(text);
            assert!(error.starts_with("the pins of plugins in `/offload.lock` are not usable: "), "{error}");
            assert!(error.contains(expected), "{error}");
        }
    }
}
