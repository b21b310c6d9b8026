//! What `prepare` found, as `create` gets it back.

use offload_plugin::types::Failure;
use serde::{Deserialize, Serialize};

/// The hosts that answered; its JSON is the image in the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hosts {
    /// Directory on this machine for the connections of this run.
    pub connections: String,
    /// As `hosts` in the configuration has them.
    pub living: Vec<String>,
}

impl Hosts {
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text fields can always be written as JSON")
    }

    /// # Errors
    /// `not-prepared`, for anything that [`Hosts::to_json`] never gave.
    pub fn from_json(json: Option<&str>) -> Result<Self, Failure> {
        let read = |json| serde_json::from_str(json).map_err(|error| error.to_string());
        json.ok_or_else(|| "there is no image".to_owned())
            .and_then(read)
            .map_err(|why| Failure::new("not-prepared", format!("nothing is known of the hosts: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_holds_everything() {
        let hosts = Hosts { connections: "/tmp/it's".to_owned(), living: vec!["a".to_owned(), "b".to_owned()] };
        assert_eq!(Hosts::from_json(Some(&hosts.to_json())), Ok(hosts));
        assert!(Hosts::from_json(None).is_err());
        assert!(Hosts::from_json(Some("image")).is_err());
    }
}
