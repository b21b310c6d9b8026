//! What a component may do besides computing: the least of what it imports, what it asks for and what it is granted.

mod denial;
mod granted;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::bindings::contract::Command;
use crate::foreign_file;
use crate::process::{self, Environment};
pub(super) use denial::shown;
pub use denial::{Denial, table_of};
pub use granted::Granted;

/// Where a command runs that is held against the rights of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Here, as the command of a provider does, which passes on what offload tells the tests of a sandbox.
    Machine,
    /// In a sandbox, or here to find tests: offload itself says there what it has to say.
    Sandbox,
}

/// What one component may do.
#[derive(Debug)]
pub enum Rights {
    /// It comes with offload: its commands are those of offload itself.
    BuiltIn,
    Granted(Box<Granted>),
}

impl Rights {
    /// The command as it may be run on this machine.
    pub(super) fn command(&self, command: Command) -> Result<process::Command, Denial> {
        let environment = match self {
            Self::BuiltIn => Environment::Inherited,
            Self::Granted(granted) => {
                granted.check(&command, Place::Machine)?;
                granted.check_directory(&command)?;
                granted.environment()
            }
        };
        let Command { argv, env, cwd } = command;
        Ok(process::Command { argv, env, cwd: cwd.map(Into::into), environment })
    }

    /// Whether a framework may have this command run, wherever that will be.
    pub(super) fn check(&self, command: &Command) -> Result<(), Denial> {
        match self {
            Self::BuiltIn => Ok(()),
            Self::Granted(granted) => {
                granted.check(command, Place::Sandbox)?;
                granted.check_place(command)
            }
        }
    }

    /// Whether a framework may have a command run in this directory of this machine: in or below one of its own, or one that it
    /// may read.
    ///
    /// # Errors
    /// What it wanted and was not given.
    pub fn may_work_in(&self, directory: &Path, own: &[&Path]) -> Result<(), Denial> {
        match self {
            Self::BuiltIn => Ok(()),
            Self::Granted(granted) => granted.may_work_in(directory, own),
        }
    }

    /// What commands of this component find in their environment on this machine.
    pub fn environment(&self) -> Environment {
        match self {
            Self::BuiltIn => Environment::Inherited,
            Self::Granted(granted) => granted.environment(),
        }
    }

    /// Whether it may send a request to this host.
    pub(super) fn connect(&self, host: &str, port: u16) -> Result<(), Denial> {
        match self {
            // None of those that come with offload needs it.
            Self::BuiltIn => Err(Denial {
                plugin: "built-in".into(),
                wanted: format!("connect to {host}:{port}"),
                help: "this is a defect of offload".to_owned(),
            }),
            Self::Granted(granted) => granted.connect(host, port),
        }
    }

    /// Whether a framework may have this file of this machine brought to it: what lies in the directories of its own attempt and
    /// of its command, and what it is granted.
    pub fn may_read(&self, file: &Path, own: &[&Path]) -> Result<(), Denial> {
        match self {
            Self::BuiltIn => Ok(()),
            Self::Granted(granted) => granted.may_read(file, own),
        }
    }

    /// Opens a file of this machine for a framework that may have it: where that is a link, it may lead nowhere else meanwhile.
    ///
    /// # Errors
    /// What it wanted and was not given.
    pub fn open(&self, file: &Path, own: &[&Path]) -> Result<io::Result<File>, Denial> {
        match self {
            Self::BuiltIn => Ok(foreign_file::open(file)),
            Self::Granted(granted) => granted.open(file, own),
        }
    }

    /// Whether a framework may have these files brought to it from where its command ran: relative to that, and its own.
    pub(super) fn check_results(&self, files: &[String], scratch: &str) -> Result<(), Denial> {
        let Self::Granted(granted) = self else { return Ok(()) };
        let climbs = |file: &str| Path::new(file).components().any(|step| matches!(step, Component::ParentDir));
        let own = |file: &str| !climbs(file) && (Path::new(file).is_relative() || file.starts_with(scratch));
        match files.iter().find(|file| !own(file)) {
            None => Ok(()),
            Some(file) => Err(Denial {
                plugin: granted.plugin.clone(),
                wanted: format!("read {file} where its command ran"),
                help: "results lie below the directory of the command, or at the path prefix of the attempt".to_owned(),
            }),
        }
    }

    /// The variables that an instance sees.
    pub(super) fn variables(&self) -> Vec<(String, String)> {
        let Self::Granted(granted) = self else { return Vec::new() };
        let names = granted.allow.env.iter().filter(|name| granted.has_variable(name));
        names.filter_map(|name| Some((name.clone(), std::env::var(name).ok()?))).collect()
    }

    /// The directories that an instance sees: what it calls them, where they are, and whether it may write there.
    pub(super) fn directories(&self) -> Vec<(&str, PathBuf, bool)> {
        match self {
            Self::BuiltIn => Vec::new(),
            Self::Granted(granted) => granted.directories(),
        }
    }
}
