//! What a run will leave in the history: a view of its events.

use std::sync::Arc;

use crate::model::{AttemptNumber, Event, GroupName, RunId, Status, Test, Verdict};

/// Gathers what is to be kept of a run until it ends.
#[derive(Debug, Default)]
pub struct Recorder {
    pub(super) run: Option<RunRecord>,
    pub(super) attempts: Vec<AttemptRecord>,
    /// Units whose tests rely on those before them.
    pub(super) whole_units: Vec<(GroupName, String)>,
    is_of_a_shard: bool,
}

#[derive(Debug)]
pub(super) struct RunRecord {
    pub(super) run_id: RunId,
    /// RFC 3339, UTC.
    pub(super) started: String,
    /// The kind of provider.
    pub(super) sandbox_kind: String,
}

#[derive(Debug)]
pub(super) struct AttemptRecord {
    pub(super) test: Arc<Test>,
    pub(super) number: AttemptNumber,
    pub(super) status: Status,
    pub(super) seconds: f64,
    /// The verdict, if this attempt was the one that gave it.
    pub(super) verdict: Option<Verdict>,
}

impl Recorder {
    /// Takes in what happened.
    pub fn handle(&mut self, event: &Event) {
        match event {
            Event::RunStarted { run_id, started, provider, .. } => {
                self.run = Some(RunRecord {
                    run_id: run_id.clone(),
                    started: started.clone(),
                    sandbox_kind: provider.clone(),
                });
            }
            Event::ReliesOnOrder { test } => {
                self.whole_units.extend(test.unit.clone().map(|unit| (test.group.clone(), unit)));
            }
            Event::Sharded { .. } => self.is_of_a_shard = true,
            // What discovery itself reported ran nowhere.
            Event::Attempted { test, attempt, .. } if attempt.sandbox.is_some() => {
                self.attempts.push(AttemptRecord {
                    test: test.clone(),
                    number: attempt.number,
                    status: attempt.outcome.status,
                    seconds: attempt.outcome.duration,
                    verdict: None,
                });
            }
            // A verdict follows the attempt that gave it; one without is that of a test that was not run.
            Event::Judged { test, verdict } if *verdict != Verdict::NotRun => {
                if let Some(last) = self.attempts.last_mut().filter(|last| Arc::ptr_eq(&last.test, test)) {
                    last.verdict = Some(*verdict);
                }
            }
            _ => {}
        }
    }

    /// Whether these are not all of the tests that there are.
    pub fn is_of_a_shard(&self) -> bool {
        self.is_of_a_shard
    }

    pub fn is_empty(&self) -> bool {
        self.attempts.is_empty()
    }
}
