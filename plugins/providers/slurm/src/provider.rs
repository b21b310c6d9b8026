//! The component's exports: scripts are made by the other modules, and run by the host.

use offload_plugin::inside;
use offload_plugin::prelude::*;

use crate::sandbox::Sandbox;
use crate::settings::Settings;
use crate::{creation, doctor, exec, job, prepare, reaper, script, trouble};

/// Signals by which Slurm ends commands, and by which they may end themselves.
const KILL: i32 = 9;
const TERM: i32 = 15;

pub struct Slurm {
    settings: Settings,
}

impl Plugin for Slurm {
    type Settings = Settings;

    const NAME: &'static str = "slurm";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "runs tests in allocations of a Slurm cluster";
    const REQUESTS: &'static [&'static str] = &["run:sh", "env:*"];

    fn new(settings: Settings) -> Result<Self, Failure> {
        Ok(Self { settings })
    }
}

impl Provider for Slurm {
    fn prepare(&self, _spec: ImageSpec) -> Result<Prepared, Failure> {
        prepare::check(&self.settings)?;
        Ok(Prepared { image: None, max_sandboxes: None })
    }

    fn create(&self, spec: SandboxSpec) -> Result<Created, Failure> {
        let sandbox = creation::create(&self.settings, &spec)?;
        Ok(Created { sandbox: sandbox.id(), scratch_root: sandbox.scratch() })
    }

    fn exec(&self, sandbox: &str, exec_id: &str, command: Command, stdio: &Stdio) -> Result<Exit, Failure> {
        let sandbox = Sandbox::from_id(sandbox)?;
        match process::run(&exec::command(&sandbox, exec_id, &command)?, stdio)? {
            Exit::Signal(exec::OUT_OF_MEMORY) => Err(exec::out_of_memory(&self.settings, sandbox.job)),
            Exit::Signal(exec::TROUBLE) => Err(job::why_aborted(sandbox.job)),
            // This is how the commands of a job that is ended end.
            exit @ Exit::Signal(KILL | TERM) => job::end_of(sandbox.job)?.map_or(Ok(exit), Err),
            exit => Ok(exit),
        }
    }

    fn cancel(&self, sandbox: &str, exec_id: &str) -> Result<(), Failure> {
        let sandbox = Sandbox::from_id(sandbox)?;
        let finished = script::cancel(&sandbox.job.to_string(), exec_id, &inside::kill(exec_id)).capture()?;
        if finished.exit == Exit::Code(0) {
            return Ok(());
        }
        match job::end_of(sandbox.job)? {
            // With the job its commands ended.
            Some(end) if end.code != trouble::UNREACHABLE => Ok(()),
            _ => {
                let why = trouble::words(&finished);
                let message = format!("the processes of a command in job {} could not be ended: {why}", sandbox.job);
                Err(Failure::new("cancel-failed", message))
            }
        }
    }

    fn destroy(&self, sandboxes: &[String]) -> Result<(), Failure> {
        let sandboxes = sandboxes.iter().map(|id| Sandbox::from_id(id)).collect::<Result<Vec<_>, _>>()?;
        let words = sandboxes.into_iter().flat_map(|Sandbox { job, base, place, .. }| {
            [job.to_string(), base.or_else(|| self.settings.scratch.clone()).unwrap_or_default(), place]
        });
        let words: Vec<String> = words.collect();
        let finished = script::destroy(words.iter().map(String::as_str)).capture()?;
        if finished.exit == Exit::Code(0) {
            return Ok(());
        }
        let left = String::from_utf8_lossy(&finished.stdout).trim().to_owned();
        let message = format!("jobs {left} could not be cancelled: {}", trouble::words(&finished));
        Err(Failure::new("destroy-failed", message).with_help(format!("run `scancel {left}`")).retryable())
    }
}

impl Reaper for Slurm {
    fn leftovers(&self) -> Result<Vec<Leftover>, Failure> {
        reaper::leftovers()
    }
}

impl Doctor for Slurm {
    fn examine(&self) -> Vec<Finding> {
        doctor::examine(&self.settings)
    }
}

offload_plugin::export!(Slurm: Provider + Reaper + Doctor);
