//! The group's table in the configuration.

use offload_plugin::prelude::*;

/// A group of Rust tests.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// The package to test; without it what cargo tests by default in the working directory.
    #[schemars(length(min = 1))]
    pub package: Option<String>,
    /// Features to enable.
    #[serde(default)]
    #[schemars(inner(length(min = 1)))]
    pub features: Vec<String>,
    /// The profile of nextest's configuration; without it the one that the variable NEXTEST_PROFILE names, or "default".
    #[schemars(length(min = 1))]
    pub profile: Option<String>,
    /// Whether to run tests marked `#[ignore]` as well.
    #[serde(default)]
    pub include_ignored: bool,
    /// Directory that the group's commands run in.
    // The host acts on this.
    #[schemars(length(min = 1))]
    pub working_dir: Option<String>,
}

impl Settings {
    /// What tells nextest which tests there are: the same for finding and for running them.
    pub fn selection(&self) -> Vec<String> {
        let mut arguments = self.run_options();
        arguments.extend(self.build_options());
        arguments
    }

    /// What is built, for which nextest has no use once that is done.
    pub fn build_options(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        if let Some(package) = &self.package {
            arguments.extend(["--package".to_owned(), package.clone()]);
        }
        if !self.features.is_empty() {
            arguments.extend(["--features".to_owned(), self.features.join(",")]);
        }
        arguments
    }

    /// What is run of that, and how.
    pub fn run_options(&self) -> Vec<String> {
        let mut arguments = vec!["--color".to_owned(), "never".to_owned()];
        if let Some(profile) = &self.profile {
            arguments.extend(["--profile".to_owned(), profile.clone()]);
        }
        if self.include_ignored {
            arguments.extend(["--run-ignored", "all"].map(str::to_owned));
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        let settings: Settings = offload_plugin::settings::parse(json).expect("the settings are good");
        assert_eq!(settings.selection().join(" "), expected);
    }

    #[test]
    fn selects_what_is_configured() {
        check("{}", "--color never");
        check(r#"{"package": "p", "working_dir": "w"}"#, "--color never --package p");
        check(r#"{"profile": "ci"}"#, "--color never --profile ci");
        check(
            r#"{"features": ["a", "b/c"], "include_ignored": true}"#,
            "--color never --run-ignored all --features a,b/c",
        );
    }
}
