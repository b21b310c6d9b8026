//! What a new plugin may be called: its name is also that of a directory, of a package and of types.

use std::fmt;
use std::str::FromStr;

use crate::plugin::{Kind, built_in_names};

/// Longer ones make paths that some tools cut.
const LONGEST: usize = 64;

/// What a project in Rust is built with, or what Rust knows by itself: a crate of this name would be taken for it.
const CRATES: [&str; 9] =
    ["alloc", "core", "offload-plugin", "proc-macro", "schemars", "serde", "std", "test", "wit-bindgen"];

/// The name of a plugin as `type` in offload.toml says it: `my-runner`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct PluginName(String);

impl PluginName {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// As modules and built files are called: `my_runner`.
    pub(super) fn snake(&self) -> String {
        self.0.replace('-', "_")
    }

    /// As types are called: `MyRunner`.
    pub(super) fn pascal(&self) -> String {
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
        };
        self.0.split('-').map(capital).collect()
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PluginName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if !text.starts_with(|first: char| first.is_ascii_lowercase()) || !text.split('-').all(is_word) {
            return Err("it must be small letters and digits, with single hyphens between, such as my-runner".into());
        }
        if text.len() > LONGEST {
            return Err(format!("it must have at most {LONGEST} characters"));
        }
        if [Kind::Provider, Kind::Framework].into_iter().flat_map(built_in_names).any(|name| name == text) {
            return Err(format!("a plugin that comes with offload has this name: take another, such as my-{text}"));
        }
        if CRATES.contains(&text) {
            return Err(format!("what plugins are built with has this name: take another, such as my-{text}"));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, snake: &str, pascal: &str) {
        let name: PluginName = text.parse().expect("a good name");
        assert_eq!((name.as_str(), name.snake().as_str(), name.pascal().as_str()), (text, snake, pascal));
    }

    #[test]
    fn a_name_has_three_forms() {
        check("tiny", "tiny", "Tiny");
        check("my-runner-2", "my_runner_2", "MyRunner2");
        check("x", "x", "X");
    }

    #[track_caller]
    fn check_refused(text: &str, why: &str) {
        let refusal = text.parse::<PluginName>().expect_err(text);
        assert!(refusal.contains(why), "{text}: {refusal}");
    }

    #[test]
    fn what_cannot_be_a_name_everywhere_is_refused() {
        for text in ["", "-", "a-", "-a", "a--b", "A", "a_b", "a b", "2a", "../a", "a.b", "é"] {
            check_refused(text, "such as my-runner");
        }
        check_refused(&"a".repeat(65), "at most 64 characters");
        check_refused("pytest", "comes with offload has this name: take another, such as my-pytest");
        check_refused("serde", "take another, such as my-serde");
    }
}
