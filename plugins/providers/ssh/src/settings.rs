//! What `[provider]` may say with `type = "ssh"`.

use std::collections::BTreeMap;

use offload_plugin::prelude::*;
use offload_plugin::shell;

/// Sandboxes on hosts that ssh reaches.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// The hosts, as ssh takes them: names of its configuration, user@host, user@host:port.
    #[schemars(length(min = 1), inner(regex(pattern = r"^[^-\s]\S*$")))]
    pub hosts: Vec<String>,
    /// How many sandboxes each host has at once; 1 by default.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub slots: u32,
    /// Other numbers of sandboxes for single hosts, by their names in hosts: { "build-2" = 8 }.
    #[serde(default)]
    #[schemars(extend("additionalProperties" = { "type": "integer", "minimum": 1 }))]
    pub slots_on: BTreeMap<String, u32>,
    /// The program that connects, with its first arguments where it needs some; "ssh" by default.
    #[serde(default = "ssh")]
    #[schemars(length(min = 1))]
    pub ssh: String,
    /// Options of ssh as its configuration has them, such as "StrictHostKeyChecking=accept-new".
    #[serde(default)]
    #[schemars(inner(regex(pattern = r"^\w+[= ].+$")))]
    pub options: Vec<String>,
    /// Configuration file of ssh that takes the place of the person's own; relative to working_dir.
    #[schemars(length(min = 1))]
    pub config: Option<String>,
    /// File with the private key to connect with; relative to working_dir.
    #[schemars(length(min = 1))]
    pub identity: Option<String>,
    /// Directory on the hosts in which commands run, relative to the home directory there. It is made if it is missing, it
    /// stays, and all sandboxes of a host share it. By default each sandbox has a private one that goes with it.
    #[schemars(length(min = 1))]
    pub remote_dir: Option<String>,
    /// Directories to bring into each sandbox, as local:remote.
    // They come with each sandbox's specification.
    #[serde(default)]
    #[schemars(inner(regex(pattern = "^.+:.+$")))]
    pub copy_dirs: Vec<String>,
    /// Environment variables of the tests.
    // They come with each sandbox's specification, too.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// How long making a sandbox, or bringing files, may take, in seconds; tests are bounded by test_timeout_secs instead.
    // The host watches this.
    #[schemars(range(min = 1))]
    pub timeout_secs: Option<u64>,
    /// How long connecting to a host may take, in seconds; 10 by default.
    #[serde(default = "ten")]
    #[schemars(range(min = 1))]
    pub connect_timeout_secs: u32,
    /// Directory on this machine in which ssh is started; relative to the working directory of `[offload]`, and by default the
    /// same.
    // The host makes it absolute.
    #[schemars(length(min = 1))]
    pub working_dir: Option<String>,
}

fn one() -> u32 {
    1
}

fn ten() -> u32 {
    10
}

fn ssh() -> String {
    "ssh".to_owned()
}

impl Settings {
    /// Whether the keys agree with each other.
    ///
    /// # Errors
    /// `invalid-settings`, with the key and what is wrong with it.
    pub fn check(&self) -> Result<(), Failure> {
        if let Err(error) = self.ssh_words() {
            return Err(invalid(format!("ssh cannot be split into words: {error}"))
                .with_help("write it as a shell would take it, without variables"));
        }
        for (position, host) in self.hosts.iter().enumerate() {
            if self.hosts[..position].contains(host) {
                return Err(invalid(format!("hosts names {host} twice"))
                    .with_help("give a host more sandboxes with slots or slots_on"));
            }
        }
        if let Some(stranger) = self.slots_on.keys().find(|host| !self.hosts.contains(host)) {
            return Err(invalid(format!("slots_on names {stranger}, which is not among hosts"))
                .with_help(format!("write it as hosts does: {}", self.hosts.join(", "))));
        }
        Ok(())
    }

    /// The program that connects, and its first arguments.
    pub fn ssh_words(&self) -> Result<Vec<String>, String> {
        let words = shell::split(&self.ssh).map_err(|error| error.to_string())?;
        if words.is_empty() { Err("there are none".to_owned()) } else { Ok(words) }
    }

    /// How many sandboxes a host has at once.
    pub fn slots_of(&self, host: &str) -> u32 {
        self.slots_on.get(host).copied().unwrap_or(self.slots)
    }
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new("invalid-settings", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn settings(json: &str) -> Settings {
        offload_plugin::settings::parse(json).expect("the table has all keys")
    }

    #[track_caller]
    fn check_refused(json: &str, expected: &str) {
        let refused = settings(json).check().expect_err("the settings are refused");
        assert_eq!(refused.code, "invalid-settings");
        assert!(refused.message.contains(expected), "{}", refused.message);
        assert!(refused.help.is_some());
    }

    #[test]
    fn hosts_suffice() {
        let settings = settings(r#"{"hosts": ["build-1", "me@build-2:2222"], "slots_on": {"build-1": 4}}"#);
        assert_eq!(settings.check(), Ok(()));
        assert_eq!([settings.slots_of("build-1"), settings.slots_of("me@build-2:2222")], [4, 1]);
        assert_eq!(settings.ssh_words(), Ok(vec!["ssh".to_owned()]));
        assert!(offload_plugin::settings::parse::<Settings>("{}").is_err_and(|no| no.message.contains("hosts")));
    }

    #[test]
    fn contradictions_are_refused() {
        check_refused(r#"{"hosts": ["a", "b", "a"]}"#, "hosts names a twice");
        check_refused(r#"{"hosts": ["a"], "slots_on": {"b": 2}}"#, "slots_on names b");
        check_refused(r#"{"hosts": ["a"], "ssh": "ssh 'x"}"#, "the ' at byte 4 is never closed");
        check_refused(r#"{"hosts": ["a"], "ssh": " "}"#, "there are none");
    }
}
