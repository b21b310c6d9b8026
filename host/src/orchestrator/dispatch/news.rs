//! What batches tell: results, output, and how they ended.

use std::time::{Duration, Instant};

use super::dispatcher::{Dispatcher, Running};
use crate::model::{
    Attempt, BatchEnd, BatchId, Event, Failure, NoticeLevel, Outcome, SandboxName, Status, Test, TestId,
};
use crate::orchestrator::catalog::{GroupIndex, TestIndex};
use crate::orchestrator::ledger::Again;
use crate::orchestrator::news::{Ended, News};
use crate::orchestrator::schedule::Batch;
use crate::orchestrator::settle::{End, Settlement, Unsettled, describe, settle};
use crate::orchestrator::stop::Stop;
use crate::process::Exit;

/// How often a test may lose its sandbox before that is held against it.
const MOST_LOSSES: u8 = 3;

/// A property of a failed session that was ended on purpose, so that nothing more is to be run.
const STOP: (&str, &str) = ("stop", "true");

impl Dispatcher {
    pub(super) fn hear(&mut self, batch: BatchId, news: News) {
        let Some(running) = self.batches.get_mut(&batch) else { return };
        match news {
            News::Started(id) => {
                let test = self.catalog.find(running.group, &id).filter(|test| running.has(*test));
                if let Some(test) = test {
                    running.began = Some(Instant::now());
                    let event =
                        Event::TestStarted { test: self.catalog.test(test).clone(), sandbox: running.sandbox.clone() };
                    self.emit(&event);
                }
            }
            News::Running(id, duration) => {
                let test = self.catalog.find(running.group, &id).filter(|test| running.has(*test));
                running.running = test.map(|test| (test, duration));
            }
            News::Uncancelled(failure) => running.uncancelled = Some(failure),
            News::Line(stream, line) => {
                let event = Event::Output { sandbox: running.sandbox.clone(), stream, line };
                self.emit(&event);
            }
            News::Result(id, outcome) => self.result(batch, &id, *outcome),
            News::Rerun(id, outcome) => self.rerun(batch, &id, *outcome),
            News::SessionFailed(id, outcome) => self.session_failed(batch, id, *outcome),
            News::Ready => self.worker_is_ready(batch),
            News::Found(discovered, duration) => {
                if let Some(worker) = running.worker.as_mut().filter(|worker| worker.discovers) {
                    worker.discovers = false;
                    let group = running.group;
                    self.crews[group.get()].finder = Some(batch);
                    self.discovered(group, discovered, duration);
                }
            }
            News::Unit(tests) => self.unit(batch, tests),
            News::Returned(ids) => self.returned(batch, &ids),
            News::Warnings(count) => {
                let (sandbox, group) = (running.sandbox.clone(), self.catalog.group_name(running.group).clone());
                self.emit(&Event::Warned { sandbox, group, count });
            }
            News::Ended(ended) => self.ended(batch, ended),
        }
    }

    fn result(&mut self, batch: BatchId, id: &TestId, outcome: Outcome) {
        let Some(running) = self.batches.get_mut(&batch) else { return };
        // Also of a test that ran for the sake of others only: it explains how the command ended as well.
        running.told_of_failure |= outcome.status.is_failure();
        let (group, is_worker) = (running.group, running.worker.is_some());
        let found = self.catalog.find(group, id).filter(|test| running.has(*test));
        if running.companions.is_some() && found.is_none_or(|test| !running.given.contains(&test)) {
            // It has its verdict, or is another shard's: it ran for the sake of those that follow.
            return;
        }
        let Some(test) = found else {
            let message = format!("{} reported a result for a test that it was not given: {id}", running.sandbox);
            self.notice(NoticeLevel::Warning, message);
            return;
        };
        // The first word counts: what a framework streamed it says again at the end.
        if !running.unresolved.remove(&test) {
            return;
        }
        running.in_tests += outcome.duration;
        running.began = None;
        if let Some(station) = self.stations.get_mut(&running.station) {
            station.has_worked = true;
        }
        if running.running.is_some_and(|(other, _)| other == test) {
            running.running = None;
        }
        if is_worker {
            let (besides, new_unit) = running.turn(self.catalog.test(test), outcome.duration);
            self.schedule.learn_test(group, outcome.duration);
            self.schedule.learn_turn(group, besides, new_unit);
        } else {
            running.since = Instant::now();
        }
        let (station, sandbox, log) = (running.station, running.sandbox.clone(), running.log.clone());
        if self.is_to_be_looked_at(batch, test, outcome.status) {
            return self.look_again(test);
        }
        self.relies_on_order(batch, test, outcome.status);
        if !self.attempted(test, Some(sandbox), Some(log), outcome, Again::AsConfigured) {
            return;
        }
        if self.retries_in_order(test) {
            self.units.wait(test);
        } else if is_worker {
            self.schedule.retry(Batch { group, tests: vec![test] }, station, self.sandboxes());
        } else if let Some(running) = self.batches.get_mut(&batch) {
            running.failed.push(test);
        }
    }

    /// The framework itself runs a test again that failed: an attempt, but none that we have to repeat.
    fn rerun(&mut self, batch: BatchId, id: &TestId, outcome: Outcome) {
        let Some(running) = self.batches.get(&batch) else { return };
        let Some(test) = self.catalog.find(running.group, id).filter(|test| running.unresolved.contains(test)) else {
            return;
        };
        let (sandbox, log) = (running.sandbox.clone(), running.log.clone());
        let Some(number) = self.ledger.rerun(test) else { return };
        let attempt = Attempt { number, sandbox: Some(sandbox), log: Some(log), outcome };
        self.emit(&Event::Attempted { test: self.catalog.test(test).clone(), attempt, retried: true });
    }

    /// The process is to be judged beyond its tests: an error result of its group, once for all processes that say the same.
    fn session_failed(&mut self, batch: BatchId, id: TestId, mut outcome: Outcome) {
        let Some(running) = self.batches.get_mut(&batch) else { return };
        running.told_of_failure = true;
        if running.cancelled.is_cancelled() {
            // It was ended by us.
            return;
        }
        let (group, sandbox, log) = (running.group, running.sandbox.clone(), running.log.clone());
        outcome.status = Status::Error;
        let ends_all = outcome.properties.iter().any(|(name, value)| (name.as_str(), value.as_str()) == STOP);
        outcome.properties.retain(|(name, _)| name != STOP.0);
        let message = outcome.message.clone().unwrap_or_default();
        if !self.told_sessions.insert((group, id.clone(), message)) {
            return;
        }
        // Another process may have failed in another way.
        let numbered = (2..).map(|number| TestId::new(format!("{id} ({number})")));
        let free = std::iter::once(id.clone()).chain(numbered).find(|id| self.catalog.find(group, id).is_none());
        let id = free.unwrap_or(id);
        let test = self.add(group, Test::nameless(self.catalog.group_name(group).clone(), id.as_str()));
        self.attempted(test, Some(sandbox), Some(log), outcome, Again::Never);
        if ends_all {
            self.stop(Stop::Session);
        }
    }

    /// A stranger's plugin may say that all is well whatever its command came to.
    fn hold_against_exit(&mut self, running: &Running, end: &End) {
        let End::Exited(exit) = end else { return };
        let has_results = running.unresolved.len() < running.given.len();
        let is_odd = *exit != Exit::Code(0) && has_results && running.unresolved.is_empty() && !running.told_of_failure;
        if !is_odd || !self.rules.groups[running.group.get()].minds_exit {
            return;
        }
        let (name, plugin) = (self.catalog.group_name(running.group), self.catalog.framework(running.group).kind());
        let message = format!(
            "plugin `{plugin}` says that no test failed of a command of group {name} in {} that {}: if that is as it should be, set \
             `trust_exit = false` in [groups.{name}]",
            running.sandbox,
            describe(*exit),
        );
        if self.told.insert(format!("exit of {name}")) {
            self.notice(NoticeLevel::Warning, message);
        }
    }

    fn ended(&mut self, id: BatchId, ended: Ended) {
        let Some(mut running) = self.batches.remove(&id) else { return };
        let Ended { end, duration, output } = ended;
        match running.worker.take() {
            Some(worker) => self.worker_ended(&running, &worker, &end),
            None => {
                let resolved = running.given.len() - running.unresolved.len();
                self.schedule.learn(running.group, duration.as_secs_f64(), resolved, running.in_tests);
                // The plugin cannot know for how long its process was left to run: what no other test took, this one
                // had.
                let others = Duration::try_from_secs_f64(running.in_tests).unwrap_or_default();
                running.running = running.running.map(|(test, told)| (test, told.max(duration.saturating_sub(others))));
            }
        }
        self.hold_against_exit(&running, &end);
        let barred = self.companions_to_bar(&running, &end);
        let is_in_order = running.companions.is_some();
        let Running { station, sandbox, group, mut unresolved, order, failed, running, log, uncancelled, .. } = running;
        let handed_out = order.len();
        let open: Vec<_> = order.into_iter().filter(|test| unresolved.remove(test)).collect();
        let failure = if let End::ProviderFailed(failure) = &end { Some(failure.clone()) } else { None };
        // What runs beside other tests spoils them; at the end of a run all sandboxes go.
        let uncancelled = uncancelled.filter(|_| self.stop.is_none());
        let broken = end.broke_sandbox().cloned().or(uncancelled);
        let batch_end = told_of(&end);
        let Settlement { judged, again, singly, lost } = if barred.is_empty() {
            settle(Unsettled { end, handed_out, unresolved: open, running, output })
        } else {
            // They were run for the others' sake, and are not again.
            barred.into_iter().for_each(|companion| self.units.bar(companion));
            Settlement { again: vec![open], ..Settlement::default() }
        };
        let returned = again.iter().map(Vec::len).sum::<usize>() + lost.len();
        let seconds = duration.as_secs_f64();
        let event = Event::BatchEnded { batch: id, sandbox: sandbox.clone(), seconds, end: batch_end, returned };
        self.emit(&event);
        let mut failed = failed;
        for (test, outcome, again) in judged {
            if self.attempted(test, Some(sandbox.clone()), Some(log.clone()), outcome, again) {
                if self.retries_in_order(test) {
                    self.units.wait(test);
                } else {
                    failed.push(test);
                }
            }
        }
        if singly {
            self.schedule.run_singly(group);
        }
        for tests in again {
            self.run_again(group, tests, is_in_order);
        }
        self.schedule.retry(Batch { group, tests: failed }, station, self.sandboxes());
        self.lost(group, &sandbox, &log, lost, failure.as_ref());
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
        self.run_again(group, again, false);
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
