//! What a later call must know of a sandbox.

use std::collections::BTreeMap;

use offload_plugin::types::Failure;
use serde::{Deserialize, Serialize};

/// The variable by which the processes of a sandbox are found: its value is the sandbox's directory.
const MARK: &str = "OFFLOAD_SSH_SANDBOX";

/// A sandbox on a host; its JSON is the sandbox's id in the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// As `hosts` in the configuration has it.
    pub host: String,
    /// Our own directory there.
    pub scratch: String,
    /// Where its commands run.
    pub work: String,
    /// The connection that this run has to the host, if this run made the sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<Connection>,
    /// Variables that are in a file there, each with the digest of its value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stored: BTreeMap<String, u64>,
}

/// A connection that the commands of a run share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Directory on this machine for the connections of the run.
    pub directory: String,
    /// The host's position in `hosts` of the configuration.
    pub position: usize,
}

impl Connection {
    /// Where the process that holds the connection listens.
    pub fn socket(&self) -> String {
        format!("{}/{}.socket", self.directory, self.position)
    }

    /// Where ssh writes what it has to say.
    pub fn log(&self) -> String {
        format!("{}/{}.log", self.directory, self.position)
    }
}

impl Sandbox {
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text fields can always be written as JSON")
    }

    /// # Errors
    /// `unknown-sandbox`, for text that [`Sandbox::to_json`] never gave.
    pub fn from_json(json: &str) -> Result<Self, Failure> {
        serde_json::from_str(json).map_err(|error| {
            Failure::new("unknown-sandbox", format!("{json:?} names no sandbox of the ssh provider: {error}"))
        })
    }

    /// What every process in it has in its environment.
    pub fn mark(&self) -> String {
        format!("{MARK}={}", self.scratch)
    }

    /// As people find it.
    pub fn place(&self) -> String {
        format!("{}:{}", self.host, self.scratch)
    }

    /// A path in the sandbox; relative ones start from where its commands run.
    pub fn locate(&self, path: &str) -> String {
        if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.work.trim_end_matches('/')) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sandbox() -> Sandbox {
        Sandbox {
            host: "me@build-1".to_owned(),
            scratch: "/tmp/it's \"one\"\n".to_owned(),
            work: "/app/".to_owned(),
            connection: Some(Connection { directory: "/tmp/c".to_owned(), position: 2 }),
            stored: [("TOKEN".to_owned(), 7)].into(),
        }
    }

    #[test]
    fn json_holds_everything() {
        assert_eq!(Sandbox::from_json(&sandbox().to_json()), Ok(sandbox()));
        assert!(Sandbox::from_json("sb-1").is_err());
    }

    #[test]
    fn relative_paths_start_where_commands_run() {
        assert_eq!(sandbox().locate("junit.xml"), "/app/junit.xml");
        assert_eq!(sandbox().locate("/tmp/x"), "/tmp/x");
    }
}
