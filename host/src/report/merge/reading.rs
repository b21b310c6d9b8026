//! The events of a run that has ended, read back from its directory.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::MergeError;
use crate::model::{Attempt, GroupName, RunId, SandboxName, Shard, Test, TestId, Verdict};

/// What one run told, as far as a report is made of it.
#[derive(Debug)]
pub(super) struct Told {
    pub directory: PathBuf,
    pub run_id: RunId,
    /// RFC 3339, UTC.
    pub started: String,
    /// The kind of provider.
    pub provider: String,
    pub groups: Vec<GroupName>,
    pub plans: Vec<Plan>,
    /// In the order of discovery, with what was said of each.
    pub tests: Vec<Account>,
    pub warned: Vec<(SandboxName, GroupName, u32)>,
    /// Absent if the run was cut off.
    pub seconds: Option<f64>,
}

/// How one group was cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub group: GroupName,
    pub shard: Shard,
    pub plan: String,
}

/// One test and what became of it.
#[derive(Debug)]
pub(super) struct Account {
    pub test: Arc<Test>,
    /// Each with whether another one followed.
    pub attempts: Vec<(Attempt, bool)>,
    /// Whether it has a verdict.
    judged: bool,
    /// Whether it was seen to rely on the tests before it.
    pub relies_on_order: bool,
}

impl Account {
    /// What follows from its attempts: whatever else is said of it is not believed.
    pub fn verdict(&self) -> Verdict {
        match self.attempts.split_last() {
            Some(((last, _), earlier)) if self.judged => {
                let has_failed = earlier.iter().any(|(attempt, _)| attempt.outcome.status.is_failure());
                Verdict::from_last(last.outcome.status, has_failed)
            }
            _ => Verdict::NotRun,
        }
    }

    /// Whether this is what discovery itself reported: every shard finds the same.
    pub fn is_of_discovery(&self) -> bool {
        !self.attempts.is_empty() && self.attempts.iter().all(|(attempt, _)| attempt.sandbox.is_none())
    }
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Line {
    RunStarted {
        run_id: RunId,
        started: String,
        provider: String,
    },
    DiscoveryStarted {
        group: GroupName,
    },
    Sharded {
        group: GroupName,
        shard: Shard,
        plan: String,
    },
    TestDiscovered(Test),
    Attempted {
        group: GroupName,
        id: TestId,
        attempt: Attempt,
        retried: bool,
    },
    Judged {
        group: GroupName,
        id: TestId,
    },
    ReliesOnOrder {
        group: GroupName,
        id: TestId,
    },
    Warned {
        sandbox: SandboxName,
        group: GroupName,
        count: u32,
    },
    RunFinished {
        seconds: f64,
    },
    #[serde(other)]
    Other,
}

impl Told {
    /// Reads `events.jsonl` of an output directory.
    pub fn read(directory: &Path) -> Result<Self, MergeError> {
        let path = directory.join("events.jsonl");
        let failed = |source| MergeError::Read { path: path.clone(), source };
        let mut file = BufReader::new(File::open(&path).map_err(failed)?);
        let (mut told, mut places) = (None::<Self>, std::collections::HashMap::new());
        let (mut text, mut number) = (Vec::new(), 0);
        while file.read_until(b'\n', &mut text).map_err(failed)? > 0 {
            number += 1;
            let line = match serde_json::from_slice(&text) {
                Ok(line) => line,
                // A run that was killed may leave half a line.
                Err(_) if !text.ends_with(b"\n") => break,
                Err(source) => return Err(MergeError::Line { path, number, source }),
            };
            text.clear();
            match (line, told.as_mut()) {
                (Line::RunStarted { run_id, started, provider }, None) => {
                    let directory = directory.to_owned();
                    let (groups, plans, tests, warned) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
                    told = Some(Self {
                        directory,
                        run_id,
                        started,
                        provider,
                        groups,
                        plans,
                        tests,
                        warned,
                        seconds: None,
                    });
                }
                (_, None) => return Err(MergeError::NotARun(path)),
                (line, Some(told)) => told.hear(line, &mut places),
            }
        }
        told.ok_or(MergeError::NotARun(path))
    }

    fn hear(&mut self, line: Line, places: &mut std::collections::HashMap<(GroupName, TestId), usize>) {
        match line {
            Line::RunStarted { .. } | Line::Other => {}
            Line::DiscoveryStarted { group } => self.groups.push(group),
            Line::Sharded { group, shard, plan } => self.plans.push(Plan { group, shard, plan }),
            Line::TestDiscovered(test) => {
                places.entry((test.group.clone(), test.id.clone())).or_insert_with(|| {
                    self.tests.push(Account {
                        test: Arc::new(test),
                        attempts: Vec::new(),
                        judged: false,
                        relies_on_order: false,
                    });
                    self.tests.len() - 1
                });
            }
            Line::Attempted { group, id, attempt, retried } => {
                if let Some(place) = places.get(&(group, id)) {
                    self.tests[*place].attempts.push((attempt, retried));
                }
            }
            Line::Judged { group, id } => {
                if let Some(place) = places.get(&(group, id)) {
                    self.tests[*place].judged = true;
                }
            }
            Line::ReliesOnOrder { group, id } => {
                if let Some(place) = places.get(&(group, id)) {
                    self.tests[*place].relies_on_order = true;
                }
            }
            Line::Warned { sandbox, group, count } => self.warned.push((sandbox, group, count)),
            Line::RunFinished { seconds } => self.seconds = Some(seconds),
        }
    }
}
