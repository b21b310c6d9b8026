//! Which cases are measured.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// A part of the names of those that are; all of them without any.
#[derive(Clone, Debug, Default)]
pub struct Only(String);

impl Only {
    pub fn has(&self, case: &str) -> bool {
        case.contains(&self.0)
    }

    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Only {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Only {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
