//! The framework `default`: tests of any kind, found and run by shell commands that the configuration gives, and judged by
//! the JUnit file that they write or by their exit code.

mod bindings;
mod by_exit_code;
mod by_report;
mod discovery;
mod folding;
mod ownership;
mod running;
mod settings;
#[cfg(test)]
mod with_a_shell;

use bindings::exports::offload::plugin::framework::{Discovery, FinishedRun, Guest as Framework, RunPlan};
use bindings::exports::offload::plugin::metadata::{Guest as Metadata, Info};
use offload_plugin::host;
use offload_plugin::types::{Context, Failure, Outcome, Test};
use settings::{Judge, Settings};

pub struct DefaultFramework;

impl Metadata for DefaultFramework {
    fn describe() -> Info {
        Info {
            name: "default".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: "Tests that are found and run by shell commands of your own".to_owned(),
            settings_schema: settings::schema(),
            requests: Vec::new(),
        }
    }
}

impl Framework for DefaultFramework {
    fn needs() -> Vec<String> {
        // Settings that cannot be read are reported by the calls that can fail.
        Settings::parse(&host::settings()).map(|settings| settings.needs()).unwrap_or_default()
    }

    fn discover(context: Context, paths: Vec<String>, previous: Vec<FinishedRun>) -> Result<Discovery, Failure> {
        let settings = Settings::parse(&host::settings())?;
        match previous.last() {
            None => Ok(Discovery::Run(discovery::plan(&settings, &context))),
            Some(run) => discovery::read(run, &paths).map(Discovery::Found),
        }
    }

    fn run_command(context: Context, tests: Vec<Test>) -> Result<RunPlan, Failure> {
        running::plan(&Settings::parse(&host::settings())?, &context, &tests)
    }

    fn parse_results(context: Context, tests: Vec<Test>, run: FinishedRun) -> Result<Vec<Outcome>, Failure> {
        let settings = Settings::parse(&host::settings())?;
        match settings.judge(&context) {
            Judge::ExitCode { record } => {
                Ok(tests.iter().map(|test| by_exit_code::outcome(test, &run, &record)).collect())
            }
            Judge::Report { path, .. } => by_report::outcomes(&tests, &run, &path),
        }
    }
}
