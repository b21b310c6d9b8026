//! The plugin: each call hands over to a pure function.

use offload_plugin::prelude::*;

use crate::settings::Settings;
use crate::worker::{self, Listener};
use crate::{command, discovery, results};

/// One discovery, one batch or one worker.
pub struct Pytest {
    settings: Settings,
    /// Present in the instance that serves a worker.
    listener: Option<Listener>,
}

impl Plugin for Pytest {
    type Settings = Settings;

    const NAME: &'static str = "pytest";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "Python tests through pytest 7 or newer";
    const REQUESTS: &'static [&'static str] = &["run:*"];

    fn new(settings: Settings) -> Result<Self, Failure> {
        Ok(Self { settings, listener: None })
    }
}

impl Framework for Pytest {
    fn discover(
        &mut self,
        context: &Context,
        paths: &[String],
        previous: &[FinishedRun],
    ) -> Result<Discovery, Failure> {
        match previous.last() {
            None => command::discovery(&self.settings, context, paths).map(Discovery::Run),
            Some(run) => {
                tell(discovery::notices(context, run));
                discovery::read(&self.settings, context, paths, run).map(Discovery::Found)
            }
        }
    }

    fn run_command(&mut self, context: &Context, tests: &[Test]) -> Result<RunPlan, Failure> {
        command::run(&self.settings, context, tests)
    }

    fn parse_results(&mut self, context: &Context, _: &[Test], run: &FinishedRun) -> Result<Vec<Outcome>, Failure> {
        let results = results::read(&self.settings, context, run)?;
        tell(results.notices);
        Ok(results.outcomes)
    }
}

fn tell(notices: Vec<String>) {
    for notice in notices {
        host::log("warn", &notice);
    }
}

impl Observer for Pytest {
    fn observe(&mut self, source: &str, bytes: Vec<u8>) -> Vec<Event> {
        match &mut self.listener {
            Some(listener) if source == "stdout" => {
                let events = listener.hear(&bytes);
                tell(listener.notices());
                events
            }
            Some(listener) => listener.hear_errors(bytes),
            // A batch tells everything in its journal.
            None => Vec::new(),
        }
    }

    fn ended(&mut self, exit: Exit) -> Vec<Event> {
        let Some(listener) = &mut self.listener else { return Vec::new() };
        let events = listener.ended(exit);
        tell(listener.notices());
        events
    }
}

impl Worker for Pytest {
    fn start(&mut self, context: &Context, discover: bool) -> Result<Launch, Failure> {
        let command = command::work(&self.settings, context, discover)?;
        self.listener = Some(Listener::new(&context.nonce, discover));
        Ok(Launch { command, greeting: worker::greeting(&context.nonce) })
    }

    fn assign(&mut self, tests: &[Test]) -> Vec<u8> {
        worker::assign(tests)
    }

    fn withdraw(&mut self, tests: &[String]) -> Vec<u8> {
        worker::withdraw(tests)
    }

    fn finish(&mut self) -> Vec<u8> {
        worker::finish()
    }
}

offload_plugin::export!(Pytest: Framework + Observer + Worker);
