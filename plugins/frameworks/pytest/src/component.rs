//! The exports of the component: each call reads the settings and hands over to a pure function.

use offload_plugin::host;
use offload_plugin::types::{Context, Failure, Outcome, Test};

use crate::bindings::exports::offload::plugin::framework::{Discovery, Guest as Framework};
use crate::bindings::exports::offload::plugin::metadata::{Guest as Metadata, Info};
use crate::settings::{SCHEMA, Settings};
use crate::{FinishedRun, RunPlan, command, discovery, results};

/// The component.
pub(crate) struct Pytest;

impl Metadata for Pytest {
    fn describe() -> Info {
        Info {
            name: "pytest".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            description: "Python tests through pytest 7 or newer".into(),
            settings_schema: SCHEMA.into(),
            requests: Vec::new(),
        }
    }
}

impl Framework for Pytest {
    fn needs() -> Vec<String> {
        Vec::new()
    }

    fn discover(context: Context, paths: Vec<String>, previous: Vec<FinishedRun>) -> Result<Discovery, Failure> {
        let settings = Settings::parse(&host::settings())?;
        match previous.last() {
            None => Ok(Discovery::Run(command::discovery(&settings, &context, &paths)?)),
            Some(run) => Ok(Discovery::Found(discovery::read(&settings, &context, &paths, run)?)),
        }
    }

    fn run_command(context: Context, tests: Vec<Test>) -> Result<RunPlan, Failure> {
        command::run(&Settings::parse(&host::settings())?, &context, &tests)
    }

    fn parse_results(context: Context, _tests: Vec<Test>, run: FinishedRun) -> Result<Vec<Outcome>, Failure> {
        results::read(&Settings::parse(&host::settings())?, &context, &run)
    }
}
