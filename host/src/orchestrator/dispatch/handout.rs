//! Who gets which work.

use tokio_util::sync::CancellationToken;

use super::dispatcher::{Dispatcher, GroupRules, Running};
use crate::model::{BatchId, Event};
use crate::orchestrator::batch::{self, Job};
use crate::orchestrator::catalog::GroupIndex;
use crate::orchestrator::news::NewsSender;
use crate::orchestrator::output::Logs;
use crate::orchestrator::schedule::{Batch, SandboxKey};
use crate::orchestrator::stop::Stop;
use crate::provider::Sandbox;

impl Dispatcher {
    pub(super) fn hand_out(&mut self) {
        if self.stop.is_some() {
            return;
        }
        let stations: Vec<_> = self.stations.iter().map(|(key, station)| (*key, station.batch)).collect();
        for (key, batch) in stations {
            match batch {
                None => self.occupy(key),
                Some(batch) => self.supply(key, batch),
            }
        }
        let none_comes_up = self.no_sandbox_comes_up();
        if none_comes_up && self.search.awaits_worker() {
            self.search.elsewhere();
        }
        if none_comes_up && !self.schedule.is_empty() {
            self.stop(Stop::NoSandbox);
        } else if !self.batches.values().any(Running::has_tests)
            && self.search.is_over()
            && self.schedule.is_empty()
            && !self.ledger.is_complete()
        {
            self.stop(Stop::Lost);
        }
    }

    /// Gives a free sandbox something to do.
    fn occupy(&mut self, key: SandboxKey) {
        if let Some(group) = self.early_worker() {
            let discover = self.search.hand_to_worker(group);
            return self.start_worker(key, group, discover);
        }
        let Some(group) = self.schedule.choose(key, |group| self.may_run(group, None)) else { return };
        if self.crews[group.get()].works {
            if self.has_room_for_worker(group) {
                self.start_worker(key, group, false);
            }
        } else if let Some(batch) = self.schedule.batch(key, group, &self.crowd()) {
            self.start_batch(key, batch);
        }
    }

    fn start_batch(&mut self, key: SandboxKey, batch: Batch) {
        let Some((id, sandbox)) = self.take_station(key) else {
            self.schedule.give_back(batch, None);
            return;
        };
        let (path, log) = self.reporter.log_stem(sandbox.name(), id);
        let cancelled = CancellationToken::new();
        let job = Job {
            id,
            framework: self.catalog.framework(batch.group).clone(),
            tests: batch.tests.iter().map(|test| self.catalog.test(*test).clone()).collect(),
            limit: self.rules.limit,
            logs: Logs { stem: path, mask: self.rules.mask.clone() },
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
        let mut running = Running::new(key, sandbox.name().clone(), batch.group, log, cancelled);
        running.give(&batch.tests);
        self.batches.insert(id, running);
    }

    /// Reserves a free sandbox for a new batch or worker.
    pub(super) fn take_station(&mut self, key: SandboxKey) -> Option<(BatchId, Sandbox)> {
        let station = self.stations.get_mut(&key)?;
        let id = self.next_batch;
        self.next_batch = id.next();
        station.batch = Some(id);
        Some((id, station.sandbox.clone()))
    }

    /// Whether another worker of the group would find something to do.
    fn has_room_for_worker(&self, group: GroupIndex) -> bool {
        let starting = self.workers_of(group).filter(|worker| worker.is_starting()).count();
        let has_room = self.workers_of(group).count() < self.rules.groups[group.get()].max_parallel;
        has_room && self.schedule.waiting(group) > starting
    }

    /// Whether the rules of the groups let another sandbox run tests of this one; `asking` is one that has some already.
    pub(super) fn may_run(&self, group: GroupIndex, asking: Option<BatchId>) -> bool {
        let rules = &self.rules.groups;
        if rules.iter().all(GroupRules::is_free) {
            return true;
        }
        let others = self.batches.iter().filter(|(id, running)| Some(**id) != asking && running.has_tests());
        let (mut alike, mut in_the_way) = (0, false);
        for (_, running) in others {
            alike += usize::from(running.group == group);
            let alone = rules[group.get()].exclusive || rules[running.group.get()].exclusive;
            in_the_way |= running.group != group && alone;
        }
        !in_the_way && alike < rules[group.get()].max_parallel
    }
}
