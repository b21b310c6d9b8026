//! The plugin: each call hands over to a pure function.

use offload_plugin::prelude::*;

use crate::settings::Settings;
use crate::{command, discovery, results};

/// One discovery or one batch.
pub struct Vitest {
    settings: Settings,
}

impl Plugin for Vitest {
    type Settings = Settings;

    const NAME: &'static str = "vitest";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "JavaScript and TypeScript tests through vitest 3 or newer";
    const REQUESTS: &'static [&'static str] = &["run:sh"];

    fn new(settings: Settings) -> Result<Self, Failure> {
        Ok(Self { settings })
    }
}

impl Framework for Vitest {
    fn discover(
        &mut self,
        context: &Context,
        paths: &[String],
        previous: &[FinishedRun],
    ) -> Result<Discovery, Failure> {
        match previous.last() {
            None => command::discovery(&self.settings, context, paths).map(Discovery::Run),
            Some(run) => {
                for notice in discovery::notices(context, run) {
                    host::log("warn", &notice);
                }
                discovery::read(&self.settings, context, run).map(Discovery::Found)
            }
        }
    }

    fn run_command(&mut self, context: &Context, tests: &[Test]) -> Result<RunPlan, Failure> {
        command::run(&self.settings, context, tests)
    }

    fn parse_results(&mut self, context: &Context, tests: &[Test], run: &FinishedRun) -> Result<Vec<Outcome>, Failure> {
        results::read(&self.settings, context, tests, run)
    }
}

offload_plugin::export!(Vitest: Framework);
