//! `LOCAL:REMOTE`, as `copy_dirs` and `--copy-dir` take it.

use std::{path::PathBuf, str::FromStr};

use thiserror::Error;

/// A directory of this machine and where it goes in a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyDir {
    /// As written; a relative path starts from the configuration's working directory.
    pub local: PathBuf,
    pub remote: String,
}

/// Why a text does not say what to copy where.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CopyDirError {
    #[error("expected LOCAL:REMOTE, such as ./src:/app/src")]
    NoColon,
    #[error("no local directory before the colon; expected LOCAL:REMOTE, such as ./src:/app/src")]
    NoLocal,
    #[error("no directory of the sandbox after the colon; expected LOCAL:REMOTE, such as ./src:/app/src")]
    NoRemote,
    #[error("a path must not hold a NUL character")]
    Nul,
}

/// The first colon divides, as it does for `docker --volume`: the remote path may hold more of them.
impl FromStr for CopyDir {
    type Err = CopyDirError;

    fn from_str(text: &str) -> Result<Self, CopyDirError> {
        let (local, remote) = text.split_once(':').ok_or(CopyDirError::NoColon)?;
        if text.contains('\0') {
            return Err(CopyDirError::Nul);
        }
        if local.is_empty() {
            return Err(CopyDirError::NoLocal);
        }
        if remote.is_empty() {
            return Err(CopyDirError::NoRemote);
        }
        Ok(Self { local: local.into(), remote: remote.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_colon_divides() {
        let expected = CopyDir { local: "./src".into(), remote: "/app/a:b".to_owned() };
        assert_eq!("./src:/app/a:b".parse(), Ok(expected));
    }

    #[test]
    fn both_sides_are_needed() {
        assert_eq!("./src".parse::<CopyDir>(), Err(CopyDirError::NoColon));
        assert_eq!(":/app".parse::<CopyDir>(), Err(CopyDirError::NoLocal));
        assert_eq!("./src:".parse::<CopyDir>(), Err(CopyDirError::NoRemote));
        assert_eq!("./src:\0".parse::<CopyDir>(), Err(CopyDirError::Nul));
    }
}
