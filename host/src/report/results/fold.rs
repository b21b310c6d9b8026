//! The fold of a run's events into a record for each test.

use std::{
    collections::HashSet,
    hash::{Hash, Hasher},
    io,
    path::Path,
    sync::Arc,
};

use indexmap::{IndexMap, IndexSet};
use serde::Serialize;

use super::spool::{Place, Spool, Texts};
use crate::{
    model::{Attempt, AttemptNumber, Event, ExitCode, GroupName, RunId, Shard, Status, Summary, Test, Verdict},
    report::ReportError,
};

/// Every test that was discovered with what became of it so far, in the order of discovery.
#[derive(Debug)]
pub(in crate::report) struct Results {
    pub run: Option<Run>,
    pub groups: IndexSet<GroupName>,
    pub end: Option<End>,
    pub shard: Option<ShardRecord>,
    /// As the frameworks' processes counted them.
    pub warnings: u64,
    tests: IndexMap<Key, Record>,
    names: HashSet<Arc<str>>,
    spool: Spool,
}

/// How the run began.
#[derive(Debug)]
pub(in crate::report) struct Run {
    pub id: RunId,
    /// RFC 3339, UTC.
    pub started: String,
}

/// How the run ended.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct End {
    pub exit_code: ExitCode,
    pub seconds: f64,
}

/// Which part of the tests this was.
#[derive(Debug, Serialize)]
pub(in crate::report) struct ShardRecord {
    #[serde(flatten)]
    pub shard: Shard,
    pub groups: IndexMap<GroupName, Plan>,
}

/// How a group was cut into shards.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(in crate::report) struct Plan {
    /// How many tests all shards have together.
    pub tests: usize,
    /// The same for all shards of one plan.
    pub plan: String,
}

/// What became of one test.
#[derive(Debug, Default)]
pub(in crate::report) struct Record {
    pub attempts: Vec<Try>,
    verdict: Option<Verdict>,
}

/// One attempt, small: its texts are in the spool, and names that many attempts share are shared.
#[derive(Debug)]
pub(in crate::report) struct Try {
    pub number: AttemptNumber,
    pub status: Status,
    /// Seconds, finite and not negative.
    pub duration: f64,
    pub sandbox: Option<Arc<str>>,
    pub log: Option<Arc<str>>,
    texts: Option<Place>,
}

impl Record {
    /// A test on which nothing was said has not run.
    pub fn verdict(&self) -> Verdict {
        self.verdict.unwrap_or(Verdict::NotRun)
    }

    /// The attempt after which there were no more, if the test was judged by one.
    pub fn deciding(&self) -> Option<&Try> {
        self.attempts.last().filter(|_| self.verdict() != Verdict::NotRun)
    }
}

impl Results {
    /// Some report could not be written: what the process exits with is no success.
    pub fn lack_reports(&mut self) {
        if let Some(end) = &mut self.end {
            end.exit_code = end.exit_code.without_reports();
        }
    }

    /// `directory` gets the nameless file that holds texts while the run lasts.
    pub fn new(directory: &Path) -> Result<Self, ReportError> {
        Ok(Self {
            run: None,
            groups: IndexSet::new(),
            end: None,
            shard: None,
            warnings: 0,
            tests: IndexMap::new(),
            names: HashSet::new(),
            spool: Spool::create(directory)?,
        })
    }

    pub fn apply(&mut self, event: &Event) -> Result<(), ReportError> {
        match event {
            Event::RunStarted { run_id, started, .. } => {
                self.run = Some(Run { id: run_id.clone(), started: started.clone() });
            }
            Event::DiscoveryStarted { group } => {
                self.groups.insert(group.clone());
            }
            Event::TestDiscovered { test } => {
                self.record(test);
            }
            Event::Attempted { test, attempt, .. } => {
                // Without its texts an attempt still counts: what could not be kept must not change a verdict.
                let (texts, kept) = match self.spool.put(&attempt.outcome) {
                    Ok(texts) => (texts, Ok(())),
                    Err(error) => (None, Err(error)),
                };
                let compact = self.compact(attempt, texts);
                let attempts = &mut self.record(test).attempts;
                attempts.reserve_exact(1);
                attempts.push(compact);
                return kept;
            }
            Event::Judged { test, verdict } => self.record(test).verdict = Some(*verdict),
            Event::Sharded { group, shard, tests, plan } => {
                let record = self.shard.get_or_insert_with(|| ShardRecord { shard: *shard, groups: IndexMap::new() });
                record.groups.insert(group.clone(), Plan { tests: *tests, plan: plan.clone() });
            }
            Event::Warned { count, .. } => self.warnings += u64::from(*count),
            Event::RunFinished { exit_code, seconds, .. } => {
                self.end = Some(End { exit_code: *exit_code, seconds: *seconds });
            }
            _ => {}
        }
        Ok(())
    }

    pub fn tests(&self) -> impl ExactSizeIterator<Item = (&Test, &Record)> {
        self.tests.iter().map(|(key, record)| (&*key.0, record))
    }

    pub fn summary(&self) -> Summary {
        self.tests.values().map(Record::verdict).collect()
    }

    /// How many attempts there were beyond each test's first.
    pub fn retries(&self) -> usize {
        self.tests.values().map(|record| record.attempts.len().saturating_sub(1)).sum()
    }

    pub fn texts(&self, attempt: &Try) -> io::Result<Texts> {
        attempt.texts.map_or_else(|| Ok(Texts::default()), |place| self.spool.get(place))
    }

    fn record(&mut self, test: &Arc<Test>) -> &mut Record {
        if !self.groups.contains(&test.group) {
            self.groups.insert(test.group.clone());
        }
        self.tests.entry(Key(test.clone())).or_default()
    }

    fn compact(&mut self, attempt: &Attempt, texts: Option<Place>) -> Try {
        let duration = attempt.outcome.duration;
        Try {
            number: attempt.number,
            status: attempt.outcome.status,
            duration: if duration.is_finite() { duration.max(0.0) } else { 0.0 },
            sandbox: attempt.sandbox.as_ref().map(|name| self.shared(name.as_str())),
            log: attempt.log.as_ref().map(|name| self.shared(name)),
            texts,
        }
    }

    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        self.names.insert(name.clone());
        name
    }
}

/// A test by its identity, group and id, whatever else was said of it.
#[derive(Debug)]
struct Key(Arc<Test>);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.id == other.0.id && self.0.group == other.0.group)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
        self.0.group.hash(state);
    }
}
