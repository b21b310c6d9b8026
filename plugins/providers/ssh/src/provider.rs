//! The component's exports.

use offload_plugin::prelude::*;

use crate::settings::Settings;

pub struct Ssh;

impl Plugin for Ssh {
    type Settings = Settings;

    const NAME: &'static str = "ssh";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "runs tests on hosts that ssh reaches";
    const REQUESTS: &'static [&'static str] = &[];

    fn new(_settings: Settings) -> Result<Self, Failure> {
        Err(Failure::new("unfinished", "this provider is being built"))
    }
}

impl Provider for Ssh {
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

offload_plugin::export!(Ssh: Provider);
