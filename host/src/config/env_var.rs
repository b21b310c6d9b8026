//! `KEY=VALUE`, as `--env` takes it.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// An environment variable for the sandboxes.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvVar {
    pub name: String,
    pub value: String,
}

/// Why a text is not an environment variable. Never holds the value.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EnvVarError {
    #[error("expected KEY=VALUE, such as DEBUG=1")]
    NoEqualsSign,
    #[error("the name of an environment variable must not be empty, as in DEBUG=1")]
    EmptyName,
    #[error("the name of an environment variable must not hold `=` or a NUL character")]
    BadName,
    #[error("the value of an environment variable must not hold a NUL character")]
    BadValue,
}

impl EnvVar {
    /// Refuses what no operating system would hand to a process.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Result<Self, EnvVarError> {
        let (name, value) = (name.into(), value.into());
        if name.is_empty() {
            return Err(EnvVarError::EmptyName);
        }
        if name.contains(['=', '\0']) {
            return Err(EnvVarError::BadName);
        }
        if value.contains('\0') {
            return Err(EnvVarError::BadValue);
        }
        Ok(Self { name, value })
    }
}

impl FromStr for EnvVar {
    type Err = EnvVarError;

    fn from_str(text: &str) -> Result<Self, EnvVarError> {
        let (name, value) = text.split_once('=').ok_or(EnvVarError::NoEqualsSign)?;
        Self::new(name, value)
    }
}

/// Values may be secrets, and what is printed for debugging ends up in logs.
impl fmt::Debug for EnvVar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_equals_sign_divides() {
        let var: EnvVar = "OPTIONS=a=b c".parse().expect("a variable");
        assert_eq!((var.name.as_str(), var.value.as_str()), ("OPTIONS", "a=b c"));
        assert_eq!("EMPTY=".parse::<EnvVar>().expect("a variable").value, "");
    }

    #[test]
    fn what_is_no_variable_is_refused() {
        assert_eq!("DEBUG".parse::<EnvVar>(), Err(EnvVarError::NoEqualsSign));
        assert_eq!("=1".parse::<EnvVar>(), Err(EnvVarError::EmptyName));
        assert_eq!("A\0=1".parse::<EnvVar>(), Err(EnvVarError::BadName));
        assert_eq!("A=\0".parse::<EnvVar>(), Err(EnvVarError::BadValue));
    }

    #[test]
    fn debugging_shows_no_value() {
        let var: EnvVar = "TOKEN=hunter2".parse().expect("a variable");
        assert_eq!(format!("{var:?}"), "TOKEN=…");
    }
}
