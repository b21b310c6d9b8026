//! The engine's command, and what it says when it fails.

use offload_plugin::prelude::*;
use offload_plugin::shell;

use crate::settings::{Settings, invalid};

/// How the engine is started.
#[derive(Clone, Debug)]
pub struct Engine {
    program: Vec<String>,
    working_dir: Option<String>,
}

impl Engine {
    /// # Errors
    /// `invalid-settings`, for a `command` without a program.
    pub fn of(settings: &Settings) -> Result<Self, Failure> {
        let program = shell::split(&settings.command).map_err(|error| {
            invalid(format!("command = {:?} cannot be split into words: {error}", settings.command))
                .with_help("close the quote, or remove it")
        })?;
        if program.is_empty() {
            return Err(invalid("command names no program").with_help("set command = \"docker\" or \"podman\""));
        }
        Ok(Self { program, working_dir: settings.working_dir.clone() })
    }

    /// The engine as a person types it.
    pub fn shown(&self) -> String {
        shell::join(&self.program)
    }

    /// One of its subcommands.
    pub fn command<I>(&self, arguments: I) -> Command
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let argv = self.program.iter().cloned().chain(arguments.into_iter().map(Into::into)).collect();
        Command { argv, env: Vec::new(), cwd: self.working_dir.clone() }
    }

    /// A script of this machine around it.
    pub fn around(&self, script: Command) -> Command {
        Command { cwd: self.working_dir.clone(), ..script }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(command: &str) -> Result<Engine, Failure> {
        let table = serde_json::json!({ "image": "a", "command": command, "working_dir": "/project" });
        Engine::of(&offload_plugin::settings::parse(&table.to_string()).expect("the table is complete"))
    }

    #[test]
    fn commands_follow_the_program_and_its_arguments() {
        let engine = engine("docker --context 'build box'").expect("the command can be split");
        let command = engine.command(["ps", "-a"]);
        assert_eq!(command.argv, ["docker", "--context", "build box", "ps", "-a"]);
        assert_eq!(command.cwd.as_deref(), Some("/project"));
        assert_eq!(engine.shown(), "docker --context 'build box'");
    }

    #[test]
    fn a_command_without_a_program_is_refused() {
        for command in [" ", "docker 'x"] {
            let refused = engine(command).expect_err("it names no program");
            assert_eq!(refused.code, "invalid-settings");
        }
    }
}
