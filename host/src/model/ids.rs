//! Names and numbers that must not be mixed up.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

name! {
    /// A test's identity within its group: the framework's own text, never parsed by the host.
    TestId
}
name! {
    /// The `<name>` of `[groups.<name>]`.
    GroupName
}
name! {
    /// A sandbox as the host names it in logs and reports, unique in the run.
    SandboxName
}
name! {
    /// One run of `offload run`; also the label that its sandboxes carry.
    RunId
}

macro_rules! number {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u32);

        impl $name {
            /// The first number is 1, as people count.
            pub const FIRST: Self = Self(1);

            pub fn new(number: u32) -> Self {
                Self(number)
            }

            pub fn get(self) -> u32 {
                self.0
            }

            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

number! {
    /// Which try at one test this is.
    AttemptNumber
}
number! {
    /// One command that runs a list of tests in a sandbox; numbered through the run, and part of its log files' names.
    BatchId
}
