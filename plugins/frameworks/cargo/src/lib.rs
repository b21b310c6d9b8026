//! The framework `cargo`: tests of Rust, found and run by cargo-nextest, which reports each as it begins and ends.

#![forbid(unsafe_code)]

mod batch;
mod built;
mod discovery;
mod filterset;
mod lines;
mod message;
mod name;
mod nextest;
mod running;
mod settings;
mod status;
mod trouble;
mod verdict;

use batch::Batch;
use offload_plugin::prelude::*;

pub use settings::Settings;

/// One discovery, or one batch with what is known of it so far.
pub struct Cargo {
    settings: Settings,
    batch: Batch,
}

impl Plugin for Cargo {
    type Settings = Settings;

    const NAME: &'static str = "cargo";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "Tests of Rust, through cargo-nextest";
    const REQUESTS: &'static [&'static str] = &["run:cargo", "run:sh"];

    fn new(settings: Settings) -> Result<Self, Failure> {
        Ok(Self { settings, batch: Batch::default() })
    }
}

impl Framework for Cargo {
    fn discover(
        &mut self,
        context: &Context,
        paths: &[String],
        previous: &[FinishedRun],
    ) -> Result<Discovery, Failure> {
        if previous.is_empty() {
            host::log("info", "documentation tests are not among the tests: cargo-nextest does not run them");
        }
        discovery::go_on(&self.settings, context, paths, previous, |remark| host::log("info", &remark))
    }

    fn run_command(&mut self, context: &Context, tests: &[Test]) -> Result<RunPlan, Failure> {
        self.batch = Batch::of(tests)?;
        Ok(running::plan(&self.settings, context, self.batch.names()))
    }

    /// Only what has not been said while the command ran.
    fn parse_results(&mut self, _: &Context, _: &[Test], run: &FinishedRun) -> Result<Vec<Outcome>, Failure> {
        let outcomes = self.batch.finish(&run.output)?;
        if let Some(remark) = self.batch.remark() {
            host::log("warn", &remark);
        }
        Ok(outcomes)
    }
}

// A last line without an end was cut off, and what it leaves open is judged with the rest, as is what was held back.
impl Observer for Cargo {
    fn observe(&mut self, source: &str, bytes: Vec<u8>) -> Vec<Event> {
        if source == "stdout" { self.batch.observe(&bytes) } else { self.batch.observe_stderr(&bytes) }
    }
}

offload_plugin::export!(Cargo: Framework + Observer);
