//! The framework `go`: tests of Go modules, found and run by `go test`, which reports each as it begins and ends.

#![forbid(unsafe_code)]

mod batch;
mod compiler;
mod discovery;
mod event;
mod frame;
mod known;
mod lines;
mod name;
mod package;
mod printed;
mod running;
mod settings;
mod story;
mod test;
mod trouble;
mod verdict;

use batch::Batch;
use offload_plugin::prelude::*;

pub use settings::Settings;

/// One discovery, or one batch with what is known of it so far.
pub struct Go {
    settings: Settings,
    batch: Batch,
}

impl Plugin for Go {
    type Settings = Settings;

    const NAME: &'static str = "go";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "Tests of Go, through go test";
    const REQUESTS: &'static [&'static str] = &["run:sh"];

    fn new(settings: Settings) -> Result<Self, Failure> {
        settings.check()?;
        Ok(Self { settings, batch: Batch::default() })
    }
}

impl Framework for Go {
    fn discover(
        &mut self,
        context: &Context,
        paths: &[String],
        previous: &[FinishedRun],
    ) -> Result<Discovery, Failure> {
        match previous {
            [] => discovery::plan(&self.settings, context, paths).map(Discovery::Run),
            [listed] if discovery::is_doubtful(listed) => {
                discovery::plan_without_tests(&self.settings, context, paths).map(Discovery::Run)
            }
            [listed, more @ ..] => discovery::read(listed, more.first(), paths).map(Discovery::Found),
        }
    }

    fn run_command(&mut self, context: &Context, tests: &[Test]) -> Result<RunPlan, Failure> {
        self.batch = Batch::of(tests, self.settings.repeats())?;
        running::plan(&self.settings, context, &self.batch.names())
    }

    /// Only what has not been said while the command ran.
    fn parse_results(&mut self, _: &Context, _: &[Test], run: &FinishedRun) -> Result<Vec<Outcome>, Failure> {
        self.batch.finish(&run.output)
    }
}

// A last line without an end was cut off, and what it leaves open is judged with the rest.
impl Observer for Go {
    fn observe(&mut self, source: &str, bytes: Vec<u8>) -> Vec<Event> {
        if source == "stdout" { self.batch.observe(&bytes) } else { Vec::new() }
    }
}

offload_plugin::export!(Go: Framework + Observer);
