//! The one place that puts events in order: it hands out work, keeps the account and tells the reports.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::crew::Crew;
use super::search::Search;
use crate::history::Expectations;
use crate::model::{
    Attempt, BatchId, Discovered, Event, ExitCode, Failure, Mask, NoticeLevel, Outcome, SandboxName, Shard, Status,
    Summary, Test, TestId, Verdict,
};
use crate::orchestrator::artifacts::{Artifacts, Gathered};
use crate::orchestrator::catalog::{Catalog, GroupIndex, TestIndex};
use crate::orchestrator::ledger::{Again, Ledger, Recorded};
use crate::orchestrator::memory::Memory;
use crate::orchestrator::news::News;
use crate::orchestrator::pool::SandboxPool;
use crate::orchestrator::schedule::{SandboxKey, Schedule};
use crate::orchestrator::signals::Signals;
use crate::orchestrator::stop::Stop;
use crate::orchestrator::units::Units;
use crate::orchestrator::worker::Order;
use crate::provider::Sandbox;
use crate::report::Reporter;

/// How long batches that were told to end are waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// So old may be what the files of the run do not tell yet.
const SETTLE: Duration = Duration::from_millis(500);

/// News that may wait for the dispatcher.
const BACKLOG: usize = 1024;

/// What the dispatcher is told that does not come from a batch.
pub(in crate::orchestrator) enum Message {
    Discovered {
        group: GroupIndex,
        duration: Duration,
        result: Result<Discovered, Failure>,
    },
    Log(NoticeLevel, String),
    /// What earlier runs let expect of the tests.
    Expected(Expectations),
}

/// What a run is to keep to.
pub(in crate::orchestrator) struct Rules {
    pub(in crate::orchestrator) retry_count: u32,
    /// What bounds a batch, and a test in a worker.
    pub(in crate::orchestrator) limit: Duration,
    pub(in crate::orchestrator) stream: bool,
    /// How many workers may be started before it is known how many tests there are.
    pub(in crate::orchestrator) early_workers: usize,
    /// Which part of the tests is to be run.
    pub(in crate::orchestrator) shard: Option<Shard>,
    pub(in crate::orchestrator) artifacts: Option<Artifacts>,
    /// What logs must not show.
    pub(in crate::orchestrator) mask: Mask,
    /// In the order of the catalog.
    pub(in crate::orchestrator) groups: Vec<GroupRules>,
}

/// How the tests of a group may run beside others.
pub(in crate::orchestrator) struct GroupRules {
    /// How many sandboxes may run tests of the group at once.
    pub(in crate::orchestrator) max_parallel: usize,
    /// Whether no test of another group may run at the same time.
    pub(in crate::orchestrator) exclusive: bool,
    /// Whether each test is handed out by itself.
    pub(in crate::orchestrator) singly: bool,
    /// Whether the tests of a file are never taken apart.
    pub(in crate::orchestrator) keeps_files_whole: bool,
    /// Whether what its framework says is held against how its commands ended.
    pub(in crate::orchestrator) minds_exit: bool,
}

impl GroupRules {
    /// Whether they keep no sandbox from its work.
    pub(super) fn is_free(&self) -> bool {
        self.max_parallel == usize::MAX && !self.exclusive
    }
}

pub(in crate::orchestrator) struct Dispatcher {
    pub(super) rules: Rules,
    pub(super) catalog: Catalog,
    pub(super) schedule: Schedule,
    pub(super) ledger: Ledger,
    pub(super) reporter: Reporter,
    pub(super) memory: Memory,
    /// Absent until it is known what earlier runs say.
    pub(super) expectations: Option<Expectations>,
    /// What was discovered before that.
    pub(super) held: Vec<(GroupIndex, Discovered, Duration)>,
    /// How many tests belong to other shards.
    pub(super) elsewhere: usize,
    pub(super) pool: SandboxPool,
    pub(super) stations: BTreeMap<SandboxKey, Station>,
    pub(super) next_station: SandboxKey,
    pub(super) batches: HashMap<BatchId, Running>,
    pub(super) next_batch: BatchId,
    pub(super) tasks: JoinSet<()>,
    pub(super) news: mpsc::Receiver<(BatchId, News)>,
    pub(super) news_sender: mpsc::Sender<(BatchId, News)>,
    pub(super) messages: mpsc::UnboundedReceiver<Message>,
    pub(super) search: Search,
    pub(super) crews: Vec<Crew>,
    /// Why no group could be discovered, if that is so.
    pub(super) undiscovered: Vec<(GroupIndex, Failure)>,
    pub(super) max_failures: Option<u32>,
    pub(super) losses: HashMap<TestIndex, u8>,
    pub(super) units: Units,
    /// Tests that failed and have no verdict yet, since they are run again.
    pub(super) suspects: HashSet<TestIndex>,
    /// Tests that failed without all that precede them in their file: what becomes of them after those is what counts.
    pub(super) looked_at: HashSet<TestIndex>,
    pub(super) told: HashSet<String>,
    /// What was said of processes as a whole.
    pub(super) told_sessions: HashSet<(GroupIndex, TestId, String)>,
    pub(super) stop: Option<Stop>,
    pub(super) scratch: PathBuf,
    pub(super) began: Instant,
}

/// A sandbox and what it does.
pub(super) struct Station {
    pub(super) sandbox: Sandbox,
    pub(super) batch: Option<BatchId>,
    /// Whether a test came to its end in it.
    pub(super) has_worked: bool,
}

/// A batch that has not ended yet.
pub(super) struct Running {
    pub(super) station: SandboxKey,
    pub(super) sandbox: SandboxName,
    pub(super) group: GroupIndex,
    /// Every test that it was ever given.
    pub(super) given: HashSet<TestIndex>,
    pub(super) unresolved: HashSet<TestIndex>,
    /// In the order in which they were handed out.
    pub(super) order: Vec<TestIndex>,
    pub(super) failed: Vec<TestIndex>,
    /// Whether it told of anything that explains that its command did not end well.
    pub(super) told_of_failure: bool,
    /// Tests that it runs only for the sake of those that follow them in their unit; absent unless it runs them in order.
    pub(super) companions: Option<HashSet<TestIndex>>,
    pub(super) running: Option<(TestIndex, Duration)>,
    /// Since when it has been at the test that it is at, as far as it said so.
    pub(super) began: Option<Instant>,
    /// Why its command may still run when it has ended.
    pub(super) uncancelled: Option<Failure>,
    pub(super) in_tests: f64,
    /// Since when it is at what it will report next, and the unit of what it reported last.
    pub(super) since: Instant,
    pub(super) unit: Option<String>,
    pub(super) log: String,
    pub(super) cancelled: CancellationToken,
    /// What there is to say of it if it is a worker.
    pub(super) worker: Option<WorkerState>,
}

impl Running {
    pub(super) fn new(
        station: SandboxKey,
        sandbox: SandboxName,
        group: GroupIndex,
        log: String,
        cancelled: CancellationToken,
    ) -> Self {
        Self {
            station,
            sandbox,
            group,
            given: HashSet::new(),
            unresolved: HashSet::new(),
            order: Vec::new(),
            failed: Vec::new(),
            told_of_failure: false,
            companions: None,
            running: None,
            began: None,
            uncancelled: None,
            in_tests: 0.0,
            since: Instant::now(),
            unit: None,
            log,
            cancelled,
            worker: None,
        }
    }

    /// Takes in tests that are handed over.
    pub(super) fn give(&mut self, tests: &[TestIndex]) {
        if self.unresolved.is_empty() {
            self.since = Instant::now();
        }
        self.given.extend(tests);
        self.unresolved.extend(tests);
        self.order.extend(tests);
    }

    /// Has a worker come to its end once it has run what it was given.
    pub(super) fn finish(&mut self) {
        if let Some(worker) = self.worker.as_mut().filter(|worker| worker.phase != Phase::Finishing) {
            worker.phase = Phase::Finishing;
            // One that has ended takes no orders.
            let _ = worker.orders.send(Order::Finish);
        }
    }

    /// Whether it is a worker that can be given more.
    pub(super) fn takes_tests(&self) -> bool {
        self.worker.as_ref().is_some_and(|worker| worker.phase == Phase::Working)
    }

    /// Whether results may come of it: a worker may be without tests.
    pub(super) fn has_tests(&self) -> bool {
        self.worker.is_none() || !self.unresolved.is_empty()
    }

    /// What it has not resolved, in the order in which it was handed out.
    pub(super) fn pending(&self) -> Vec<TestIndex> {
        let open = self.order.iter().rev().filter(|test| self.unresolved.contains(test));
        let mut pending: Vec<_> = open.take(self.unresolved.len()).copied().collect();
        pending.reverse();
        pending
    }

    /// A worker has ended a test: how long it took besides, and whether it had a unit to load.
    pub(super) fn turn(&mut self, test: &Test, seconds: f64) -> (f64, bool) {
        let now = Instant::now();
        let besides = (now - self.since).as_secs_f64() - seconds;
        let new_unit = self.unit != test.unit;
        self.since = now;
        if new_unit {
            self.unit.clone_from(&test.unit);
        }
        (besides, new_unit)
    }
}

/// A worker takes more tests while it runs.
pub(super) struct WorkerState {
    pub(super) orders: mpsc::UnboundedSender<Order>,
    pub(super) phase: Phase,
    /// Whether it still owes what it was to discover.
    pub(super) discovers: bool,
    /// Since when it was asked to give tests back, and has not yet.
    pub(super) asked: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Whether it can be given tests is not known yet.
    Starting,
    Working,
    /// It was told to come to an end.
    Finishing,
}

/// Where tests, sandboxes and knowledge come from.
pub(in crate::orchestrator) struct Sources {
    pub(in crate::orchestrator) pool: SandboxPool,
    pub(in crate::orchestrator) search: Search,
    pub(in crate::orchestrator) memory: Memory,
    pub(in crate::orchestrator) messages: mpsc::UnboundedReceiver<Message>,
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
        sources: Sources,
        reporter: Reporter,
        scratch: PathBuf,
    ) -> Self {
        let Sources { pool, search, memory, messages } = sources;
        let groups = catalog.group_indices().count();
        let (news_sender, news) = mpsc::channel(BACKLOG);
        let mut schedule = Schedule::new(groups, rules.limit);
        let singly = catalog.group_indices().filter(|group| rules.groups[group.get()].singly);
        singly.for_each(|group| schedule.run_singly(group));
        Self {
            schedule,
            ledger: Ledger::new(rules.retry_count),
            crews: catalog.group_indices().map(|group| Crew::of(catalog.framework(group))).collect(),
            rules,
            catalog,
            reporter,
            memory,
            expectations: None,
            held: Vec::new(),
            elsewhere: 0,
            pool,
            stations: BTreeMap::new(),
            next_station: 0,
            batches: HashMap::new(),
            next_batch: BatchId::FIRST,
            tasks: JoinSet::new(),
            news,
            news_sender,
            messages,
            search,
            undiscovered: Vec::new(),
            max_failures: None,
            losses: HashMap::new(),
            units: Units::default(),
            suspects: HashSet::new(),
            looked_at: HashSet::new(),
            told: HashSet::new(),
            told_sessions: HashSet::new(),
            stop: None,
            scratch,
            began: Instant::now(),
        }
    }

    /// Runs until every test has its verdict, or the run is to end for another reason.
    pub(in crate::orchestrator) async fn run(mut self, mut signals: Signals) -> Finished {
        let mut settle = tokio::time::interval(SETTLE);
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
                _ = settle.tick() => {
                    self.review_costs();
                    self.review_sandboxes();
                    // The reporter remembers its first error and gives it at the end.
                    let _ = self.reporter.settle();
                }
                signal = signals.next() => self.stop(Stop::Signal(signal)),
            }
        }
        self.leave(signals).await
    }

    fn is_over(&self) -> bool {
        let done = self.search.is_over() && self.ledger.is_complete() && self.batches.is_empty();
        // Batches that were told to end are waited for where a second signal is listened to.
        done || self.stop.is_some()
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
        if matches!(outcome.status, Status::Crashed | Status::TimedOut) {
            self.units.bar(test);
        }
        if verdict.is_some() {
            self.units.judged(test);
            self.suspects.remove(&test);
        } else {
            self.suspect(test);
        }
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

    /// This test failed and is run again. If it fails once more, that may be one failure too many: then nothing else is begun
    /// until it is known.
    pub(super) fn suspect(&mut self, test: TestIndex) {
        let was_on_hold = self.is_on_hold();
        self.suspects.insert(test);
        if was_on_hold || !self.is_on_hold() || self.stop.is_some() {
            return;
        }
        for running in self.batches.values().filter(|running| !running.unresolved.is_empty()) {
            if let Some(worker) = &running.worker {
                let open = running.unresolved.iter().filter(|test| !self.suspects.contains(test));
                let open = open.map(|test| self.catalog.test(*test).id.clone()).collect();
                // One that has ended takes no orders.
                let _ = worker.orders.send(Order::Withdraw(open));
            }
        }
    }

    /// Whether the tests that failed and are run again would be too many failures if they failed once more.
    pub(super) fn is_on_hold(&self) -> bool {
        let failures = self.ledger.failures() as usize + self.suspects.len();
        !self.suspects.is_empty() && self.max_failures.is_some_and(|most| failures >= most as usize)
    }

    /// No new work from here on, and what runs is told to end.
    pub(super) fn stop(&mut self, stop: Stop) {
        if self.stop.is_some() {
            return;
        }
        self.notice(stop.level(), stop.notice().into());
        self.stop = Some(stop);
        for running in self.batches.values_mut() {
            match &running.worker {
                // What it has begun may come to its end, with its fixtures.
                Some(worker) if stop.is_gentle() && !running.given.is_empty() => {
                    let open = running.unresolved.iter().map(|test| self.catalog.test(*test).id.clone()).collect();
                    // One that has ended takes no orders.
                    let _ = worker.orders.send(Order::Withdraw(open));
                    running.finish();
                }
                _ => running.cancelled.cancel(),
            }
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
        self.search.shutdown().await;
        if !hurried {
            hurried = self.keep_artifacts(&mut signals).await;
        }
        let saving = tokio::spawn(std::mem::take(&mut self.memory).save());
        let closed = tokio::select! {
            failures = self.pool.close(), if !hurried => Some(failures),
            _ = signals.next(), if !hurried => None,
            else => None,
        };
        let (failures, unsaved) = match closed {
            Some(failures) => (failures, saving.await.ok().flatten()),
            None => (self.pool.hurry().await, None),
        };
        self.tell_logs();
        if let Some(message) = unsaved {
            self.notice(NoticeLevel::Warning, message);
        }
        for failure in failures {
            let run = self.pool.run_id();
            let message = format!("a sandbox was not destroyed (`offload clean --run {run}` tries again): {failure}");
            self.notice(NoticeLevel::Warning, message);
        }
        for test in self.ledger.close() {
            let event = Event::Judged { test: self.catalog.test(test).clone(), verdict: Verdict::NotRun };
            self.emit(&event);
        }
        let exit_code = match self.stop {
            Some(Stop::Signal(signal)) => ExitCode::Interrupted(signal),
            // All that there is was found, and none of it is for this shard.
            _ if self.elsewhere > 0 && self.ledger.summary().total() == 0 => ExitCode::Success,
            _ => self.ledger.exit_code(),
        };
        let summary = self.ledger.summary();
        self.emit(&Event::RunFinished { exit_code, seconds: self.began.elapsed().as_secs_f64(), summary });
        let undiscovered = self.undiscovered.into_iter().map(|(_, failure)| failure).collect();
        Finished { exit_code, summary, reporter: self.reporter, undiscovered }
    }

    /// Brings what is to be kept from all sandboxes; says whether a signal asked not to wait for that.
    async fn keep_artifacts(&mut self, signals: &mut Signals) -> bool {
        // A person who ends a run wants it to end.
        let is_wanted = !matches!(self.stop, Some(Stop::Signal(_)));
        let Some(artifacts) = self.rules.artifacts.take().filter(|_| is_wanted) else { return false };
        let sandboxes = self.stations.values().map(|station| station.sandbox.clone()).collect();
        let limit = self.rules.limit;
        let gathered = tokio::select! {
            gathered = tokio::time::timeout(limit, artifacts.gather(sandboxes)) => gathered,
            _ = signals.next() => return true,
        };
        let Ok(Gathered { files, failures }) = gathered else {
            let message = format!("bringing the artifacts took longer than {limit:?}: some are missing");
            self.notice(NoticeLevel::Warning, message);
            return false;
        };
        self.tell_logs();
        let has_failed = !failures.is_empty();
        for failure in failures {
            self.notice(NoticeLevel::Warning, failure.to_string());
        }
        let directory = artifacts.directory().display();
        let told = match files {
            0 if has_failed => return false,
            0 => "no file matches `artifacts`".to_owned(),
            1 => format!("kept 1 artifact in {directory}"),
            files => format!("kept {files} artifacts in {directory}"),
        };
        self.notice(NoticeLevel::Info, told);
        false
    }

    /// Tells what plugins have logged since nobody listened to anything else any more.
    fn tell_logs(&mut self) {
        while let Ok(message) = self.messages.try_recv() {
            if let Message::Log(level, message) = message {
                self.notice(level, message);
            }
        }
    }

    pub(super) fn notice(&mut self, level: NoticeLevel, message: String) {
        // Many sandboxes say the same thing: once is enough.
        if self.told.insert(message.clone()) {
            self.emit(&Event::Notice { level, message });
        }
    }

    pub(in crate::orchestrator) fn emit(&mut self, event: &Event) {
        self.memory.handle(event);
        // The reporter remembers its first error and gives it at the end; the run goes on.
        let _ = self.reporter.handle(event);
    }
}
