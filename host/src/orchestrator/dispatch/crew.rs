//! Warm workers: started early, kept supplied, and ended when there is nothing more for them.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::dispatcher::{Dispatcher, Phase, Running, WorkerState};
use crate::framework::Framework;
use crate::model::{BatchId, Event, NoticeLevel, Test, TestId};
use crate::orchestrator::catalog::{GroupIndex, TestIndex};
use crate::orchestrator::news::NewsSender;
use crate::orchestrator::output::Logs;
use crate::orchestrator::schedule::{Batch, SandboxKey};
use crate::orchestrator::settle::{End, describe};
use crate::orchestrator::worker::{self, Job, Order};

/// How long a worker that knows of nothing more waits with its last test for what another was asked to give back.
const ANSWER: Duration = Duration::from_millis(500);

/// A worker is told to finish while it still runs what is before its last test, so that it need not wait for that.
const LAST_TESTS: usize = 2;

/// From here on a test that has not ended is one that takes long.
const LONG: Duration = Duration::from_secs(1);

/// The workers of one group.
pub(super) struct Crew {
    /// Whether workers, rather than batches, run its tests.
    pub(super) works: bool,
    /// The worker that found its tests, as long as it runs.
    pub(super) finder: Option<BatchId>,
    /// Tests that only that one can run.
    pub(super) for_finder: VecDeque<TestIndex>,
    /// Units whose tests have other ids in every process.
    pub(super) unstable: HashSet<String>,
    /// How many were started before the group's tests were known.
    early: usize,
}

impl Crew {
    pub(super) fn of(framework: &Framework) -> Self {
        // A component that cannot be loaded says so when the tests are looked for.
        let works = framework.has_workers().unwrap_or(false);
        Self { works, finder: None, for_finder: VecDeque::new(), unstable: HashSet::new(), early: 0 }
    }
}

impl WorkerState {
    pub(super) fn is_starting(&self) -> bool {
        self.phase == Phase::Starting || self.discovers
    }
}

impl Dispatcher {
    /// A group that can use a worker although its tests are not known yet.
    pub(super) fn early_worker(&self) -> Option<GroupIndex> {
        let open = |group: &GroupIndex| self.crews[group.get()].works && self.search.is_open(*group);
        let group = self.catalog.group_indices().find(open)?;
        let most = self.rules.early_workers.min(self.rules.groups[group.get()].max_parallel);
        (self.search.awaits_worker() || self.crews[group.get()].early < most).then_some(group)
    }

    pub(super) fn workers_of(&self, group: GroupIndex) -> impl Iterator<Item = &WorkerState> {
        self.batches
            .values()
            .filter(move |running| running.group == group)
            .filter_map(|running| running.worker.as_ref())
    }

    pub(super) fn start_worker(&mut self, key: SandboxKey, group: GroupIndex, discover: bool) {
        let Some((id, sandbox)) = self.take_station(key) else { return };
        self.crews[group.get()].early += usize::from(self.search.is_open(group));
        let (path, log) = self.reporter.log_stem(sandbox.name(), id);
        let framework = self.catalog.framework(group).clone();
        let cancelled = CancellationToken::new();
        let (orders, receiver) = mpsc::unbounded_channel();
        let job = Job {
            id,
            sandbox: sandbox.clone(),
            discover,
            limit: framework.test_limit().unwrap_or(self.rules.limit),
            framework,
            logs: Logs { stem: path, mask: self.rules.mask.clone() },
            stream: self.rules.stream,
        };
        let group_name = self.catalog.group_name(group).clone();
        self.emit(&Event::WorkerStarted { batch: id, sandbox: sandbox.name().clone(), group: group_name });
        let news = NewsSender { batch: id, channel: self.news_sender.clone() };
        self.tasks.spawn(worker::run(job, receiver, cancelled.clone(), news));
        let mut running = Running::new(key, sandbox.name().clone(), group, log, cancelled);
        running.worker = Some(WorkerState { orders, phase: Phase::Starting, discovers: discover, asked: None });
        self.batches.insert(id, running);
    }

    /// Sees to it that a worker has enough to do, or comes to its end.
    pub(super) fn supply(&mut self, key: SandboxKey, id: BatchId) {
        if self.search.is_over() && self.ledger.is_complete() {
            return self.send_home(id);
        }
        while let Some(group) = self.hungry(id) {
            let next = self.may_run(group, Some(id)).then(|| self.order(key, id, group));
            match next.flatten() {
                Some(batch) => self.assign(id, batch),
                None => return self.dismiss(key, id, group),
            }
        }
    }

    /// A test that has been running for long says how long tests of its group may take, before it ends.
    pub(super) fn review_costs(&mut self) {
        let now = Instant::now();
        for group in self.catalog.group_indices() {
            let of_group = self.batches.values().filter(|running| running.group == group && running.worker.is_some());
            let ages = of_group.filter_map(|running| Some(now - running.began?)).filter(|age| *age >= LONG);
            let (tests, seconds) = ages.fold((0, 0.0), |(tests, sum), age| (tests + 1, sum + age.as_secs_f64()));
            self.schedule.learn_under_way(group, tests, seconds);
        }
    }

    fn order(&mut self, key: SandboxKey, id: BatchId, group: GroupIndex) -> Option<Batch> {
        if let Some(batch) = self.order_for_finder(id, group) {
            return Some(batch);
        }
        let pending = self.batches.get(&id)?.unresolved.iter().copied();
        let allowance = self.allowance(Some(id));
        self.schedule.order(key, group, self.sandboxes(), pending, &allowance)
    }

    /// The group of a worker that could do with more tests.
    fn hungry(&self, id: BatchId) -> Option<GroupIndex> {
        let running = self.batches.get(&id)?;
        let worker = running.worker.as_ref()?;
        let takes = worker.phase == Phase::Working && !worker.discovers;
        let wants_more = || self.schedule.wants_more(running.group, running.unresolved.iter().copied());
        (takes && wants_more()).then_some(running.group)
    }

    fn assign(&mut self, id: BatchId, batch: Batch) {
        let Some(running) = self.batches.get_mut(&id) else { return };
        if !running.has_tests() {
            // For how long it had nothing to do is no cost of what comes now.
            running.since = Instant::now();
        }
        running.give(&batch.tests);
        let tests = batch.tests.iter().map(|test| self.catalog.test(*test).clone()).collect();
        if let Some(worker) = &running.worker {
            // One that has ended says so, and then its tests are handed out again.
            let _ = worker.orders.send(Order::Assign(tests));
        }
    }

    /// There is nothing more for this worker. It waits, unless that keeps its last test from being run, or its sandbox
    /// from work that it cannot do itself.
    fn dismiss(&mut self, key: SandboxKey, id: BatchId, group: GroupIndex) {
        let wanted_elsewhere = self
            .schedule
            .choose(key, &self.allowance(Some(id)), |group| self.may_run(group, Some(id)))
            .is_some_and(|other| other != group);
        // What runs in the order of its file has a process of its own.
        let ends = wanted_elsewhere || self.schedule.has_in_order() || self.makes_room(key, group);
        if self.search.is_open(group) || (!ends && self.take_back(key, id, group)) {
            return;
        }
        let Some(running) = self.batches.get(&id).filter(|running| ends || !running.unresolved.is_empty()) else {
            return;
        };
        // Once it was told to finish nothing can be taken back from it: neither for others nor since the run is to stop.
        let is_at_its_end = running.unresolved.len() <= LAST_TESTS
            || running.unresolved.iter().all(|test| self.schedule.is_foreseen(*test));
        if is_at_its_end && let Some(running) = self.batches.get_mut(&id) {
            running.finish();
        }
    }

    /// Whether this worker should end for one that may run what it is past. Where enough others come or go, those will.
    fn makes_room(&self, key: SandboxKey, group: GroupIndex) -> bool {
        let of_group = self.batches.values().filter(|running| running.group == group && !running.has_tests());
        let is_changing = |running: &&Running| running.worker.as_ref().is_some_and(|it| it.phase != Phase::Working);
        of_group.filter(is_changing).count() < self.schedule.waiting(group) && self.schedule.is_past(key, group)
    }

    /// Asks the worker that would end last for tests that it will not come to soon. Says whether some may come: a worker that
    /// ends costs another process if they come later.
    fn take_back(&mut self, key: SandboxKey, asking: BatchId, group: GroupIndex) -> bool {
        let asked = |running: &Running| running.worker.as_ref().and_then(|worker| worker.asked);
        let others = self.batches.iter().filter(|(id, _)| **id != asking);
        let working = others.filter(|(_, running)| running.group == group && running.has_tests());
        if let Some(since) = working.clone().filter_map(|(_, running)| asked(running)).min() {
            // It answers between two tests, and the one that it runs may be long.
            return since.elapsed() < ANSWER;
        }
        let takes_orders =
            |running: &Running| running.worker.as_ref().is_some_and(|worker| worker.phase == Phase::Working);
        let pending =
            working.filter(|(_, running)| takes_orders(running)).map(|(id, running)| (*id, running.pending()));
        let unit = |test| (self.units.of(test), self.units.bond(test));
        let Some((id, tests)) = self.schedule.take_back(key, group, pending, unit) else { return false };
        let ids = tests.iter().map(|test| self.catalog.test(*test).id.clone()).collect();
        let worker = self.batches.get_mut(&id).and_then(|running| running.worker.as_mut());
        worker.is_some_and(|worker| {
            worker.asked = Some(Instant::now());
            worker.orders.send(Order::Withdraw(ids)).is_ok()
        })
    }

    /// All tests have their verdicts.
    fn send_home(&mut self, id: BatchId) {
        let Some(running) = self.batches.get_mut(&id) else { return };
        if running.given.is_empty() {
            // It has nothing to bring to an end, and may not even have begun.
            running.cancelled.cancel();
        } else {
            running.finish();
        }
    }

    pub(super) fn worker_is_ready(&mut self, id: BatchId) {
        if let Some(worker) = self.batches.get_mut(&id).and_then(|running| running.worker.as_mut())
            && worker.phase == Phase::Starting
        {
            worker.phase = Phase::Working;
        }
    }

    /// A worker gave tests back: they are for others.
    pub(super) fn returned(&mut self, id: BatchId, ids: &[TestId]) {
        let Some(running) = self.batches.get_mut(&id) else { return };
        let group = running.group;
        if let Some(worker) = &mut running.worker {
            worker.asked = None;
        }
        let tests = ids.iter().filter_map(|id| self.catalog.find(group, id));
        let tests: Vec<_> = tests.filter(|test| running.unresolved.remove(test)).collect();
        // They were not run here.
        running.given.retain(|test| !tests.contains(test));
        self.give_back(group, tests);
    }

    /// A worker loaded a unit: what nobody knew of is added, and is for the one that has it.
    pub(super) fn unit(&mut self, id: BatchId, tests: Vec<Test>) {
        let Some(running) = self.batches.get(&id) else { return };
        let group = running.group;
        let is_new =
            |test: &Test| self.catalog.find(group, &test.id).is_none() && !self.search.deselected(group, &test.id);
        let (new, known): (Vec<_>, Vec<_>) = tests.into_iter().partition(is_new);
        let Some(first) = new.first() else { return };
        let unit = first.unit.clone().unwrap_or_default();
        if self.is_unstable(group, &unit, first, &known) {
            return;
        }
        self.notice(
            NoticeLevel::Warning,
            format!(
                "{unit} holds tests in a sandbox that were not found before: do their names change from run to run?"
            ),
        );
        let tests: Vec<_> = new.into_iter().map(|test| self.add(group, test)).collect();
        let finishing = |running: &Running| running.worker.as_ref().is_none_or(|worker| worker.phase != Phase::Working);
        let batch = Batch { group, tests };
        if self.batches.get(&id).is_none_or(finishing) {
            self.schedule.give_back(batch, None);
        } else {
            self.assign(id, batch);
        }
    }

    /// A worker has ended.
    pub(super) fn worker_ended(&mut self, running: &Running, worker: &WorkerState, end: &End) {
        let group = running.group;
        self.schedule.release(running.station);
        if self.stop.is_some() {
            return;
        }
        if worker.discovers {
            self.search.worker_gave_up(group);
        }
        self.finder_ended(group);
        // What becomes of a sandbox says nothing of the workers in it, and one that is not wanted any more may not be up yet.
        if end.was_interrupted() || matches!(end, End::Cancelled) {
            return;
        }
        let began_none = running.running.is_none() && running.unresolved.len() == running.given.len();
        if worker.phase == Phase::Starting {
            self.work_without(group, &format!("the one in {} {}", running.sandbox, told(end)));
        } else if began_none && !running.given.is_empty() {
            self.work_without(group, &format!("the one in {} {} before its first test", running.sandbox, told(end)));
        }
    }

    /// A worker that takes no test is none: batches do the same work, or say what is wrong.
    fn work_without(&mut self, group: GroupIndex, why: &str) {
        if !self.crews[group.get()].works {
            return;
        }
        self.crews[group.get()].works = false;
        let name = self.catalog.group_name(group).clone();
        self.notice(
            NoticeLevel::Warning,
            format!("group {name} runs in batches, since its workers do not work: {why}"),
        );
    }
}

fn told(end: &End) -> String {
    match end {
        End::Exited(exit) => describe(*exit),
        End::TimedOut(_) => "gave no sign of life (does the sandbox pass standard input on?)".to_owned(),
        End::Cancelled => "was ended".to_owned(),
        End::ProviderFailed(failure) | End::FrameworkFailed(failure) => format!("failed: {}", failure.message),
    }
}
