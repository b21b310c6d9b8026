//! A provider component under test.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::line::{Line, Loaded};
use super::ran::Ran;
use crate::doctor::Finding;
use crate::provider::{Created, ImageSpec, Prepared, SandboxSpec, Transfer};
use crate::reaper::Leftover;
use crate::types::{Captured, Command, Failure};

/// Says what becomes of each command that a provider runs, given what that finds on its standard input.
pub(super) type Processes = Box<dyn FnMut(&Command, &[u8]) -> Ran>;

/// A provider's component, loaded into the host.
pub struct ProviderComponent {
    line: Line,
    loaded: Loaded,
    answer: Processes,
    commands: Vec<Command>,
}

impl ProviderComponent {
    pub(super) fn of(line: Line, loaded: Loaded, answer: Processes) -> Self {
        Self { line, loaded, answer, commands: Vec::new() }
    }

    /// What it says of itself.
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// What it logged so far: level and message.
    pub fn logged(&self) -> &[(String, String)] {
        self.line.logged()
    }

    /// The commands that it has run on the host so far.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// # Errors
    /// What the component says, or that it wants what it does not ask for among its requests.
    pub fn prepare(&mut self, spec: &ImageSpec) -> Result<Prepared, Failure> {
        self.call("prepare", [spec])
    }

    /// # Errors
    /// As of [`Self::prepare`].
    pub fn create(&mut self, spec: &SandboxSpec) -> Result<Created, Failure> {
        self.call("create", [spec])
    }

    /// Runs a command in a sandbox with this on its standard input.
    ///
    /// # Errors
    /// As of [`Self::prepare`].
    pub fn exec(&mut self, sandbox: &str, command: &Command, stdin: &[u8]) -> Result<Captured, Failure> {
        self.call("exec", (sandbox, "exec-1", command, stdin))
    }

    /// # Errors
    /// As of [`Self::prepare`].
    pub fn cancel(&mut self, sandbox: &str) -> Result<(), Failure> {
        self.call("cancel", (sandbox, "exec-1"))
    }

    /// Returns the remote paths that do not exist.
    ///
    /// # Errors
    /// As of [`Self::prepare`].
    pub fn download(&mut self, sandbox: &str, files: &[Transfer]) -> Result<Vec<String>, Failure> {
        self.call("download", (sandbox, files))
    }

    /// # Errors
    /// As of [`Self::prepare`].
    pub fn destroy(&mut self, sandboxes: &[&str]) -> Result<(), Failure> {
        self.call("destroy", [sandboxes])
    }

    /// Of a [`Reaper`](crate::reaper::Reaper).
    ///
    /// # Errors
    /// As of [`Self::prepare`].
    pub fn leftovers(&mut self) -> Result<Vec<Leftover>, Failure> {
        self.call("leftovers", [(); 0])
    }

    /// Of a [`Doctor`](crate::doctor::Doctor).
    ///
    /// # Errors
    /// As of [`Self::prepare`].
    pub fn examine(&mut self) -> Result<Vec<Finding>, Failure> {
        self.call("examine", [(); 0])
    }

    fn call<T: DeserializeOwned>(&mut self, function: &str, parameters: impl Serialize) -> Result<T, Failure> {
        let Self { line, answer, commands, .. } = self;
        line.call(function, parameters, &mut |command, stdin| {
            commands.push(command.clone());
            answer(command, stdin)
        })
    }
}
