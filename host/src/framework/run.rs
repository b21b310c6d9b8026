//! One batch, as the framework sees it.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::convert;
use super::observation::{Observation, Reported, observations};
use crate::foreign_file;
use crate::model::{Failure, GroupName, Stream, Test, TestId};
use crate::plugin::FrameworkInstance;
use crate::plugin::contract::{self, FinishedRun, ResultFile};
use crate::process::{Captured, Command, Exit};

/// A result file larger than this is not read: it would have to fit into the component's memory several times.
const RESULT_LIMIT: u64 = 64 << 20;

/// What a batch can call its own.
#[derive(Clone, Debug)]
pub struct Context {
    /// A path prefix that no other batch has, where the command runs.
    pub scratch: String,
    /// Random text, new for every batch.
    pub nonce: String,
    /// Counts from 1.
    pub attempt: u32,
    /// What the plugin noted in discovery, where that was on the machine that the command will run on.
    pub memo: Option<String>,
}

impl Context {
    pub(super) fn to_contract(&self) -> contract::Context {
        let Self { scratch, nonce, attempt, memo } = self.clone();
        contract::Context { scratch, nonce, attempt, memo }
    }
}

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub command: Command,
    pub stdin: Vec<u8>,
    /// Files to bring back, as the framework named them.
    pub result_files: Vec<String>,
}

impl From<contract::RunPlan> for Plan {
    fn from(plan: contract::RunPlan) -> Self {
        Self { command: convert::command(plan.command), stdin: plan.stdin, result_files: plan.result_files }
    }
}

/// A batch between its first word and its results, served by one instance of the component.
pub struct Run {
    instance: FrameworkInstance,
    group: GroupName,
    context: contract::Context,
    tests: Vec<contract::Test>,
}

impl Run {
    pub(super) fn new(instance: FrameworkInstance, group: GroupName, context: &Context, tests: &[Arc<Test>]) -> Self {
        let tests = tests.iter().map(|test| convert::to_contract(test)).collect();
        Self { instance, group, context: context.to_contract(), tests }
    }

    /// The one command that runs exactly these tests.
    pub(crate) async fn command(&mut self) -> Result<Plan, Failure> {
        Ok(self.instance.run_command(&self.context, &self.tests).await?.into())
    }

    /// Whether there is anything to observe.
    pub(crate) fn observes(&self) -> bool {
        self.instance.observes()
    }

    /// Hands over output as it comes.
    pub(crate) async fn observe(&mut self, stream: Stream, bytes: &[u8]) -> Result<Vec<Observation>, Failure> {
        Ok(observations(&self.group, self.instance.observe(stream.name(), bytes).await?))
    }

    /// Says that the command has ended.
    pub(crate) async fn ended(&mut self, exit: Exit) -> Result<Vec<Observation>, Failure> {
        Ok(observations(&self.group, self.instance.ended(exit.into()).await?))
    }

    /// What the command's output and result files say of the tests. `files` are pairs of the name in the plan and the
    /// local path.
    pub(crate) async fn results(
        &mut self,
        output: Captured,
        files: &[(String, PathBuf)],
    ) -> Result<Vec<(TestId, Reported)>, Failure> {
        let run = FinishedRun { output: output.into(), files: read_files(files)? };
        let outcomes = self.instance.parse_results(&self.context, &self.tests, &run).await?;
        Ok(outcomes.into_iter().map(convert::reported).collect())
    }
}

pub(super) fn read_files(files: &[(String, PathBuf)]) -> Result<Vec<ResultFile>, Failure> {
    let read = |(name, local): &(String, PathBuf)| read_file(name, foreign_file::open(local));
    files.iter().map(read).collect()
}

/// A result file as it was opened, which a test may have put anything in the place of.
pub(super) fn read_file(name: &str, opened: io::Result<File>) -> Result<ResultFile, Failure> {
    let contents = match opened.and_then(|file| foreign_file::read(file, RESULT_LIMIT)) {
        Ok(contents) => Some(contents),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            return Err(Failure::new("result-too-large", format!("the result file {name} is too large: {error}"))
                .with_help("let the tests print less, or keep their output out of the result file"));
        }
        Err(error) => {
            return Err(Failure::new("unreadable-result", format!("the result file {name} cannot be read: {error}")));
        }
    };
    Ok(ResultFile { path: name.to_owned(), contents })
}
