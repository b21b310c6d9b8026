//! What discovery built, so that no batch looks again whether all of it is up to date.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::discovery::Listing;

/// The memo of a discovery.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    /// The directory in which this was built: elsewhere, in a copy for example, it is something else.
    pub place: String,
    /// As nextest reads it after `--binaries-metadata`, in one line.
    pub binaries: String,
    /// As nextest reads it after `--cargo-metadata`, in one line.
    pub packages: Option<String>,
    /// What nextest is configured to do, where that is not what the project's own file says.
    #[serde(default)]
    pub config: Option<String>,
}

impl Built {
    /// Nothing, unless nextest says of every binary where it is.
    pub(crate) fn of(listing: &Listing, place: &[u8], packages: Option<&[u8]>, config: Option<String>) -> Option<Self> {
        let text = |bytes| std::str::from_utf8(bytes).ok().map(|text| text.trim_end_matches('\n').to_owned());
        let place = text(place)?;
        let packages = packages.and_then(text).filter(|packages| !packages.contains('\n'));
        let mut binaries = Map::new();
        for (id, suite) in &listing.suites {
            suite.binary.get("binary-path").filter(|path| path.is_string())?;
            binaries.insert(id.clone(), Value::Object(suite.binary.clone()));
        }
        let known = listing.build.is_object() && !binaries.is_empty() && !place.is_empty();
        let binaries = json!({ "rust-build-meta": listing.build, "rust-binaries": binaries });
        known.then(|| Self { place, binaries: binaries.to_string(), packages, config })
    }

    /// What a script reads: a line for the binaries, one for the packages, which may be empty, and the configuration.
    pub fn lines(&self) -> String {
        let packages = self.packages.as_deref().unwrap_or_default();
        format!("{}\n{packages}\n{}", self.binaries, self.config.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(binary: &str, expected: Option<&str>) {
        let listing =
            format!(r#"{{"rust-build-meta": {{"t": 1}}, "rust-suites": {{"p": {{{binary}, "testcases": {{}}}}}}}}"#);
        let listing = serde_json::from_str(&listing).expect("a listing");
        let binaries = Built::of(&listing, b"/here\n", None, None).map(|built| built.binaries);
        assert_eq!(binaries.as_deref(), expected);
    }

    #[test]
    fn binaries_are_those_that_were_listed() {
        check(
            r#""binary-id": "p", "binary-path": "/t/p""#,
            Some(r#"{"rust-binaries":{"p":{"binary-id":"p","binary-path":"/t/p"}},"rust-build-meta":{"t":1}}"#),
        );
        check(r#""binary-id": "p""#, None);
    }
}
