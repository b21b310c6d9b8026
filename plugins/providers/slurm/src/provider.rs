//! The component's exports.

use offload_plugin::prelude::*;

use crate::settings::Settings;

pub struct Slurm;

impl Plugin for Slurm {
    type Settings = Settings;

    const NAME: &'static str = "slurm";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "runs tests in allocations of a Slurm cluster";
    const REQUESTS: &'static [&'static str] = &[];

    fn new(_settings: Settings) -> Result<Self, Failure> {
        Err(Failure::new("unfinished", "this provider is being built"))
    }
}

impl Provider for Slurm {
    fn create(&self, _spec: SandboxSpec) -> Result<Created, Failure> {
        Err(Failure::new("unfinished", "this provider is being built"))
    }

    fn exec(&self, _: &str, _: &str, _: Command, _: &Stdio) -> Result<Exit, Failure> {
        Err(Failure::new("unfinished", "this provider is being built"))
    }

    fn cancel(&self, _: &str, _: &str) -> Result<(), Failure> {
        Ok(())
    }

    fn destroy(&self, _: &[String]) -> Result<(), Failure> {
        Ok(())
    }
}

offload_plugin::export!(Slurm: Provider);
