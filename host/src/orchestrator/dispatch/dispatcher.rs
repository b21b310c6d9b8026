//! The one place that puts events in order: it hands out work, keeps the account and tells the reports.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::model::{
    Attempt, BatchId, Discovered, Event, ExitCode, Failure, NoticeLevel, Outcome, SandboxName, Summary, TestId, Verdict,
};
use crate::orchestrator::batch::{self, Job, News, NewsSender};
use crate::orchestrator::catalog::{Catalog, GroupIndex, TestIndex};
use crate::orchestrator::ledger::{Again, Ledger, Recorded};
use crate::orchestrator::pool::{PoolEvent, SandboxPool};
use crate::orchestrator::schedule::{Batch, SandboxKey, Schedule};
use crate::orchestrator::signals::Signals;
use crate::orchestrator::stop::Stop;
use crate::provider::Sandbox;
use crate::report::Reporter;

/// How long batches that were told to end are waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// News that may wait for the dispatcher.
const BACKLOG: usize = 1024;

/// What the dispatcher is told that does not come from a batch.
pub(in crate::orchestrator) enum Message {
    Discovered { group: GroupIndex, duration: Duration, result: Result<Discovered, Failure> },
    Log(NoticeLevel, String),
}

/// What a run is to keep to.
pub(in crate::orchestrator) struct Rules {
    pub(in crate::orchestrator) retry_count: u32,
    /// What bounds a batch.
    pub(in crate::orchestrator) limit: Duration,
    pub(in crate::orchestrator) stream: bool,
}

pub(in crate::orchestrator) struct Dispatcher {
    pub(super) rules: Rules,
    pub(super) catalog: Catalog,
    pub(super) schedule: Schedule,
    pub(super) ledger: Ledger,
    pub(super) reporter: Reporter,
    pub(super) pool: SandboxPool,
    pub(super) stations: BTreeMap<SandboxKey, Station>,
    pub(super) next_station: SandboxKey,
    pub(super) batches: HashMap<BatchId, Running>,
    pub(super) next_batch: BatchId,
    pub(super) tasks: JoinSet<()>,
    pub(super) news: mpsc::Receiver<(BatchId, News)>,
    pub(super) news_sender: mpsc::Sender<(BatchId, News)>,
    pub(super) messages: mpsc::UnboundedReceiver<Message>,
    /// Groups that are still being discovered.
    pub(super) discovering: usize,
    /// Why no group could be discovered, if that is so.
    pub(super) undiscovered: Vec<(GroupIndex, Failure)>,
    pub(super) max_failures: Option<u32>,
    pub(super) losses: HashMap<TestIndex, u8>,
    pub(super) told: HashSet<String>,
    pub(super) stop: Option<Stop>,
    pub(super) scratch: PathBuf,
    pub(super) began: Instant,
}

/// A sandbox and what it does.
pub(super) struct Station {
    pub(super) sandbox: Sandbox,
    pub(super) batch: Option<BatchId>,
}

/// A batch that has not ended yet.
pub(super) struct Running {
    pub(super) station: SandboxKey,
    pub(super) sandbox: SandboxName,
    pub(super) group: GroupIndex,
    pub(super) tests: HashMap<TestId, TestIndex>,
    pub(super) unresolved: HashSet<TestIndex>,
    /// In the order in which they were handed out.
    pub(super) order: Vec<TestIndex>,
    pub(super) failed: Vec<TestIndex>,
    pub(super) running: Option<(TestIndex, Duration)>,
    pub(super) in_tests: f64,
    pub(super) log: String,
    pub(super) cancelled: CancellationToken,
}

/// How a run ended.
pub(in crate::orchestrator) struct Finished {
    pub(in crate::orchestrator) exit_code: ExitCode,
    pub(in crate::orchestrator) summary: Summary,
    pub(in crate::orchestrator) reporter: Reporter,
    /// Why no group could be discovered.
    pub(in crate::orchestrator) undiscovered: Vec<Failure>,
}

impl Dispatcher {
    pub(in crate::orchestrator) fn new(
        rules: Rules,
        catalog: Catalog,
        reporter: Reporter,
        pool: SandboxPool,
        messages: mpsc::UnboundedReceiver<Message>,
        scratch: PathBuf,
    ) -> Self {
        let discovering = catalog.group_indices().count();
        let (news_sender, news) = mpsc::channel(BACKLOG);
        Self {
            schedule: Schedule::new(discovering, rules.limit),
            ledger: Ledger::new(rules.retry_count),
            rules,
            catalog,
            reporter,
            pool,
            stations: BTreeMap::new(),
            next_station: 0,
            batches: HashMap::new(),
            next_batch: BatchId::FIRST,
            tasks: JoinSet::new(),
            news,
            news_sender,
            messages,
            discovering,
            undiscovered: Vec::new(),
            max_failures: None,
            losses: HashMap::new(),
            told: HashSet::new(),
            stop: None,
            scratch,
            began: Instant::now(),
        }
    }

    /// Runs until every test has its verdict, or the run is to end for another reason.
    pub(in crate::orchestrator) async fn run(mut self, mut signals: Signals) -> Finished {
        loop {
            // Handing out may find that nothing will ever come: then there is nothing to wait for.
            self.hand_out();
            if self.is_over() {
                break;
            }
            tokio::select! {
                Some((batch, news)) = self.news.recv() => self.hear(batch, news),
                Some(event) = self.pool.next() => self.pool_event(event),
                Some(message) = self.messages.recv() => self.message(message),
                signal = signals.next() => self.stop(Stop::Signal(signal)),
            }
        }
        self.leave(signals).await
    }

    fn is_over(&self) -> bool {
        let done = self.discovering == 0 && self.ledger.is_complete() && self.batches.is_empty();
        // Batches that were told to end are waited for where a second signal is listened to.
        done || self.stop.is_some()
    }

    fn hand_out(&mut self) {
        if self.stop.is_some() {
            return;
        }
        let free: Vec<_> =
            self.stations.iter().filter(|(_, station)| station.batch.is_none()).map(|(key, _)| *key).collect();
        for key in free {
            let sandboxes = self.stations.len();
            match self.schedule.next(key, sandboxes) {
                Some(batch) => self.begin(key, batch),
                None => break,
            }
        }
        let idle = self.batches.is_empty() && self.discovering == 0;
        if self.stations.is_empty() && !self.pool.is_growing() && !self.schedule.is_empty() {
            self.stop(Stop::NoSandbox);
        } else if idle && self.schedule.is_empty() && !self.ledger.is_complete() {
            self.stop(Stop::Lost);
        }
    }

    fn begin(&mut self, key: SandboxKey, batch: Batch) {
        let Some(station) = self.stations.get_mut(&key) else {
            self.schedule.give_back(batch, None);
            return;
        };
        let id = self.next_batch;
        self.next_batch = id.next();
        station.batch = Some(id);
        let sandbox = station.sandbox.clone();
        let (path, log) = self.reporter.log_stem(sandbox.name(), id);
        let cancelled = CancellationToken::new();
        let job = Job {
            id,
            framework: self.catalog.framework(batch.group).clone(),
            tests: batch.tests.iter().map(|test| self.catalog.test(*test).clone()).collect(),
            limit: self.rules.limit,
            log: path,
            stream: self.rules.stream,
            scratch: self.scratch.clone(),
            sandbox: sandbox.clone(),
        };
        self.emit(&Event::BatchStarted {
            batch: id,
            sandbox: sandbox.name().clone(),
            group: self.catalog.group_name(batch.group).clone(),
            tests: batch.tests.len(),
        });
        let news = NewsSender { batch: id, channel: self.news_sender.clone() };
        self.tasks.spawn(batch::run(job, cancelled.clone(), news));
        self.batches.insert(
            id,
            Running {
                station: key,
                sandbox: sandbox.name().clone(),
                group: batch.group,
                tests: self.catalog.by_id(&batch.tests),
                unresolved: batch.tests.iter().copied().collect(),
                order: batch.tests,
                failed: Vec::new(),
                running: None,
                in_tests: 0.0,
                log,
                cancelled,
            },
        );
    }

    /// Enters an attempt in the account; says whether the test is to be attempted again.
    pub(super) fn attempted(
        &mut self,
        test: TestIndex,
        sandbox: Option<SandboxName>,
        log: Option<String>,
        outcome: Outcome,
        again: Again,
    ) -> bool {
        let (number, verdict) = match self.ledger.record(test, outcome.status, again) {
            Recorded::TooLate => return false,
            Recorded::Retry(number) => (number, None),
            Recorded::Judged(number, verdict) => (number, Some(verdict)),
        };
        let record = self.catalog.test(test).clone();
        let attempt = Attempt { number, sandbox, log, outcome };
        self.emit(&Event::Attempted { test: record.clone(), attempt, retried: verdict.is_none() });
        if self.ledger.is_out_of_retries() {
            self.notice(
                NoticeLevel::Warning,
                "so many tests failed that the run's budget for retries is used up: failures are final now".into(),
            );
        }
        if let Some(verdict) = verdict {
            self.emit(&Event::Judged { test: record, verdict });
            if self.max_failures.is_some_and(|most| self.ledger.failures() >= most) {
                self.stop(Stop::MaxFailures);
            }
        }
        verdict.is_none()
    }

    fn pool_event(&mut self, event: PoolEvent) {
        match event {
            PoolEvent::Up { sandbox, duration } => {
                self.emit(&Event::SandboxUp { sandbox: sandbox.name().clone(), seconds: duration.as_secs_f64() });
                self.stations.insert(self.next_station, Station { sandbox, batch: None });
                self.next_station += 1;
            }
            PoolEvent::Failed { name, failure, replaced } => {
                self.emit(&Event::SandboxFailed { sandbox: name, failure, replaced });
            }
        }
    }

    /// No new work from here on, and what runs is told to end.
    pub(super) fn stop(&mut self, stop: Stop) {
        if self.stop.is_some() {
            return;
        }
        self.notice(stop.level(), stop.notice().into());
        self.stop = Some(stop);
        for running in self.batches.values() {
            running.cancelled.cancel();
        }
    }

    /// Ends everything, whatever it takes, and closes the account.
    async fn leave(mut self, mut signals: Signals) -> Finished {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut hurried = false;
        while !self.batches.is_empty() {
            tokio::select! {
                Some((batch, news)) = self.news.recv() => self.hear(batch, news),
                _ = signals.next() => {
                    hurried = true;
                    break;
                }
                () = tokio::time::sleep_until(deadline) => break,
            }
        }
        self.tasks.shutdown().await;
        let closed = tokio::select! {
            failures = self.pool.close(), if !hurried => Some(failures),
            _ = signals.next(), if !hurried => None,
            else => None,
        };
        let failures = match closed {
            Some(failures) => failures,
            None => self.pool.hurry().await,
        };
        for failure in failures {
            self.notice(NoticeLevel::Warning, format!("a sandbox was not destroyed: {failure}"));
        }
        for test in self.ledger.close() {
            let event = Event::Judged { test: self.catalog.test(test).clone(), verdict: Verdict::NotRun };
            self.emit(&event);
        }
        let exit_code = match self.stop {
            Some(Stop::Signal(signal)) => ExitCode::Interrupted(signal),
            _ => self.ledger.exit_code(),
        };
        let summary = self.ledger.summary();
        self.emit(&Event::RunFinished { exit_code, seconds: self.began.elapsed().as_secs_f64(), summary });
        let undiscovered = self.undiscovered.into_iter().map(|(_, failure)| failure).collect();
        Finished { exit_code, summary, reporter: self.reporter, undiscovered }
    }

    pub(super) fn notice(&mut self, level: NoticeLevel, message: String) {
        // Many sandboxes say the same thing: once is enough.
        if self.told.insert(message.clone()) {
            self.emit(&Event::Notice { level, message });
        }
    }

    pub(in crate::orchestrator) fn emit(&mut self, event: &Event) {
        // The reporter remembers its first error and gives it at the end; the run goes on.
        let _ = self.reporter.handle(event);
    }
}
