//! What `[provider]` may say with `type = "local"`.

use std::collections::BTreeMap;

use offload_plugin::prelude::*;

use crate::isolation::Isolation;
use crate::limits::Limits;

/// Sandboxes on this machine.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// Directory in which the tests run; relative to the working directory of `[offload]`, and by default the same.
    // The host makes it absolute.
    #[schemars(length(min = 1))]
    pub working_dir: Option<String>,
    /// Shell that runs each command, as `SHELL -c COMMAND_LINE`.
    #[serde(default = "default_shell")]
    #[schemars(length(min = 1))]
    pub shell: String,
    /// Environment variables of the tests, on top of those that offload itself was started with.
    // They come back with every command.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Whether each sandbox works in a private copy of the working directory: only where a group would write the same result
    /// file from several sandboxes (auto), always (copy), or never (none).
    #[serde(default)]
    pub isolation: Isolation,
    /// Whether each sandbox has a temporary directory of its own, as TMPDIR, so that tests that use one fixed name in it do not meet.
    #[serde(default = "yes")]
    pub private_tmp: bool,
    /// What all processes of a sandbox may take together: memory, cpus, processes. By default as much as there is.
    pub limits: Option<Limits>,
}

fn default_shell() -> String {
    "/bin/sh".to_owned()
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_a_default() {
        let settings: Settings = offload_plugin::settings::parse("{}").expect("an empty table is complete");
        assert_eq!(settings.shell, "/bin/sh");
        assert_eq!(settings.working_dir, None);
        assert_eq!(settings.isolation, Isolation::Auto);
        assert!(settings.private_tmp);
    }

    #[test]
    fn reads_what_is_set() {
        let settings = r#"{"shell": "/bin/bash", "isolation": "copy", "env": {"A": "1"}}"#;
        let settings: Settings = offload_plugin::settings::parse(settings).expect("the table is valid");
        assert_eq!(settings.shell, "/bin/bash");
        assert_eq!(settings.isolation, Isolation::Copy);
    }
}
