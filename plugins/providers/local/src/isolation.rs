//! When sandboxes share the working directory, and when each has a private copy of it.

use offload_plugin::prelude::*;

/// The `isolation` key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// A copy for each sandbox if the run needs it.
    #[default]
    Auto,
    /// A copy for each sandbox.
    Copy,
    /// No copies.
    None,
}

impl Isolation {
    /// Whether a sandbox gets a copy, given what the run needs and how many sandboxes live beside it.
    ///
    /// # Errors
    /// `not-isolated`, where the run needs copies and the person forbade them. One sandbox alone shares with nobody.
    pub fn private_copy(self, isolated: bool, slot: u32) -> Result<bool, Failure> {
        match self {
            Self::Copy => Ok(true),
            Self::Auto => Ok(isolated),
            Self::None if isolated && slot > 0 => Err(Failure::new(
                "not-isolated",
                "a second sandbox would write the same result file as the first one, since isolation is \"none\"",
            )
            .with_help("use {result_file} in run_command, isolation = \"auto\", or max_parallel = 1")),
            Self::None => Ok(false),
        }
    }

    /// Whether directories given on the command line go into the working directory itself, once. They do unless every
    /// sandbox is known to have a copy; with "auto", copies are made later and hold them then.
    pub fn shares_working_dir(self) -> bool {
        self != Self::Copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(isolation: Isolation, isolated: bool, slot: u32, expected: Option<bool>) {
        assert_eq!(isolation.private_copy(isolated, slot).ok(), expected);
    }

    #[test]
    fn copies_only_where_needed_or_asked_for() {
        check(Isolation::Auto, false, 3, Some(false));
        check(Isolation::Auto, true, 0, Some(true));
        check(Isolation::Copy, false, 0, Some(true));
        check(Isolation::None, false, 3, Some(false));
    }

    #[test]
    fn refuses_to_share_what_must_not_be_shared() {
        check(Isolation::None, true, 0, Some(false));
        check(Isolation::None, true, 1, None);
        let refused = Isolation::None.private_copy(true, 1).expect_err("the second sandbox is refused");
        assert_eq!(refused.code, "not-isolated");
        assert!(!refused.retryable);
    }
}
