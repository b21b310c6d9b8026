//! What a later call must know of a sandbox.

use offload_plugin::types::Failure;
use serde::{Deserialize, Serialize};

/// A sandbox that `create_command` made; its JSON is the sandbox's id in the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// What `create_command` printed: `{sandbox_id}`.
    pub id: String,
    /// Our own directory in it, which may be on a machine that outlives the sandbox.
    pub scratch: String,
    /// Where its commands run; absent means wherever `exec_command` starts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
}

impl Sandbox {
    pub fn new(id: String, run_id: &str, name: &str, cwd: Option<String>) -> Self {
        Self { id, scratch: format!("/tmp/offload-{run_id}/{name}"), cwd }
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text fields can always be written as JSON")
    }

    /// # Errors
    /// `unknown-sandbox`, for text that [`Sandbox::to_json`] never gave.
    pub fn from_json(json: &str) -> Result<Self, Failure> {
        serde_json::from_str(json).map_err(|error| {
            Failure::new("unknown-sandbox", format!("{json:?} names no sandbox of the default provider: {error}"))
        })
    }

    /// A path in the sandbox; relative ones start from its working directory, where that is known.
    pub fn locate(&self, path: &str) -> String {
        match &self.cwd {
            Some(cwd) if !path.starts_with('/') => format!("{}/{path}", cwd.trim_end_matches('/')),
            _ => path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_holds_everything() {
        let sandbox = Sandbox::new("it's \"one\"\n".to_owned(), "r1", "default-1", Some("/app".to_owned()));
        assert_eq!(Sandbox::from_json(&sandbox.to_json()), Ok(sandbox.clone()));
        assert_eq!(sandbox.scratch, "/tmp/offload-r1/default-1");
        assert!(Sandbox::from_json("sb-1").is_err());
    }

    #[test]
    fn relative_paths_start_from_the_working_directory() {
        let mut sandbox = Sandbox::new("one".to_owned(), "r1", "default-1", Some("/app/".to_owned()));
        assert_eq!(sandbox.locate("junit.xml"), "/app/junit.xml");
        assert_eq!(sandbox.locate("/tmp/x"), "/tmp/x");
        sandbox.cwd = None;
        assert_eq!(sandbox.locate("junit.xml"), "junit.xml");
    }
}
