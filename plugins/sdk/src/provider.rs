//! Where tests run.

pub use crate::bindings::provider::exports::offload::plugin::provider::{
    Created, ImageSpec, Prepared, SandboxSpec, Transfer,
};

use crate::bindings::provider::exports::offload::plugin::provider::Guest;
use crate::instance;
use crate::io::Stdio;
use crate::plugin::Plugin;
use crate::types::{Command, Exit, Failure};

/// A plugin that makes sandboxes and runs commands in them. Each call has an instance of its own, so what a later one must
/// know of a sandbox goes into the sandbox's id.
pub trait Provider: Plugin {
    /// Once in a run, before the first sandbox: builds or finds the image.
    ///
    /// # Errors
    /// Whatever keeps every sandbox from being made.
    fn prepare(&self, _spec: ImageSpec) -> Result<Prepared, Failure> {
        Ok(Prepared { image: None, max_sandboxes: None })
    }

    /// Makes one sandbox. Nothing of it may be left behind by a failure: only what is returned is ever destroyed.
    ///
    /// # Errors
    /// Whatever keeps it from being made; `retryable` if another try may succeed.
    fn create(&self, spec: SandboxSpec) -> Result<Created, Failure>;

    /// Runs a command to its end.
    ///
    /// # Errors
    /// Whatever keeps it from being run; `sandbox-lost` if nothing else can be run there either.
    fn exec(&self, sandbox: &str, exec_id: &str, command: Command, stdio: &Stdio) -> Result<Exit, Failure>;

    /// Ends a running [`exec`](Self::exec) with all its processes; one that has ended is no failure.
    ///
    /// # Errors
    /// Whatever keeps it running.
    fn cancel(&self, sandbox: &str, exec_id: &str) -> Result<(), Failure>;

    /// Copies files out of a sandbox; returns the remote paths that do not exist. Without it, the host has each file printed
    /// by an [`exec`](Self::exec).
    ///
    /// # Errors
    /// Whatever keeps one that exists from being copied.
    fn download(&self, _sandbox: &str, _files: Vec<Transfer>) -> Result<Vec<String>, Failure> {
        Err(Failure::new("no-download", "files are printed by a command"))
    }

    /// Destroys sandboxes, at the end of a run all of them in one call, so side by side where that is faster; one that is already
    /// gone is no failure.
    ///
    /// # Errors
    /// Names what is left.
    fn destroy(&self, sandboxes: &[String]) -> Result<(), Failure>;
}

impl<P: Provider> Guest for P {
    fn prepare(spec: ImageSpec) -> Result<Prepared, Failure> {
        instance::with(|plugin: &mut P| plugin.prepare(spec))
    }

    fn create(spec: SandboxSpec) -> Result<Created, Failure> {
        instance::with(|plugin: &mut P| plugin.create(spec))
    }

    fn exec(sandbox: String, exec_id: String, command: Command, stdio: &Stdio) -> Result<Exit, Failure> {
        instance::with(|plugin: &mut P| plugin.exec(&sandbox, &exec_id, command, stdio))
    }

    fn cancel(sandbox: String, exec_id: String) -> Result<(), Failure> {
        instance::with(|plugin: &mut P| plugin.cancel(&sandbox, &exec_id))
    }

    fn download(sandbox: String, files: Vec<Transfer>) -> Result<Vec<String>, Failure> {
        instance::with(|plugin: &mut P| plugin.download(&sandbox, files))
    }

    fn destroy(sandboxes: Vec<String>) -> Result<(), Failure> {
        instance::with(|plugin: &mut P| plugin.destroy(&sandboxes))
    }
}
