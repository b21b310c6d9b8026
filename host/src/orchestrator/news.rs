//! What commands in sandboxes tell the dispatcher.

use std::time::Duration;

use tokio::sync::mpsc;

use super::output::LastOutput;
use super::settle::End;
use crate::framework::{Observation, Reported};
use crate::model::{BatchId, Discovered, Failure, Outcome, Stream, Test, TestId};

/// What a batch or a worker tells while it runs and when it has ended.
#[derive(Debug)]
pub(super) enum News {
    Started(TestId),
    Result(TestId, Box<Outcome>),
    /// A test failed, and its process runs it again.
    Rerun(TestId, Box<Outcome>),
    /// The process as a whole failed, whatever its tests say.
    SessionFailed(TestId, Box<Outcome>),
    Running(TestId, Duration),
    Line(Stream, String),
    /// A worker takes tests.
    Ready,
    /// A worker that was to discover has, after this time.
    Found(Discovered, Duration),
    /// What a unit holds, as a worker loaded it.
    Unit(Vec<Test>),
    /// A worker gives these back unrun.
    Returned(Vec<TestId>),
    /// A worker counted so many warnings.
    Warnings(u32),
    /// Its command could not be ended, and may go on in the sandbox.
    Uncancelled(Failure),
    /// The last word.
    Ended(Ended),
}

#[derive(Debug)]
pub(super) struct Ended {
    pub(super) end: End,
    /// How long its command ran.
    pub(super) duration: Duration,
    /// The end of what it wrote, as far as it belongs to the test that was under way.
    pub(super) output: LastOutput,
}

/// Brings a batch's news to the dispatcher, and holds the batch up while that is behind.
#[derive(Clone)]
pub(super) struct NewsSender {
    pub(super) batch: BatchId,
    pub(super) channel: mpsc::Sender<(BatchId, News)>,
}

impl NewsSender {
    pub(super) async fn send(&self, news: News) {
        // Without a dispatcher the run is over, and nobody waits for this.
        let _ = self.channel.send((self.batch, news)).await;
    }

    /// Tells what a batch was observed to do.
    pub(super) async fn send_all(&self, observations: impl IntoIterator<Item = Observation>) {
        for observation in observations {
            match observation {
                Observation::Started(id) => self.send(News::Started(id)).await,
                Observation::Finished(id, reported) => self.finished(id, reported).await,
                // Of these only workers speak.
                Observation::Ready
                | Observation::Part(_)
                | Observation::Found(_)
                | Observation::Unit(_)
                | Observation::Returned(_)
                | Observation::Warnings(_)
                | Observation::Output(_) => {}
            }
        }
    }

    pub(super) async fn finished(&self, id: TestId, reported: Reported) {
        self.send(match reported {
            Reported::Ended(outcome) => News::Result(id, outcome),
            Reported::Rerun(outcome) => News::Rerun(id, outcome),
            Reported::Session(outcome) => News::SessionFailed(id, outcome),
            Reported::Running { seconds } => {
                News::Running(id, Duration::try_from_secs_f64(seconds).unwrap_or_default())
            }
        })
        .await;
    }
}
