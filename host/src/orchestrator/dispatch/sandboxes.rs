//! How many sandboxes there are, will be and should be.

use super::dispatcher::{Dispatcher, Running, Station};
use crate::model::{Event, Failure};
use crate::orchestrator::pool::PoolEvent;
use crate::orchestrator::schedule::{Crowd, SandboxKey, remaining};

/// After so many seconds the first sandbox may not come up at all: a container or a job starts in less.
const OVERDUE: f64 = 10.0;

impl Dispatcher {
    pub(super) fn pool_event(&mut self, event: PoolEvent) {
        match event {
            PoolEvent::Up { sandbox, duration, cost } => {
                self.schedule.learn_sandbox(cost.as_secs_f64());
                self.emit(&Event::SandboxUp { sandbox: sandbox.name().clone(), seconds: duration.as_secs_f64() });
                self.stations.insert(self.next_station, Station { sandbox, batch: None, has_worked: false });
                self.next_station += 1;
                self.review_sandboxes();
            }
            PoolEvent::Failed { name, failure, replaced, next, .. } => {
                let replaced = replaced || next.is_some() && self.fill();
                self.emit(&Event::SandboxFailed { sandbox: name, failure, replaced });
            }
            PoolEvent::CalledOff(_) | PoolEvent::Surplus { .. } => {}
        }
    }

    /// Gives up a sandbox that broke, and has another created in its place if that is worth it.
    pub(super) fn replace(&mut self, key: SandboxKey, failure: Failure) {
        let Some(station) = self.stations.remove(&key) else { return };
        self.pool.discard(&station.sandbox, station.has_worked);
        let replaced = self.fill();
        let sandbox = station.sandbox.name().clone();
        self.emit(&Event::SandboxFailed { sandbox, failure, replaced });
    }

    /// Where a sandbox is missing, whether one should be is asked again and again: tests may take longer than was expected,
    /// and those that are coming up may not come.
    pub(super) fn review_sandboxes(&mut self) {
        if self.stop.is_some() {
            return;
        }
        let unbegun = self.pool.unbegun();
        if unbegun > 0 && self.search.is_over() {
            let mut others = self.crowd();
            others.coming.sort_by(f64::total_cmp);
            others.coming.drain(..unbegun);
            self.pool.call_off(unbegun.saturating_sub(self.room_beside(&others)));
        } else if self.pool.has_vacancy() {
            self.fill();
        }
    }

    /// Whether no sandbox is there and none will be, although one is created wherever that may help.
    pub(super) fn no_sandbox_comes_up(&mut self) -> bool {
        self.stations.is_empty() && !self.pool.is_growing() && !self.fill()
    }

    /// How many sandboxes share the work.
    pub(super) fn sandboxes(&self) -> usize {
        if self.pool.coming().len() == 0 { self.stations.len() } else { self.schedule.sharing(&self.crowd()) }
    }

    /// Has a sandbox created where one is missing; says whether there is one missing, and enough left to do.
    fn fill(&mut self) -> bool {
        self.stop.is_none() && self.pool.has_vacancy() && self.room_beside(&self.crowd()) > 0 && self.pool.fill()
    }

    /// How many sandboxes are worth creating beside the others.
    fn room_beside(&self, others: &Crowd) -> usize {
        if !self.search.is_over() {
            return usize::MAX;
        }
        // As long as none is up, those that take their time may not come.
        let coming = others.coming.iter().filter(|age| !others.busy.is_empty() || **age < OVERDUE);
        let counted = others.busy.len() + coming.count();
        if self.schedule.is_worth_another(others) { self.ledger.open().saturating_sub(counted) } else { 0 }
    }

    /// All sandboxes, and how long each is busy.
    pub(super) fn crowd(&self) -> Crowd {
        let running = self.stations.values().map(|station| self.batches.get(&station.batch?));
        Crowd {
            busy: running.map(|running| running.map_or(0.0, |running| self.busy(running))).collect(),
            coming: self.pool.coming().map(|age| age.as_secs_f64()).collect(),
        }
    }

    /// In how many seconds a batch will be through, or a worker with what it has.
    fn busy(&self, running: &Running) -> f64 {
        let tests = running.unresolved.iter();
        let expected: f64 = tests.map(|test| self.schedule.seconds_of(running.group, *test)).sum();
        if running.unresolved.is_empty() { 0.0 } else { remaining(expected, running.since.elapsed().as_secs_f64()) }
    }
}
