//! What `[provider]` may say with `type = "default"`.

use std::collections::BTreeMap;

use offload_plugin::template::mentions;
use offload_plugin::types::Failure;
use serde::Deserialize;

/// JSON Schema of the table.
pub const SCHEMA: &str = include_str!("settings.schema.json");

/// The keys that this provider acts on. The host merges `copy_dirs` into each sandbox's specification and watches
/// `timeout_secs`.
#[derive(Debug, Deserialize)]
pub struct Settings {
    #[serde(default)]
    pub prepare_command: Option<String>,
    pub create_command: String,
    pub exec_command: String,
    pub destroy_command: String,
    #[serde(default)]
    pub download_command: Option<String>,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Absolute, as the host resolved it; absent means the host's own directory.
    #[serde(default)]
    pub working_dir: Option<String>,
}

impl Settings {
    /// Reads the table as the host gives it.
    ///
    /// # Errors
    /// `invalid-settings`, where the table does not have the shape that [`SCHEMA`] describes.
    pub fn parse(json: &str) -> Result<Self, Failure> {
        serde_json::from_str(json)
            .map_err(|error| invalid(format!("the settings of the default provider could not be read: {error}")))
    }

    /// Whether the commands say what no run can do without.
    ///
    /// # Errors
    /// `invalid-settings`, with the key and what it lacks.
    pub fn check(&self) -> Result<(), Failure> {
        check_word("exec_command", &self.exec_command, "command", "the command line to run, as one quoted word")?;
        if let Some(download_command) = &self.download_command {
            check_word(
                "download_command",
                download_command,
                "paths",
                "the files to copy, as quoted remote:local words",
            )?;
        }
        if mentions(&self.create_command, "image_id") && self.prepare_command.is_none() {
            return Err(invalid("create_command mentions {image_id}, but there is no prepare_command to print one")
                .with_help("set prepare_command, or write the image's name into create_command"));
        }
        Ok(())
    }
}

/// Whether a command has the placeholder that it is about, and leaves its quoting to us.
fn check_word(key: &str, template: &str, name: &str, meaning: &str) -> Result<(), Failure> {
    if !mentions(template, name) {
        return Err(invalid(format!("{key} lacks {{{name}}}")).with_help(format!("{{{name}}} stands for {meaning}")));
    }
    let is_quoted = ['"', '\''].iter().any(|quote| template.contains(&format!("{quote}{{{name}}}{quote}")));
    if is_quoted {
        return Err(invalid(format!("{key} has {{{name}}} between quotes")).with_help(format!(
            "remove the quotes: {{{name}}} stands for {meaning}, and they would undo its quoting"
        )));
    }
    Ok(())
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new("invalid-settings", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMANDS: [(&str, &str); 3] = [
        ("create_command", "create"),
        ("exec_command", "exec {sandbox_id} {command}"),
        ("destroy_command", "destroy {sandbox_id}"),
    ];

    fn settings(changes: &[(&str, &str)]) -> Settings {
        let table: BTreeMap<&str, &str> = COMMANDS.iter().chain(changes).copied().collect();
        Settings::parse(&serde_json::to_string(&table).expect("text is JSON")).expect("the table has all keys")
    }

    #[track_caller]
    fn check_refused(changes: &[(&str, &str)], words: &[&str]) {
        let refused = settings(changes).check().expect_err("the settings are refused");
        assert_eq!(refused.code, "invalid-settings");
        assert!(words.iter().all(|word| refused.message.contains(word)), "{}", refused.message);
        assert!(refused.help.is_some());
    }

    #[test]
    fn three_commands_suffice() {
        assert_eq!(settings(&[]).check(), Ok(()));
        assert!(
            Settings::parse(r#"{"create_command": "create"}"#)
                .is_err_and(|refused| refused.message.contains("exec_command"))
        );
    }

    #[test]
    fn a_single_machine_needs_no_sandbox_id() {
        assert_eq!(settings(&[("exec_command", "ssh host {command}"), ("destroy_command", "true")]).check(), Ok(()));
    }

    #[test]
    fn says_which_placeholder_is_missing_where() {
        check_refused(&[("exec_command", "exec {sandbox_id}")], &["exec_command", "{command}"]);
        check_refused(&[("exec_command", "exec ${command}")], &["exec_command", "{command}"]);
        check_refused(&[("download_command", "get {sandbox_id}")], &["download_command", "{paths}"]);
        check_refused(&[("create_command", "create {image_id}")], &["create_command", "prepare_command", "{image_id}"]);
        assert_eq!(settings(&[("create_command", "create {image_id}"), ("prepare_command", "p")]).check(), Ok(()));
    }

    #[test]
    fn refuses_quotes_around_what_is_quoted_already() {
        check_refused(&[("exec_command", "ssh host \"{command}\"")], &["exec_command", "quotes"]);
        check_refused(&[("download_command", "get '{paths}'")], &["download_command", "quotes"]);
    }

    #[test]
    fn the_schema_is_json_and_describes_every_key() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
        let properties = schema["properties"].as_object().expect("the schema has properties");
        assert!(properties.values().all(|property| property["description"].is_string()));
        assert_eq!(schema["additionalProperties"], false);
    }
}
