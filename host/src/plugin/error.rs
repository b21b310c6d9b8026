//! Why a component could not be used.

use std::cmp::Ordering;
use std::fmt;

use super::locator::Kind;
use super::shape::CONTRACT;
use crate::config::Digest;
use crate::limits::Reached;
use crate::model::Failure;

/// A component failed: which one, in what, and how.
#[derive(Clone, Debug, thiserror::Error)]
pub struct PluginError {
    pub plugin: String,
    /// The function of the contract that was called, or what was being done with the component.
    pub function: &'static str,
    pub kind: PluginErrorKind,
    /// The end of what the component wrote to its standard error.
    pub stderr: String,
}

/// What went wrong with a component.
#[derive(Clone, Debug, PartialEq)]
pub enum PluginErrorKind {
    /// The engine does not run on this machine.
    Engine(String),
    /// No component of that name is known.
    Unknown(Vec<String>),
    /// Its file cannot be read.
    Unreadable(String),
    /// Its address gives nothing that could be read.
    NotFetched { url: String, why: String },
    /// It comes from an address, and nothing says what it has to be.
    Unpinned(String),
    /// It is not the one that was pinned.
    WrongDigest(Box<Mismatch>),
    /// It is something else than WebAssembly.
    NotWasm,
    /// It is WebAssembly, but no component.
    CoreModule,
    /// It is no component, or none that this version can compile.
    Invalid(String),
    /// It was built for another version of the contract, which is this.
    OtherContract(String),
    /// It is for something else than what it is used for.
    OtherKind { wanted: Kind, found: Option<Kind> },
    /// It does not export what its kind must, or needs what this version does not offer.
    Unlinkable(String),
    /// What it says of itself is not what offload can work with.
    Senseless(String),
    /// It panicked or did something forbidden.
    Trapped(String),
    /// It wanted more than so many MiB of memory.
    OutOfMemory(usize),
    /// This machine had no memory for it, or a limit of this process forbids it.
    Starved(Option<Reached>),
    /// It computed for longer than so many seconds.
    TooSlow(f64),
    /// It did not come back within so many seconds.
    Overdue(f64),
    /// It is made of more parts than any component needs.
    TooManyParts,
}

/// A component that is another than it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    pub found: Digest,
    pub expected: Digest,
    /// What says so.
    pub place: &'static str,
}

impl PluginErrorKind {
    fn code(&self) -> &'static str {
        match self {
            Self::Engine(_) => "engine",
            Self::Unknown(_) => "unknown-plugin",
            Self::Unreadable(_) => "unreadable-plugin",
            Self::NotFetched { .. } => "plugin-not-fetched",
            Self::Unpinned(_) => "unpinned-plugin",
            Self::WrongDigest(_) => "wrong-plugin",
            Self::NotWasm | Self::CoreModule | Self::Invalid(_) | Self::Senseless(_) => "invalid-plugin",
            Self::OtherContract(_) | Self::OtherKind { .. } | Self::Unlinkable(_) => "unlinkable-plugin",
            Self::Trapped(_) => "plugin-trapped",
            Self::OutOfMemory(_) => "plugin-out-of-memory",
            Self::TooSlow(_) | Self::Overdue(_) => "plugin-too-slow",
            Self::TooManyParts => "plugin-out-of-memory",
            Self::Starved(_) => "no-memory",
        }
    }

    fn help(&self, plugin: &str) -> String {
        match self {
            Self::Engine(_) => "run offload on x86-64 or arm64, Linux or macOS".into(),
            Self::Unknown(known) => format!("use one of: {}", known.join(", ")),
            Self::Unreadable(_) => format!("correct `path` in [plugins.{plugin}], which starts from the configuration file"),
            Self::NotFetched { .. } => "see whether the address is right and can be reached from this machine".into(),
            Self::Unpinned(_) => "`offload plugin lock` fetches it and pins its digest in offload.lock".into(),
            Self::WrongDigest(_) => {
                "if the change is wanted, look at what changed, then run `offload plugin lock` and correct `sha256`".into()
            }
            Self::NotWasm => "name the `.wasm` file of a component".into(),
            Self::CoreModule => {
                "build it for `wasm32-wasip2`, or turn it into a component with `wasm-tools component new`".into()
            }
            Self::Invalid(_) => "it may be damaged or cut off: build or copy it anew".into(),
            Self::OtherContract(version) => match compare(version, CONTRACT) {
                Ordering::Greater => "use a newer offload, or an older version of the plugin".into(),
                _ => "use a newer version of the plugin, or have its author build it against the contract of this offload".into(),
            },
            Self::OtherKind { found: Some(Kind::Provider), .. } => "a provider is used by `type` in [provider]".into(),
            Self::OtherKind { found: Some(Kind::Framework), .. } => "a framework is used by `type` in [groups.<name>]".into(),
            Self::OtherKind { found: None, .. } => {
                "`offload plugin new` begins one that has what it needs".into()
            }
            Self::Unlinkable(_) => "build the plugin against the contract of this version of offload".into(),
            Self::OutOfMemory(_) => format!(
                "report it to its author as a defect; `memory_mb` in [plugins.{plugin}] is the limit of one that does not come with offload"
            ),
            Self::TooSlow(_) | Self::Overdue(_) => format!(
                "report it to its author as a defect; `call_timeout_secs` in [plugins.{plugin}] is the limit of one that does not come with offload"
            ),
            Self::Starved(Some(reached)) => reached.remedy.clone(),
            Self::Starved(None) => "give it more memory, or lower max_parallel".into(),
            Self::Senseless(_) | Self::Trapped(_) | Self::TooManyParts => "this is a defect of the plugin: report it to its author".into(),
        }
    }
}

/// Versions of which the numbers count.
fn compare(one: &str, other: &str) -> Ordering {
    let numbers = |version: &str| version.split('.').map(|part| part.parse::<u64>().unwrap_or(0)).collect::<Vec<_>>();
    numbers(one).cmp(&numbers(other))
}

impl fmt::Display for PluginErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(reason) => write!(f, "the WebAssembly engine does not start: {reason}"),
            Self::Unknown(_) => write!(f, "there is no such plugin"),
            Self::Unreadable(reason) => write!(f, "its file cannot be read: {reason}"),
            Self::NotFetched { url, why } => write!(f, "it cannot be fetched from {url}: {why}"),
            Self::Unpinned(url) => write!(f, "it comes from {url}, and no digest says what it has to be"),
            Self::WrongDigest(mismatch) => {
                let Mismatch { found, expected, place } = &**mismatch;
                write!(f, "it is not the one that was pinned: its digest is {found}, and {place} says {expected}")
            }
            Self::NotWasm => write!(f, "it is not WebAssembly"),
            Self::CoreModule => write!(f, "it is a core module of WebAssembly, not a component"),
            Self::Invalid(reason) => write!(f, "it cannot be compiled: {reason}"),
            Self::OtherContract(version) => {
                write!(f, "it was built for version {version} of the contract, and this offload speaks {CONTRACT}")
            }
            Self::OtherKind { wanted, found: Some(found) } => {
                write!(f, "it is a {}, not a {}", found.name(), wanted.name())
            }
            Self::OtherKind { found: None, .. } => {
                write!(f, "it exports neither `offload:plugin/provider` nor `offload:plugin/framework`")
            }
            Self::Unlinkable(reason) => write!(f, "it does not fit: {reason}"),
            Self::Senseless(reason) | Self::Trapped(reason) => f.write_str(reason),
            Self::OutOfMemory(most) => write!(f, "it wanted more memory than the {most} MiB that it may use"),
            Self::Starved(Some(reached)) => write!(f, "there is not enough for it: {}", reached.limit),
            Self::Starved(None) => write!(f, "this machine has no memory left for it"),
            Self::Overdue(most) => write!(f, "it did not come back within the {most} s that a call may take"),
            Self::TooManyParts => {
                write!(f, "it is made of more memories, tables or instances than a component may have")
            }
            Self::TooSlow(most) => write!(f, "it computed for longer than the {most} s that a call may take"),
        }
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            // It has not done anything.
            PluginErrorKind::Starved(_) => write!(f, "plugin `{}` cannot be used: {}", self.plugin, self.kind)?,
            _ => write!(f, "plugin `{}` failed in `{}`: {}", self.plugin, self.function, self.kind)?,
        }
        if !self.stderr.is_empty() {
            write!(f, "; it wrote: {}", self.stderr)?;
        }
        Ok(())
    }
}

impl From<PluginError> for Failure {
    fn from(error: PluginError) -> Self {
        Self::new(error.kind.code(), error.to_string()).with_help(error.kind.help(&error.plugin))
    }
}
