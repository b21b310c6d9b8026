//! The history of a run's tests: read while they are looked for, added to while sandboxes are destroyed.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::dispatch::Message;
use crate::config::Config;
use crate::history::{Expectations, History, Opened, Recorder, commit_of};
use crate::model::{Event, NoticeLevel};

/// How long the end of a run waits for a file that others use.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a run knows of earlier ones, and leaves to later ones. Nothing of it changes a verdict.
#[derive(Default)]
pub(super) struct Memory {
    recorder: Recorder,
    /// Absent where there is to be no history.
    source: Option<Source>,
}

struct Source {
    /// Gives nothing if the history cannot be used, which was said then.
    history: JoinHandle<Option<History>>,
    commit: JoinHandle<Option<String>>,
}

impl Memory {
    /// Begins to read; what is expected of the tests comes as a message.
    pub(super) fn of(config: &Config, sender: mpsc::UnboundedSender<Message>) -> Self {
        if !config.history.enabled {
            expect(&sender, Expectations::default());
            return Self::default();
        }
        let path = config.history_path();
        let history = tokio::task::spawn_blocking(move || read(path, &sender));
        let directory = config.working_dir();
        let commit = tokio::spawn(async move { commit_of(&directory).await });
        Self { recorder: Recorder::default(), source: Some(Source { history, commit }) }
    }

    pub(super) fn handle(&mut self, event: &Event) {
        if self.source.is_some() {
            self.recorder.handle(event);
        }
    }

    /// Adds the run to the history, unless it is a part of one: the other parts are yet to be cut by the same history, and
    /// what joins them adds the whole. Gives what there is to say of it.
    pub(super) async fn save(self) -> Option<String> {
        let Self { recorder, source } = self;
        let Source { history, commit } = source.filter(|_| !recorder.is_of_a_shard())?;
        let saving = async {
            let mut history = history.await.ok()??;
            let commit = commit.await.ok()?;
            let add = move || history.add(&recorder, commit.as_deref());
            tokio::task::spawn_blocking(add).await.ok()?.err().map(|error| not_kept(&error.to_string()))
        };
        tokio::time::timeout(PATIENCE, saving).await.unwrap_or_else(|_| Some(not_kept("it took too long")))
    }
}

fn not_kept(why: &str) -> String {
    format!("the history does not have this run: {why}")
}

fn read(path: PathBuf, sender: &mpsc::UnboundedSender<Message>) -> Option<History> {
    // Without a dispatcher the run is over.
    let warn = |message| drop(sender.send(Message::Log(NoticeLevel::Warning, message)));
    let known = History::open(&path).and_then(|Opened { history, warning }| {
        warning.into_iter().for_each(warn);
        Ok((history.expectations()?, history))
    });
    match known {
        Ok((expectations, history)) => {
            expect(sender, expectations);
            Some(history)
        }
        Err(error) => {
            warn(format!("this run goes without history: {error}"));
            expect(sender, Expectations::default());
            None
        }
    }
}

/// Whoever waits for this waits no longer.
fn expect(sender: &mpsc::UnboundedSender<Message>, expectations: Expectations) {
    let _ = sender.send(Message::Expected(expectations));
}
