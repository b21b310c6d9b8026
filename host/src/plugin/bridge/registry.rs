//! The helpers of one plugin in one run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::helper::{Helper, LOST};
use crate::model::Failure;
use crate::plugin::component::LogSink;
use crate::process::Command;

/// How long a helper may take to end once it has nothing more to read.
const PATIENCE: Duration = Duration::from_secs(8);

/// How often a helper may be started again in a run.
const RESTARTS: u32 = 1;

/// The helpers that a plugin has opened; clones are the same ones.
#[derive(Clone, Default)]
pub struct Helpers(Arc<Mutex<Vec<Opened>>>);

struct Opened {
    /// By what it is known: the same command is the same helper.
    command: Command,
    /// How often it may still be started.
    starts: u32,
    helper: Helper,
    task: JoinHandle<()>,
}

impl Helpers {
    /// The helper that this command starts, which runs already or is started.
    ///
    /// # Errors
    /// It cannot be started, or has ended too often.
    pub(in crate::plugin) fn open(
        &self,
        command: Command,
        log: &LogSink,
        could_not_start: impl FnOnce(&Command, &std::io::Error) -> Failure,
    ) -> Result<Helper, Failure> {
        let start =
            |command: &Command| Helper::start(command, log.clone()).map_err(|error| could_not_start(command, &error));
        let mut opened = self.opened();
        let Some(known) = opened.iter_mut().find(|known| known.command == command) else {
            let (helper, task) = start(&command)?;
            opened.push(Opened { command, starts: RESTARTS, helper: helper.clone(), task });
            return Ok(helper);
        };
        if known.helper.has_ended() {
            if known.starts == 0 {
                let program = known.command.argv.first().map_or("", String::as_str);
                let message = format!("the helper `{program}` ended twice: it is not started again");
                return Err(Failure::new(LOST, message));
            }
            (known.helper, known.task) = start(&known.command)?;
            known.starts -= 1;
        }
        Ok(known.helper.clone())
    }

    /// Lets each be started once more, however often it has ended: only it can clear away what it made.
    pub fn spare(&self) {
        for opened in self.opened().iter_mut() {
            opened.starts = opened.starts.max(1);
        }
    }

    /// Ends all of them.
    pub async fn close(&self) {
        let closing: Vec<_> = self.opened().drain(..).collect();
        for opened in &closing {
            opened.helper.close();
        }
        for mut opened in closing {
            if tokio::time::timeout(PATIENCE, &mut opened.task).await.is_err() {
                // With its task everything in its group ends.
                opened.task.abort();
                let _ = opened.task.await;
            }
        }
    }

    fn opened(&self) -> MutexGuard<'_, Vec<Opened>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
