//! `process`: commands on the host.

use wasmtime::component::Resource;

use super::io::SharedStdio;
use crate::limits;
use crate::model;
use crate::plugin::bindings::imports::process;
use crate::plugin::bindings::imports::types::{Captured, Command, Exit, Failure};
use crate::plugin::rights::Denial;
use crate::plugin::scripted::{self, Processes};
use crate::plugin::store::State;
use crate::process as host_process;

impl process::Host for State {
    async fn run(&mut self, command: Command, stdio: Resource<SharedStdio>) -> wasmtime::Result<Result<Exit, Failure>> {
        let streams = self.table.get(&stdio)?.streams();
        let mut streams = streams.lock().await;
        let command = match self.rights.command(command) {
            Ok(command) => command,
            Err(denial) => return Ok(Err(self.deny(denial))),
        };
        let exit = match &self.processes {
            Processes::Real => {
                host_process::run(&command, &mut streams).await.map_err(|error| could_not_start(&command, &error))
            }
            Processes::Scripted(script) => {
                scripted::answer(&**script, &command, &mut streams).await.map_err(Failure::from)
            }
        };
        Ok(exit.map(Exit::from))
    }

    async fn capture(&mut self, command: Command, stdin: Vec<u8>) -> wasmtime::Result<Result<Captured, Failure>> {
        let command = match self.rights.command(command) {
            Ok(command) => command,
            Err(denial) => return Ok(Err(self.deny(denial))),
        };
        let captured = match &self.processes {
            Processes::Real => {
                host_process::capture(&command, stdin).await.map_err(|error| could_not_start(&command, &error))
            }
            Processes::Scripted(script) => script.answer(&command, &stdin).map_err(Failure::from),
        };
        Ok(captured.map(Captured::from))
    }
}

impl State {
    pub(super) fn deny(&self, denial: Denial) -> Failure {
        self.denied.note(denial.clone());
        model::Failure::from(denial).into()
    }
}

pub(super) fn could_not_start(command: &host_process::Command, error: &std::io::Error) -> Failure {
    let program = command.argv.first().map_or("", String::as_str);
    // The kernel reports a missing working directory as if the program were missing.
    let missing = command.cwd.as_ref().filter(|cwd| !cwd.is_dir());
    let (code, message, help) = if error.kind() == std::io::ErrorKind::ArgumentListTooLong {
        ("argument-list-too-long", format!("the arguments of `{program}` are too long for this system"), None)
    } else if let Some(cwd) = missing {
        let help = "create it, or correct `working_dir`".to_owned();
        ("no-directory", format!("the working directory {} does not exist", cwd.display()), Some(help))
    } else if error.kind() == std::io::ErrorKind::StorageFull {
        let help = "make room where the reports and temporary files (TMPDIR) are".to_owned();
        ("disk-full", format!("`{program}` was not run to its end: {error}"), Some(help))
    } else {
        let help = format!("check that `{program}` is installed and in PATH");
        ("not-started", format!("cannot run `{program}`: {error}"), Some(help))
    };
    limits::explain(model::Failure { code: code.into(), message, help, retryable: false }).into()
}

impl From<model::Failure> for Failure {
    fn from(failure: model::Failure) -> Self {
        let model::Failure { code, message, help, retryable } = failure;
        Self { code, message, help, retryable }
    }
}

impl From<host_process::Exit> for Exit {
    fn from(exit: host_process::Exit) -> Self {
        match exit {
            host_process::Exit::Code(code) => Self::Code(code),
            host_process::Exit::Signal(signal) => Self::Signal(signal),
        }
    }
}

impl From<Exit> for host_process::Exit {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Code(code) => Self::Code(code),
            Exit::Signal(signal) => Self::Signal(signal),
        }
    }
}

impl From<host_process::Captured> for Captured {
    fn from(captured: host_process::Captured) -> Self {
        Self { exit: captured.exit.into(), stdout: captured.stdout, stderr: captured.stderr }
    }
}

impl From<Captured> for host_process::Captured {
    fn from(captured: Captured) -> Self {
        Self { exit: captured.exit.into(), stdout: captured.stdout, stderr: captured.stderr }
    }
}
