//! What `[provider]` may say with `type = "default"`.

use std::collections::BTreeMap;

use offload_plugin::prelude::*;
use offload_plugin::template::mentions;

/// Sandboxes that shell commands make, use and remove.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// Runs once, before the first sandbox; the last line that it prints is the image's id, {image_id} in create_command.
    #[schemars(length(min = 1))]
    pub prepare_command: Option<String>,
    /// Makes one sandbox; the last line that it prints is the sandbox's id, {sandbox_id} in the other commands. {image_id}
    /// stands for what prepare_command printed. OFFLOAD_RUN_ID, OFFLOAD_SANDBOX_NAME and OFFLOAD_SLOT are in its
    /// environment.
    #[schemars(length(min = 1))]
    pub create_command: String,
    /// Runs a command in {sandbox_id}, with its standard input, output, error and exit code. {command} stands for one quoted
    /// word that holds a POSIX command line, as sh -c takes it.
    #[schemars(length(min = 1))]
    pub exec_command: String,
    /// Removes {sandbox_id}; it succeeds if the sandbox is already gone.
    #[schemars(length(min = 1))]
    pub destroy_command: String,
    /// Copies files out of {sandbox_id}; {paths} stands for quoted words of the form remote:local. Without it, files are read
    /// through exec_command.
    #[schemars(length(min = 1))]
    pub download_command: Option<String>,
    /// How long one of these commands may take, in seconds; tests are bounded by test_timeout_secs instead.
    // The host watches this.
    #[schemars(range(min = 1))]
    pub timeout_secs: Option<u64>,
    /// Directories to bring into each sandbox, as local:remote.
    // They come with each sandbox's specification.
    #[serde(default)]
    #[schemars(inner(regex(pattern = "^.+:.+$")))]
    pub copy_dirs: Vec<String>,
    /// Environment variables of the tests, and of these commands.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Directory on this machine in which these commands run; relative to the working directory of `[offload]`, and by
    /// default the same.
    // The host makes it absolute.
    #[schemars(length(min = 1))]
    pub working_dir: Option<String>,
}

impl Settings {
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
        offload_plugin::settings::parse(&serde_json::to_string(&table).expect("text is JSON"))
            .expect("the table has all keys")
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
            offload_plugin::settings::parse::<Settings>(r#"{"create_command": "create"}"#)
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
}
