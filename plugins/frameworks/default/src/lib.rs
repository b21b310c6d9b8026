//! The framework `default`: tests of any kind, found and run by shell commands that the configuration gives, and judged by
//! the JUnit file that they write or by their exit code.

#![forbid(unsafe_code)]

mod by_exit_code;
mod by_report;
mod discovery;
mod folding;
mod ownership;
mod place;
mod reruns;
mod running;
mod settings;
#[cfg(test)]
mod with_a_shell;

use offload_plugin::prelude::*;
use settings::Judge;

pub use settings::Settings;

pub struct ShellCommands {
    settings: Settings,
}

impl Plugin for ShellCommands {
    type Settings = Settings;

    const NAME: &'static str = "default";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "Tests that are found and run by shell commands of your own";
    const REQUESTS: &'static [&'static str] = &["run:sh"];

    fn new(settings: Settings) -> Result<Self, Failure> {
        settings.check()?;
        Ok(Self { settings })
    }
}

impl Framework for ShellCommands {
    fn needs(&mut self) -> Vec<String> {
        self.settings.needs()
    }

    fn discover(
        &mut self,
        context: &Context,
        paths: &[String],
        previous: &[FinishedRun],
    ) -> Result<Discovery, Failure> {
        match previous.last() {
            None => Ok(Discovery::Run(discovery::plan(&self.settings, context))),
            Some(run) => {
                let found = discovery::read(run, paths)?;
                if let Some(said) = discovery::why_nothing(&found, run) {
                    host::log("warn", &said);
                }
                Ok(Discovery::Found(found))
            }
        }
    }

    fn run_command(&mut self, context: &Context, tests: &[Test]) -> Result<RunPlan, Failure> {
        running::plan(&self.settings, context, tests)
    }

    fn parse_results(&mut self, context: &Context, tests: &[Test], run: &FinishedRun) -> Result<Vec<Outcome>, Failure> {
        match self.settings.judge(context) {
            Judge::ExitCode { record } => {
                Ok(tests.iter().map(|test| by_exit_code::outcome(test, run, &record)).collect())
            }
            Judge::Report { path, .. } => {
                by_report::outcomes(tests, run, &path, running::place(context, tests).as_deref())
            }
        }
    }
}

offload_plugin::export!(ShellCommands: Framework);
