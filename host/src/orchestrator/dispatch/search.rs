//! The search for tests: each group's on this machine, or by the first worker of a group whose sandbox is this machine.

use std::collections::HashSet;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::dispatcher::Message;
use crate::framework::{Framework, TestFramework};
use crate::model::TestId;
use crate::orchestrator::catalog::GroupIndex;

/// How far the search is, for each group.
pub(in crate::orchestrator) struct Search {
    frameworks: Vec<Framework>,
    states: Vec<State>,
    deselected: Vec<HashSet<TestId>>,
    sender: mpsc::UnboundedSender<Message>,
    tasks: JoinSet<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The first worker will do it.
    AwaitsWorker,
    UnderWay,
    Over,
}

impl Search {
    /// Nothing is looked for yet; what is found is sent.
    pub(in crate::orchestrator) fn new(frameworks: Vec<Framework>, sender: mpsc::UnboundedSender<Message>) -> Self {
        let states = vec![State::UnderWay; frameworks.len()];
        let deselected = vec![HashSet::new(); frameworks.len()];
        Self { frameworks, states, deselected, sender, tasks: JoinSet::new() }
    }

    /// Looks for every group's tests, but leaves those of `by_worker` to the first worker.
    pub(in crate::orchestrator) fn start(&mut self, by_worker: Option<GroupIndex>) {
        for group in (0..self.frameworks.len()).map(GroupIndex::new) {
            if by_worker == Some(group) {
                self.states[group.get()] = State::AwaitsWorker;
            } else {
                self.start_here(group);
            }
        }
    }

    fn start_here(&mut self, group: GroupIndex) {
        self.states[group.get()] = State::UnderWay;
        let (framework, sender) = (self.frameworks[group.get()].clone(), self.sender.clone());
        self.tasks.spawn(async move {
            let began = Instant::now();
            let result = framework.discover(&[]).await;
            // Without a dispatcher the run is over.
            let _ = sender.send(Message::Discovered { group, duration: began.elapsed(), result });
        });
    }

    /// Whether the group's tests are still looked for.
    pub(super) fn is_open(&self, group: GroupIndex) -> bool {
        self.states[group.get()] != State::Over
    }

    pub(super) fn is_over(&self) -> bool {
        self.states.iter().all(|state| *state == State::Over)
    }

    /// Whether a group's search has not begun for want of a worker.
    pub(super) fn awaits_worker(&self) -> bool {
        self.states.contains(&State::AwaitsWorker)
    }

    /// Says whether the worker of this group that is about to start is to look for its tests.
    pub(super) fn hand_to_worker(&mut self, group: GroupIndex) -> bool {
        let state = &mut self.states[group.get()];
        let waits = *state == State::AwaitsWorker;
        if waits {
            *state = State::UnderWay;
        }
        waits
    }

    /// No worker will come: what waits for one is looked for here.
    pub(super) fn elsewhere(&mut self) {
        let waiting = (0..self.states.len()).filter(|group| self.states[*group] == State::AwaitsWorker);
        for group in waiting.collect::<Vec<_>>() {
            self.start_here(GroupIndex::new(group));
        }
    }

    /// The worker that looked for this group's tests ended without having found them.
    pub(super) fn worker_gave_up(&mut self, group: GroupIndex) {
        self.start_here(group);
    }

    pub(super) fn finished(&mut self, group: GroupIndex, deselected: Vec<TestId>) {
        self.states[group.get()] = State::Over;
        self.deselected[group.get()] = deselected.into_iter().collect();
    }

    /// Whether the group's framework left this test out on purpose.
    pub(super) fn deselected(&self, group: GroupIndex, test: &TestId) -> bool {
        self.deselected[group.get()].contains(test)
    }

    /// Ends what is under way, and waits until it has let go of what it started: the process may exit right after.
    pub(super) async fn shutdown(&mut self) {
        self.tasks.shutdown().await;
    }
}
