//! How tests are found, run and judged.

pub use crate::bindings::framework::exports::offload::plugin::framework::{
    Discovery, FinishedRun, ResultFile, RunPlan,
};

use crate::bindings::framework::exports::offload::plugin::framework::Guest;
use crate::instance;
use crate::plugin::Plugin;
use crate::types::{Context, Failure, Outcome, Test};

/// A plugin that knows a test framework. It does nothing itself: it says what to run and reads what came back.
pub trait Framework: Plugin {
    /// What the group needs of a sandbox: `private-directory`, if two that share one would write the same file.
    fn needs(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// Asks for a command that lists the tests and, called again with what came of it, tells which there are. `paths`, if
    /// there are any, are all that the person wants to know of. `previous` has every run that was asked for so far.
    ///
    /// # Errors
    /// Whatever keeps the list from being whole: a test that nobody knows of is a test that nobody runs.
    fn discover(&mut self, context: &Context, paths: &[String], previous: &[FinishedRun])
    -> Result<Discovery, Failure>;

    /// One command that runs exactly these tests.
    ///
    /// # Errors
    /// Whatever keeps them from being run. The code `run-singly` says that they can be run one by one.
    fn run_command(&mut self, context: &Context, tests: &[Test]) -> Result<RunPlan, Failure>;

    /// What became of these tests, as far as [`Observer`](crate::observer::Observer) has not told it. The command may have
    /// been ended early, by signal 9 then. A test without an outcome counts as not run and is handed out again; one that
    /// had begun and had not ended has the outcome `running`.
    ///
    /// # Errors
    /// Whatever keeps the results from being told. The code `run-singly` says that they could be told of each by itself.
    fn parse_results(&mut self, context: &Context, tests: &[Test], run: &FinishedRun) -> Result<Vec<Outcome>, Failure>;
}

impl<P: Framework> Guest for P {
    fn needs() -> Vec<String> {
        instance::ask(P::needs)
    }

    fn discover(context: Context, paths: Vec<String>, previous: Vec<FinishedRun>) -> Result<Discovery, Failure> {
        instance::with(|plugin: &mut P| plugin.discover(&context, &paths, &previous))
    }

    fn run_command(context: Context, tests: Vec<Test>) -> Result<RunPlan, Failure> {
        instance::with(|plugin: &mut P| plugin.run_command(&context, &tests))
    }

    fn parse_results(context: Context, tests: Vec<Test>, run: FinishedRun) -> Result<Vec<Outcome>, Failure> {
        instance::with(|plugin: &mut P| plugin.parse_results(&context, &tests, &run))
    }
}
