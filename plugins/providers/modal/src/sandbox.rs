//! What a later call must know of a sandbox.

use offload_plugin::types::Failure;
use serde::{Deserialize, Serialize};

/// A sandbox of Modal; its JSON is the sandbox's id in the contract, and what the helper is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// Modal's own.
    pub id: String,
    /// The run that it was made for.
    pub run: String,
    /// The name of its app.
    pub app: String,
    /// Our own directory in it; empty in what was found again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scratch: String,
    /// Where its commands run; absent means where the image says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
}

impl Sandbox {
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text fields can always be written as JSON")
    }

    /// # Errors
    /// `unknown-sandbox`, for text that [`Sandbox::to_json`] never gave.
    pub fn from_json(json: &str) -> Result<Self, Failure> {
        serde_json::from_str(json).map_err(|error| {
            Failure::new("unknown-sandbox", format!("{json:?} names no sandbox of the modal provider: {error}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_holds_everything() {
        let sandbox = Sandbox {
            id: "sb-1".into(),
            run: "r1".into(),
            app: "it's \"mine\"".into(),
            scratch: "/tmp/offload-1".into(),
            directory: Some("/app".into()),
        };
        assert_eq!(Sandbox::from_json(&sandbox.to_json()), Ok(sandbox));
        assert!(Sandbox::from_json("sb-1").is_err());
    }
}
