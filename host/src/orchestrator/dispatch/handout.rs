//! Who gets which work.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::dispatcher::{Dispatcher, GroupRules, Running};
use crate::model::{BatchId, Event, Test};
use crate::orchestrator::batch::{self, Job};
use crate::orchestrator::catalog::{GroupIndex, TestIndex};
use crate::orchestrator::news::NewsSender;
use crate::orchestrator::output::Logs;
use crate::orchestrator::schedule::{Allowance, Batch, SandboxKey};
use crate::orchestrator::stop::Stop;
use crate::provider::Sandbox;

impl Dispatcher {
    pub(super) fn hand_out(&mut self) {
        if self.stop.is_some() {
            return;
        }
        let has_nothing_else =
            self.search.is_over() && self.schedule.is_empty() && !self.batches.values().any(Running::has_tests);
        for (group, tests) in self.units.take_ready(has_nothing_else || self.is_on_hold()) {
            self.schedule.run_in_order(Batch { group, tests });
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
            && !self.units.is_waiting()
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
        let allowance = self.allowance(None);
        if self.schedule.has_in_order() {
            let open: Vec<_> = self.catalog.group_indices().map(|group| self.may_run(group, None)).collect();
            if let Some(batch) = self.schedule.take_in_order(&allowance, |group| open[group.get()]) {
                return self.start_in_order(key, batch);
            }
        }
        let Some(group) = self.schedule.choose(key, &allowance, |group| self.may_run(group, None)) else { return };
        if self.crews[group.get()].works {
            if self.has_room_for_worker(group) {
                self.start_worker(key, group, false);
            }
        } else if let Some(batch) = self.schedule.batch(key, group, &self.crowd(), &allowance) {
            let tests = batch.tests.iter().map(|test| self.catalog.test(*test).clone()).collect();
            self.start_batch(key, batch, tests, None);
        }
    }

    /// What a process may be given now; `asking` is one that has some already.
    pub(super) fn allowance(&self, asking: Option<BatchId>) -> Allowance {
        let (constraints, capacity) = (self.schedule.constraints(), self.pool.capacity());
        let only_failed = self.is_on_hold();
        if constraints.are_none() {
            return Allowance { capacity, only_failed, ..Allowance::default() };
        }
        let others = self.batches.iter().filter(|(id, running)| Some(**id) != asking && running.has_tests());
        let classes = others.map(|(_, running)| {
            let companions = running.companions.iter().flatten();
            running.unresolved.iter().chain(companions).map(|test| constraints.of(*test)).collect()
        });
        Allowance { blocked: constraints.blocked(&classes.collect::<Vec<_>>(), capacity), capacity, only_failed }
    }

    /// Runs tests after those that precede them in their unit, in a process that has run nothing else.
    fn start_in_order(&mut self, key: SandboxKey, batch: Batch) {
        let members = self.units.in_order(&batch.tests);
        let companions = members.iter().filter_map(|member| member.index).filter(|test| !batch.tests.contains(test));
        let companions = companions.collect();
        let tests = members.into_iter().map(|member| member.test).collect();
        self.start_batch(key, batch, tests, Some(companions));
    }

    /// Runs a batch as one command for `tests`: its own, and those of `companions`.
    fn start_batch(
        &mut self,
        key: SandboxKey,
        batch: Batch,
        tests: Vec<Arc<Test>>,
        companions: Option<HashSet<TestIndex>>,
    ) {
        let Some((id, sandbox)) = self.take_station(key) else {
            match companions {
                None => self.schedule.give_back(batch, None),
                Some(_) => self.schedule.run_in_order(batch),
            }
            return;
        };
        // Those that come along may take as long as the others.
        let limit = match &companions {
            None => self.rules.limit,
            Some(companions) => {
                let seconds = companions.iter().map(|test| self.schedule.seconds_of(batch.group, *test)).sum::<f64>();
                self.rules.limit + Duration::try_from_secs_f64(3.0 * seconds).unwrap_or_default()
            }
        };
        let (path, log) = self.reporter.log_stem(sandbox.name(), id);
        let cancelled = CancellationToken::new();
        let job = Job {
            id,
            framework: self.catalog.framework(batch.group).clone(),
            tests,
            limit,
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
        running.companions = companions;
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
