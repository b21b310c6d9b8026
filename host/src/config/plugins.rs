//! `[plugins.<name>]`: a component that does not come with offload, and what it may do.

use std::{collections::BTreeMap, fmt, path::PathBuf, str::FromStr};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{document::Document, error::Problem, pointer};

// The comments on the fields of this file are also what users read below an error.

/// A component and its grants.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PluginConfig {
    /// The file of the component; relative to the configuration file.
    #[serde(default)]
    #[schemars(with = "String", length(min = 1))]
    pub path: Option<PathBuf>,
    /// Where the component is fetched from, once: "https://example.com/acme.wasm".
    #[serde(default)]
    #[schemars(with = "String", length(min = 1))]
    pub url: Option<String>,
    /// The SHA-256 digest that the component must have, as 64 hexadecimal digits.
    #[serde(default)]
    #[schemars(with = "String")]
    pub sha256: Option<String>,
    /// What the component may do besides computing.
    #[serde(default)]
    pub allow: Allow,
    /// How many MiB of memory an instance of it may use.
    #[serde(default = "memory_mb")]
    #[schemars(range(min = 1, max = 4096))]
    pub memory_mb: u32,
    /// How many seconds one call of it may compute; what it waits for is not counted.
    #[serde(default = "call_timeout_secs")]
    #[schemars(range(min = 1, max = 86_400))]
    pub call_timeout_secs: u32,
}

impl PluginConfig {
    /// A component in a file, with the limits of the documentation and without any grant.
    pub fn of_file(path: impl Into<PathBuf>) -> Self {
        Self {
            path: Some(path.into()),
            url: None,
            sha256: None,
            allow: Allow::default(),
            memory_mb: memory_mb(),
            call_timeout_secs: call_timeout_secs(),
        }
    }
}

/// Room for the results of some hundred thousand tests.
fn memory_mb() -> u32 {
    1024
}

fn call_timeout_secs() -> u32 {
    60
}

/// What a component may do besides computing. Nothing, unless it is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Allow {
    /// Programs of this machine that it may run: by name, by absolute path, or with the arguments that must come first.
    #[schemars(inner(length(min = 1)))]
    pub run: Vec<String>,
    /// Variables of the environment that it may read, and that the programs that it runs may have.
    #[schemars(inner(length(min = 1)))]
    pub env: Vec<String>,
    /// Variables that it may set for the programs that it runs, also where they change what those do: PATH, LD_PRELOAD, PYTHONPATH,
    /// NODE_OPTIONS, GIT_DIR and their like.
    #[schemars(inner(length(min = 1)))]
    pub set_env: Vec<String>,
    /// Hosts that it may send HTTP requests to, each as "HOST:PORT".
    #[schemars(inner(length(min = 1)))]
    pub net: Vec<String>,
    /// Directories that it may read; relative to the configuration file.
    #[schemars(inner(length(min = 1)))]
    pub read: Vec<String>,
    /// Directories that it may read and write; relative to the configuration file.
    #[schemars(inner(length(min = 1)))]
    pub write: Vec<String>,
}

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no SHA-256 digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 digest has 64 hexadecimal digits")]
pub struct NoDigest;

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(NoDigest);
        if text.len() != 64 {
            return Err(NoDigest);
        }
        let mut digest = [0; 32];
        for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).map_err(|_| NoDigest)?;
        }
        Ok(Self(digest))
    }
}

/// A host and a port, as `net` grants them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub host: String,
    pub port: u16,
}

impl FromStr for Endpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = text.rsplit_once(':').ok_or("expected HOST:PORT, such as api.example.com:443")?;
        let port = port.parse().map_err(|_| "the port after the colon must be a number up to 65535")?;
        if host.is_empty() || host.contains(['/', '@', ' ', '*']) {
            return Err("expected HOST:PORT, such as api.example.com:443: one host, without a scheme or a path");
        }
        Ok(Self { host: host.to_ascii_lowercase(), port })
    }
}

/// What the schema cannot say of these tables.
pub(super) fn problems(plugins: &BTreeMap<String, PluginConfig>, document: &Document) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, plugin) in plugins {
        let table = pointer::child("/plugins", name);
        let wrong = |at: &str, message: String, label: String| Problem::new(message).at(document.value(at), label);
        match (&plugin.path, &plugin.url) {
            (Some(_), Some(_)) => {
                let at = pointer::child(&table, "url");
                let message = format!("{} has both `path` and `url`", pointer::table(&table));
                problems.push(wrong(&at, message, "one of them is enough".to_owned()));
            }
            (None, None) => problems.push(
                Problem::new(format!("{} has neither `path` nor `url`", pointer::table(&table)))
                    .at(document.key(&table), "says nothing of where the component is")
                    .with_help("add `path = \"FILE.wasm\"`: the file of the component".to_owned()),
            ),
            (None, Some(url)) if !is_web_address(url) => {
                let at = pointer::child(&table, "url");
                let message = format!("{} is no address of the web", pointer::value(&at));
                let label = "must begin with https:// or http://".to_owned();
                problems.push(wrong(&at, message, label));
            }
            (None, Some(_)) | (Some(_), None) => {}
        }
        if let Some(Err(error)) = plugin.sha256.as_ref().map(|text| text.parse::<Digest>()) {
            let at = pointer::child(&table, "sha256");
            let message = format!("{} is no digest: {error}", pointer::value(&at));
            problems.push(
                wrong(&at, message, error.to_string()).with_help(
                    "`offload plugin inspect FILE` prints the digest; `offload plugin lock` pins it in offload.lock"
                        .to_owned(),
                ),
            );
        }
        let list = |key: &str| pointer::child(&pointer::child(&table, "allow"), key);
        for (index, text) in plugin.allow.run.iter().enumerate() {
            let refused = match shell_words::split(text) {
                Err(_) => Some("a quote is not closed"),
                Ok(words) if words.is_empty() => Some("there is no program in it"),
                Ok(words) if words[0].contains('/') && !words[0].starts_with('/') => {
                    Some("a program is named as in PATH, or by its absolute path")
                }
                Ok(_) => None,
            };
            problems.extend(refused.map(|why| item(document, &list("run"), index, "no grant to run a program", why)));
        }
        for (index, text) in plugin.allow.net.iter().enumerate() {
            let refused = text.parse::<Endpoint>().err();
            problems.extend(refused.map(|why| item(document, &list("net"), index, "no host and port", why)));
        }
        for (key, names) in [("env", &plugin.allow.env), ("set_env", &plugin.allow.set_env)] {
            for (index, name) in names.iter().enumerate() {
                let refused = name.contains(['=', '\0', '*']).then_some("expected the name of one variable");
                problems.extend(refused.map(|why| item(document, &list(key), index, "no name of a variable", why)));
            }
        }
    }
    problems
}

fn item(document: &Document, list: &str, index: usize, is: &str, why: &str) -> Problem {
    let at = pointer::child(list, &index.to_string());
    Problem::new(format!("{} is {is}: {why}", pointer::value(&at))).at(document.value(&at), why)
}

fn is_web_address(url: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}

/// In the order of the file.
pub(super) fn in_order(plugins: BTreeMap<String, PluginConfig>, document: &Document) -> IndexMap<String, PluginConfig> {
    let mut plugins: IndexMap<_, _> = plugins.into_iter().collect();
    plugins.sort_by_cached_key(|name, _| document.key(&pointer::child("/plugins", name)).map(|place| place.start));
    plugins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_written() {
        let digest = Digest::of(b"abc");
        // From FIPS 180-2, appendix B.1.
        assert_eq!(digest.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digest.to_string().to_uppercase().parse(), Ok(digest));
        assert_eq!("ba78".parse::<Digest>(), Err(NoDigest));
        assert_eq!("é".repeat(32).parse::<Digest>(), Err(NoDigest));
    }

    #[test]
    fn an_endpoint_is_one_host_and_port() {
        let endpoint = Endpoint { host: "api.acme.dev".to_owned(), port: 443 };
        assert_eq!("API.acme.dev:443".parse(), Ok(endpoint));
        assert_eq!("[::1]:80".parse(), Ok(Endpoint { host: "[::1]".to_owned(), port: 80 }));
        for text in ["api.acme.dev", "api.acme.dev:https", ":80", "https://api.acme.dev:443", "*:443", "a:70000"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
