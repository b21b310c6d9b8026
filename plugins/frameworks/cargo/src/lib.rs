//! The framework `cargo`: tests of Rust, found and run by cargo-nextest, which reports each as it begins and ends.

mod batch;
mod bindings;
mod built;
mod discovery;
mod filterset;
mod lines;
mod message;
mod name;
mod running;
mod settings;
mod trouble;
mod verdict;

use std::cell::RefCell;

use batch::Batch;
use bindings::exports::offload::plugin::framework::{Discovery, FinishedRun, Guest as Framework, RunPlan};
use bindings::exports::offload::plugin::metadata::{Guest as Metadata, Info};
use bindings::exports::offload::plugin::observer::{Event, Guest as Observer};
use offload_plugin::host;
use offload_plugin::types::{Context, Exit, Failure, Outcome, Test};
use settings::Settings;

thread_local! {
    /// What this instance is running: one instance of a framework serves one batch at a time.
    static BATCH: RefCell<Batch> = RefCell::default();
}

pub struct CargoFramework;

impl Metadata for CargoFramework {
    fn describe() -> Info {
        Info {
            name: "cargo".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: "Tests of Rust, through cargo-nextest".to_owned(),
            settings_schema: settings::schema(),
            requests: Vec::new(),
        }
    }
}

impl Framework for CargoFramework {
    fn needs() -> Vec<String> {
        Vec::new()
    }

    fn discover(context: Context, paths: Vec<String>, previous: Vec<FinishedRun>) -> Result<Discovery, Failure> {
        let Some(run) = previous.last() else {
            host::log("info", "documentation tests are not among the tests: cargo-nextest does not run them");
            return Ok(Discovery::Run(discovery::plan(&Settings::parse(&host::settings())?, &context)));
        };
        discovery::read(run, &paths).map(Discovery::Found)
    }

    fn run_command(context: Context, tests: Vec<Test>) -> Result<RunPlan, Failure> {
        let settings = Settings::parse(&host::settings())?;
        let batch = Batch::of(&tests)?;
        let plan = running::plan(&settings, &context, batch.names());
        BATCH.replace(batch);
        Ok(plan)
    }

    /// Only what has not been said while the command ran.
    fn parse_results(_: Context, _: Vec<Test>, run: FinishedRun) -> Result<Vec<Outcome>, Failure> {
        BATCH.with_borrow_mut(|batch| batch.finish(&run.output))
    }
}

impl Observer for CargoFramework {
    fn observe(source: String, bytes: Vec<u8>) -> Vec<Event> {
        match source.as_str() {
            "stdout" => BATCH.with_borrow_mut(|batch| batch.observe(&bytes)),
            _ => Vec::new(),
        }
    }

    fn ended(_: Exit) -> Vec<Event> {
        // A last line without an end was cut off, and what it leaves open is judged with the rest.
        Vec::new()
    }
}
