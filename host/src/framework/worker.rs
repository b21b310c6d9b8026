//! One warm test process, as the framework sees it.

use std::sync::Arc;

use super::convert;
use super::discovery::unique;
use super::observation::{Observation, observations};
use super::run::Context;
use crate::model::{Discovered, Failure, GroupName, Stream, Test, TestId};
use crate::plugin::FrameworkInstance;
use crate::process::{Command, Exit};

/// The voice and the ear of one worker, served by one instance of the component.
pub struct Worker {
    instance: FrameworkInstance,
    group: GroupName,
    /// What it has discovered so far.
    found: Discovered,
}

/// How a worker is started.
#[derive(Clone, Debug)]
pub struct Launch {
    pub command: Command,
    /// Written to its standard input at once.
    pub greeting: Vec<u8>,
}

impl Worker {
    pub(super) async fn start(
        mut instance: FrameworkInstance,
        group: GroupName,
        context: &Context,
        discover: bool,
    ) -> Result<(Self, Launch), Failure> {
        let launch = instance.start(&context.to_contract(), discover).await?;
        let launch = Launch { command: convert::command(launch.command), greeting: launch.greeting };
        Ok((Self { instance, group, found: Discovered::default() }, launch))
    }

    /// Hands over output as it comes.
    pub(crate) async fn observe(&mut self, stream: Stream, bytes: &[u8]) -> Result<Vec<Observation>, Failure> {
        let events = self.instance.observe(stream.name(), bytes).await?;
        self.whole(observations(&self.group, events))
    }

    /// Says that the process has ended.
    pub(crate) async fn ended(&mut self, exit: Exit) -> Result<Vec<Observation>, Failure> {
        let events = self.instance.ended(exit.into()).await?;
        self.whole(observations(&self.group, events))
    }

    /// Puts together what was discovered part by part.
    fn whole(&mut self, observations: Vec<Observation>) -> Result<Vec<Observation>, Failure> {
        let mut told = Vec::with_capacity(observations.len());
        for observation in observations {
            match observation {
                Observation::Part(part) => self.found.append(part),
                Observation::Found(part) => {
                    self.found.append(part);
                    let found = std::mem::take(&mut self.found);
                    unique(&found.tests)?;
                    told.push(Observation::Found(found));
                }
                other => told.push(other),
            }
        }
        Ok(told)
    }

    /// What is to be written to hand over these tests.
    pub(crate) async fn assign(&mut self, tests: &[Arc<Test>]) -> Result<Vec<u8>, Failure> {
        let tests: Vec<_> = tests.iter().map(|test| convert::to_contract(test)).collect();
        Ok(self.instance.assign(&tests).await?)
    }

    /// What is to be written to have these tests back.
    pub(crate) async fn withdraw(&mut self, tests: &[TestId]) -> Result<Vec<u8>, Failure> {
        let tests: Vec<_> = tests.iter().map(TestId::to_string).collect();
        Ok(self.instance.withdraw(&tests).await?)
    }

    /// What is to be written to have it come to its end.
    pub(crate) async fn finish(&mut self) -> Result<Vec<u8>, Failure> {
        Ok(self.instance.finish().await?)
    }
}
