//! The one place that puts events in order: it hands out work, keeps the account and tells the reports.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::batch::{self, Ended, Job, News, NewsSender};
use super::catalog::{Catalog, GroupIndex, TestIndex};
use super::ledger::{Again, Ledger, Recorded};
use super::pool::{PoolEvent, SandboxPool};
use super::schedule::{Batch, SandboxKey, Schedule};
use super::settle::{End, Settlement, Unsettled, settle};
use super::signals::Signals;
use super::stop::Stop;
use crate::framework::nameless;
use crate::model::{
    Attempt, BatchEnd, BatchId, Discovered, Event, ExitCode, Failure, NoticeLevel, Outcome, SandboxName, Status,
    Summary, Test, TestId, Verdict,
};
use crate::process::Exit;
use crate::provider::Sandbox;
use crate::report::Reporter;

/// How often a test may lose its sandbox before that is held against it.
const MOST_LOSSES: u8 = 3;

/// How long batches that were told to end are waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// News that may wait for the dispatcher.
const BACKLOG: usize = 1024;

/// What the dispatcher is told that does not come from a batch.
pub(super) enum Message {
    Discovered { group: GroupIndex, duration: Duration, result: Result<Discovered, Failure> },
    Log(NoticeLevel, String),
}

/// What a run is to keep to.
pub(super) struct Rules {
    pub(super) retry_count: u32,
    /// What bounds a batch.
    pub(super) limit: Duration,
    pub(super) stream: bool,
}

pub(super) struct Dispatcher {
    rules: Rules,
    catalog: Catalog,
    schedule: Schedule,
    ledger: Ledger,
    reporter: Reporter,
    pool: SandboxPool,
    stations: BTreeMap<SandboxKey, Station>,
    next_station: SandboxKey,
    batches: HashMap<BatchId, Running>,
    next_batch: BatchId,
    tasks: JoinSet<()>,
    news: (mpsc::Sender<(BatchId, News)>, mpsc::Receiver<(BatchId, News)>),
    messages: mpsc::UnboundedReceiver<Message>,
    /// Groups that are still being discovered.
    discovering: usize,
    /// Why no group could be discovered, if that is so.
    undiscovered: Vec<(GroupIndex, Failure)>,
    max_failures: Option<u32>,
    losses: HashMap<TestIndex, u8>,
    told: HashSet<String>,
    stop: Option<Stop>,
    scratch: PathBuf,
    began: Instant,
}

/// A sandbox and what it does.
struct Station {
    sandbox: Sandbox,
    batch: Option<BatchId>,
}

/// A batch that has not ended yet.
struct Running {
    station: SandboxKey,
    sandbox: SandboxName,
    group: GroupIndex,
    tests: HashMap<TestId, TestIndex>,
    unresolved: HashSet<TestIndex>,
    /// In the order in which they were handed out.
    order: Vec<TestIndex>,
    failed: Vec<TestIndex>,
    running: Option<(TestIndex, Duration)>,
    in_tests: f64,
    log: String,
    cancelled: CancellationToken,
}

/// How a run ended.
pub(super) struct Finished {
    pub(super) exit_code: ExitCode,
    pub(super) summary: Summary,
    pub(super) reporter: Reporter,
    /// Why no group could be discovered.
    pub(super) undiscovered: Vec<Failure>,
}

impl Dispatcher {
    pub(super) fn new(
        rules: Rules,
        catalog: Catalog,
        reporter: Reporter,
        pool: SandboxPool,
        messages: mpsc::UnboundedReceiver<Message>,
        scratch: PathBuf,
    ) -> Self {
        let discovering = catalog.group_indices().count();
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
            news: mpsc::channel(BACKLOG),
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
    pub(super) async fn run(mut self, mut signals: Signals) -> Finished {
        while !self.is_over() {
            self.hand_out();
            tokio::select! {
                Some((batch, news)) = self.news.1.recv() => self.hear(batch, news),
                Some(event) = self.pool.next() => self.pool_event(event),
                Some(message) = self.messages.recv() => self.message(message),
                signal = signals.next() => self.stop(Stop::Signal(signal)),
            }
        }
        self.leave(signals).await
    }

    fn is_over(&self) -> bool {
        if self.stop.is_some() {
            return self.batches.is_empty();
        }
        self.discovering == 0 && self.ledger.is_complete() && self.batches.is_empty()
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
        let news = NewsSender { batch: id, channel: self.news.0.clone() };
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

    fn hear(&mut self, batch: BatchId, news: News) {
        let Some(running) = self.batches.get_mut(&batch) else { return };
        match news {
            News::Started(id) => {
                if let Some(test) = running.tests.get(&id).copied() {
                    let event =
                        Event::TestStarted { test: self.catalog.test(test).clone(), sandbox: running.sandbox.clone() };
                    self.emit(&event);
                }
            }
            News::Running(id, duration) => running.running = running.tests.get(&id).map(|test| (*test, duration)),
            News::Line(stream, line) => {
                let event = Event::Output { sandbox: running.sandbox.clone(), stream, line };
                self.emit(&event);
            }
            News::Result(id, outcome) => self.result(batch, &id, *outcome),
            News::Ended(ended) => self.ended(batch, ended),
        }
    }

    fn result(&mut self, batch: BatchId, id: &TestId, outcome: Outcome) {
        let Some(running) = self.batches.get_mut(&batch) else { return };
        let Some(test) = running.tests.get(id).copied() else {
            let message = format!("{} reported a result for a test that it was not given: {id}", running.sandbox);
            self.notice(NoticeLevel::Warning, message);
            return;
        };
        // The first word counts: what a framework streamed it says again at the end.
        if running.unresolved.remove(&test) {
            running.in_tests += outcome.duration;
            if running.running.is_some_and(|(other, _)| other == test) {
                running.running = None;
            }
            let (sandbox, log) = (running.sandbox.clone(), running.log.clone());
            if self.attempted(test, Some(sandbox), Some(log), outcome, Again::AsConfigured)
                && let Some(running) = self.batches.get_mut(&batch)
            {
                running.failed.push(test);
            }
        }
    }

    /// Enters an attempt in the account; says whether the test is to be attempted again.
    fn attempted(
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

    fn ended(&mut self, id: BatchId, ended: Ended) {
        let Some(running) = self.batches.remove(&id) else { return };
        let Ended { end, duration, stderr } = ended;
        let Running { station, sandbox, group, mut unresolved, order, failed, in_tests, log, .. } = running;
        let resolved = order.len() - unresolved.len();
        self.schedule.learn(group, duration.as_secs_f64(), resolved, in_tests);
        // The plugin cannot know for how long its process was left to run: what no other test took, this one had.
        let running = running.running.map(|(test, told)| {
            (test, told.max(duration.saturating_sub(Duration::try_from_secs_f64(in_tests).unwrap_or_default())))
        });
        let handed_out = order.len();
        let open: Vec<_> = order.into_iter().filter(|test| unresolved.remove(test)).collect();
        let broken = if let End::ProviderFailed(failure) = &end { Some(failure.clone()) } else { None };
        let batch_end = told_of(&end);
        let Settlement { judged, again, singly, lost } =
            settle(Unsettled { end, handed_out, unresolved: open, running, stderr });
        let returned = again.iter().map(Vec::len).sum::<usize>() + lost.len();
        let seconds = duration.as_secs_f64();
        let event = Event::BatchEnded { batch: id, sandbox: sandbox.clone(), seconds, end: batch_end, returned };
        self.emit(&event);
        let mut failed = failed;
        for (test, outcome, again) in judged {
            if self.attempted(test, Some(sandbox.clone()), Some(log.clone()), outcome, again) {
                failed.push(test);
            }
        }
        if singly {
            self.schedule.run_singly(group);
        }
        for tests in again {
            self.schedule.give_back(Batch { group, tests }, None);
        }
        self.schedule.retry(Batch { group, tests: failed }, station, self.stations.len());
        let broken = broken.filter(|_| !lost.is_empty());
        self.lost(group, &sandbox, &log, lost, broken.as_ref());
        match broken {
            Some(failure) => self.replace(station, failure),
            None => {
                if let Some(station) = self.stations.get_mut(&station) {
                    station.batch = None;
                }
            }
        }
    }

    /// Tests whose sandbox broke are handed out again, unless that happens to them every time.
    fn lost(
        &mut self,
        group: GroupIndex,
        sandbox: &SandboxName,
        log: &str,
        lost: Vec<TestIndex>,
        failure: Option<&Failure>,
    ) {
        let mut again = Vec::new();
        for test in lost {
            let losses = self.losses.entry(test).or_default();
            *losses += 1;
            if *losses < MOST_LOSSES {
                again.push(test);
                continue;
            }
            let reason = failure.map_or("it broke", |failure| &failure.message);
            let outcome = Outcome::new(Status::Error, format!("its sandbox was lost {losses} times: {reason}"));
            self.attempted(test, Some(sandbox.clone()), Some(log.to_owned()), outcome, Again::Never);
        }
        self.schedule.give_back(Batch { group, tests: again }, None);
    }

    fn replace(&mut self, key: SandboxKey, failure: Failure) {
        let Some(station) = self.stations.remove(&key) else { return };
        let replaced = self.stop.is_none() && self.pool.replace(&station.sandbox);
        let sandbox = station.sandbox.name().clone();
        self.emit(&Event::SandboxFailed { sandbox, failure, replaced });
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

    pub(super) fn message(&mut self, message: Message) {
        match message {
            Message::Log(level, message) => self.notice(level, message),
            Message::Discovered { group, duration, result } => {
                self.discovering -= 1;
                match result {
                    Ok(discovered) => self.discovered(group, discovered, duration),
                    Err(failure) => self.undiscovered.push((group, failure)),
                }
                if self.discovering == 0 {
                    self.judge_undiscovered();
                }
            }
        }
    }

    /// A group that could not be discovered is an error result of its own, unless nothing at all was found.
    fn judge_undiscovered(&mut self) {
        if self.catalog.len() == 0 {
            return;
        }
        for (group, failure) in std::mem::take(&mut self.undiscovered) {
            let name = self.catalog.group_name(group).clone();
            self.emit(&Event::DiscoveryFailed { group: name.clone(), failure: failure.clone() });
            let mut outcome = Outcome::new(Status::Error, "the tests of this group could not be found");
            outcome.details = Some(failure.to_string());
            self.add_judged(nameless(&name, "discovery"), outcome);
        }
    }

    fn discovered(&mut self, group: GroupIndex, discovered: Discovered, duration: Duration) {
        let Discovered { tests, problems, max_failures } = discovered;
        self.max_failures = self.max_failures.into_iter().chain(max_failures).filter(|most| *most > 0).min();
        let finished = Event::DiscoveryFinished {
            group: self.catalog.group_name(group).clone(),
            tests: tests.len(),
            problems: problems.len(),
            seconds: duration.as_secs_f64(),
        };
        let mut units = HashMap::new();
        let mut fresh = Vec::with_capacity(tests.len());
        for test in tests {
            if test.skipped {
                let outcome = Outcome::new(Status::Skipped, "skipped by the framework");
                self.add_judged(test, outcome);
                continue;
            }
            let number = u32::try_from(units.len()).unwrap_or(u32::MAX);
            let unit = *units.entry(test.unit.clone()).or_insert(number);
            fresh.push((self.add(test), unit));
        }
        self.schedule.add(group, fresh);
        for problem in problems {
            self.add_judged(problem.test, problem.outcome);
        }
        self.emit(&finished);
    }

    fn add(&mut self, test: Test) -> TestIndex {
        let test = Arc::new(test);
        self.emit(&Event::TestDiscovered { test: test.clone() });
        self.ledger.add(1);
        self.catalog.add(test)
    }

    fn add_judged(&mut self, test: Test, outcome: Outcome) {
        let test = self.add(test);
        self.attempted(test, None, None, outcome, Again::Never);
    }

    /// No new work from here on, and what runs is told to end.
    fn stop(&mut self, stop: Stop) {
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
        while !self.batches.is_empty() {
            tokio::select! {
                Some((batch, news)) = self.news.1.recv() => self.hear(batch, news),
                _ = signals.next() => break,
                () = tokio::time::sleep_until(deadline) => break,
            }
        }
        self.tasks.shutdown().await;
        let closed = tokio::select! {
            failures = self.pool.close() => Some(failures),
            _ = signals.next() => None,
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

    fn notice(&mut self, level: NoticeLevel, message: String) {
        // Many sandboxes say the same thing: once is enough.
        if self.told.insert(message.clone()) {
            self.emit(&Event::Notice { level, message });
        }
    }

    pub(super) fn emit(&mut self, event: &Event) {
        // The reporter remembers its first error and gives it at the end; the run goes on.
        let _ = self.reporter.handle(event);
    }
}

fn told_of(end: &End) -> BatchEnd {
    if let Some(reason) = end.split() {
        return BatchEnd::Split { reason: reason.to_owned() };
    }
    match end {
        End::Exited(Exit::Code(code)) => BatchEnd::Exited { code: *code },
        End::Exited(Exit::Signal(signal)) => BatchEnd::Signalled { signal: *signal },
        End::TimedOut(_) => BatchEnd::TimedOut,
        End::Cancelled => BatchEnd::Cancelled,
        End::ProviderFailed(failure) | End::FrameworkFailed(failure) => BatchEnd::Failed { failure: failure.clone() },
    }
}
