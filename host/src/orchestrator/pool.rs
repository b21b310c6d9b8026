//! The sandboxes of a run: created side by side, replaced within a budget, destroyed together.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::creation::{Coming, Creator, Vacancy, display};
use super::destruction::Destructions;
use super::run_tmp::{self, RunTmp};
use crate::config::SandboxConfig;
use crate::model::{Failure, RunId, SandboxName};
use crate::presence::Presence;
use crate::process::Mark;
use crate::provider::{Provider, Sandbox};

/// Sandboxes that may be created beyond the first of each slot.
const REPLACEMENTS: usize = 3;

/// How long the end of a run waits for creations that are under way: one that is cut off may leave behind what nobody
/// knows the name of.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long destroying may take once a person has asked twice.
const HURRY: Duration = Duration::from_secs(3);

/// The sandboxes of one run.
pub struct SandboxPool {
    run_id: RunId,
    isolated: bool,
    rebuild: bool,
    provider: Option<Provider>,
    events: mpsc::UnboundedReceiver<PoolEvent>,
    sender: mpsc::UnboundedSender<PoolEvent>,
    waiting: VecDeque<PoolEvent>,
    creations: JoinSet<()>,
    destructions: Destructions,
    creator: Option<Arc<Creator>>,
    alive: HashMap<SandboxName, Sandbox>,
    coming: BTreeMap<u32, Coming>,
    vacant: Vec<Vacancy>,
    replacements: usize,
    capacity: usize,
    /// Whether a creation was cut off or lost sight of: there may be a sandbox that nobody knows the id of.
    uncertain: bool,
    presence: Option<Presence>,
    /// Where sandboxes are this machine.
    tmp: Option<RunTmp>,
}

/// What happens in a pool.
pub(super) enum PoolEvent {
    /// `duration` is since it was asked for, `cost` what creating it took of that.
    Up { sandbox: Sandbox, duration: Duration, cost: Duration },
    /// `next` is where another could be created, if that may help.
    Failed { name: SandboxName, failure: Failure, slot: u32, next: Option<Vacancy>, replaced: bool },
    /// A creation that had not begun was called off.
    CalledOff(Vacancy),
    /// The provider cannot have as many.
    Surplus { slot: u32 },
}

impl SandboxPool {
    pub fn new() -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let now = jiff::Timestamp::now();
        let random = uuid::Uuid::new_v4().simple().to_string();
        Self {
            run_id: RunId::new(format!("{}-{}", now.strftime("%Y%m%d-%H%M%S"), &random[..6])),
            isolated: false,
            rebuild: false,
            provider: None,
            events,
            sender,
            waiting: VecDeque::new(),
            creations: JoinSet::new(),
            destructions: Destructions::default(),
            creator: None,
            alive: HashMap::new(),
            coming: BTreeMap::new(),
            vacant: Vec::new(),
            replacements: 0,
            capacity: 0,
            uncertain: false,
            presence: None,
            tmp: None,
        }
    }

    /// Says that no sandbox may share a writable working directory with another.
    #[must_use]
    pub fn isolated(mut self, isolated: bool) -> Self {
        self.isolated = isolated;
        self
    }

    /// Says whether the image is built anew, even if there is one for the same inputs.
    #[must_use]
    pub fn rebuild(mut self, rebuild: bool) -> Self {
        self.rebuild = rebuild;
        self
    }

    /// What every sandbox of this pool is labelled with.
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }

    /// How many sandboxes it is meant to have.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn is_isolated(&self) -> bool {
        self.isolated
    }

    pub(super) fn provider(&self) -> Option<&Provider> {
        self.provider.as_ref()
    }

    /// Begins to create `count` sandboxes and waits until the first of them is up; the others follow while tests run.
    ///
    /// # Errors
    /// None could be created: why the last one could not.
    pub async fn populate(
        &mut self,
        count: usize,
        provider: &impl AsRef<Provider>,
        config: &SandboxConfig,
    ) -> Result<(), Failure> {
        self.start(count, provider.as_ref(), config);
        let mut last = Failure::new("no-sandbox", "no sandbox was asked for");
        let (mut seen, mut up) = (VecDeque::new(), false);
        while !up && let Some(mut event) = self.next().await {
            up = matches!(event, PoolEvent::Up { .. });
            if let PoolEvent::Failed { failure, replaced, .. } = &mut event {
                last = failure.clone();
                *replaced = self.fill();
            }
            seen.push_back(event);
        }
        self.waiting = seen;
        if up { Ok(()) } else { Err(last) }
    }

    /// Begins to create sandboxes; [`next`](Self::next) tells of each.
    pub(super) fn start(&mut self, count: usize, provider: &Provider, config: &SandboxConfig) {
        self.provider = Some(provider.clone());
        self.presence = Presence::announce(&self.run_id);
        self.tmp = self.make_tmp(provider);
        self.capacity += count;
        let mut config = config.clone();
        if let Some(tmp) = self.tmp.as_ref().and_then(RunTmp::text) {
            config.env.push((run_tmp::VARIABLE.to_owned(), tmp.to_owned()));
        }
        let copy_dirs = config.copy_dirs.iter().map(|(local, remote)| (display(local), display(remote))).collect();
        let (image, prepared) = watch::channel(None);
        self.creator = Some(Arc::new(Creator {
            provider: provider.clone(),
            config,
            copy_dirs,
            run_id: self.run_id.clone(),
            isolated: self.isolated,
            sandboxes: u32::try_from(count).unwrap_or(u32::MAX),
            rebuild: self.rebuild,
            image: prepared,
            names: AtomicU32::new(1),
            events: self.sender.clone(),
        }));
        self.replacements = count + REPLACEMENTS;
        if let Some(creator) = self.creator.clone() {
            self.creations.spawn(async move { creator.prepare(image).await });
        }
        for slot in 0..u32::try_from(count).unwrap_or(u32::MAX) {
            self.create(Vacancy::new(slot));
        }
    }

    /// Where it cannot be made, no sandbox can either, which says why.
    fn make_tmp(&self, provider: &Provider) -> Option<RunTmp> {
        if !provider.is_this_machine() {
            return None;
        }
        let copied = provider.working_dir().filter(|_| self.isolated || provider.copies_always());
        let made = RunTmp::make(&self.run_id, copied.map(AsRef::as_ref));
        made.inspect_err(|error| tracing::debug!("no temporary directory for the run: {error}")).ok()
    }

    fn create(&mut self, vacancy: Vacancy) {
        let Some(creator) = self.creator.clone() else { return };
        let coming = Coming::default();
        self.coming.insert(vacancy.slot, coming.clone());
        self.creations.spawn(async move { creator.fill(vacancy, coming).await });
    }

    /// The next thing that happens; `None` once no creation is under way.
    pub(super) async fn next(&mut self) -> Option<PoolEvent> {
        if let Some(event) = self.waiting.pop_front() {
            return Some(event);
        }
        if self.coming.is_empty() {
            return None;
        }
        let event = self.events.recv().await?;
        match &event {
            PoolEvent::Up { sandbox, .. } => {
                self.coming.remove(&sandbox.slot());
                self.alive.insert(sandbox.name().clone(), sandbox.clone());
            }
            PoolEvent::Failed { slot, next, failure, .. } => {
                self.uncertain |= failure.retryable;
                self.coming.remove(slot);
                self.vacant.extend(*next);
            }
            PoolEvent::CalledOff(vacancy) => {
                self.coming.remove(&vacancy.slot);
                self.vacant.push(*vacancy);
                self.replacements += 1;
            }
            PoolEvent::Surplus { slot } => {
                self.coming.remove(slot);
                self.capacity -= 1;
            }
        }
        Some(event)
    }

    /// For how long each creation has been under way.
    pub(super) fn coming(&self) -> impl ExactSizeIterator<Item = Duration> {
        self.coming.values().map(Coming::age)
    }

    /// Whether another sandbox may still come up.
    pub(super) fn is_growing(&self) -> bool {
        !self.coming.is_empty() || !self.waiting.is_empty()
    }

    /// Destroys a broken sandbox. One that was of use costs nothing of the budget: with each the run came further, so that it ends
    /// all the same, and sandboxes that have a lifetime may be needed again and again.
    pub(super) fn discard(&mut self, broken: &Sandbox, was_of_use: bool) {
        self.replacements += usize::from(was_of_use);
        self.alive.remove(broken.name());
        if let Some(provider) = &self.provider {
            self.destructions.begin(provider, vec![broken.id().to_owned()]);
        }
        self.vacant.push(Vacancy::new(broken.slot()));
    }

    /// Whether a sandbox could be created where one is missing.
    pub(super) fn has_vacancy(&self) -> bool {
        self.replacements > 0 && !self.vacant.is_empty()
    }

    /// Creates a sandbox where one is missing, if the budget allows; says whether it does.
    pub(super) fn fill(&mut self) -> bool {
        let soonest = (0..self.vacant.len()).min_by_key(|place| self.vacant[*place].pause);
        let Some(place) = soonest.filter(|_| self.replacements > 0) else { return false };
        self.replacements -= 1;
        let vacancy = self.vacant.swap_remove(place);
        self.create(vacancy);
        true
    }

    /// How many creations have not begun: they wait for an image, or for a pause to end.
    pub(super) fn unbegun(&self) -> usize {
        self.coming.values().filter(|coming| !coming.has_begun()).count()
    }

    /// Calls off so many of the creations that have not begun.
    pub(super) fn call_off(&self, count: usize) {
        self.coming.values().rev().filter(|coming| !coming.has_begun()).take(count).for_each(Coming::call_off);
    }

    /// Stops creating, and destroys every sandbox. Gives what could not be destroyed.
    pub(super) async fn close(&mut self) -> Vec<Failure> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        self.call_off(usize::MAX);
        while let Ok(Some(_)) = tokio::time::timeout_at(deadline, self.next()).await {}
        self.clear().await
    }

    /// As [`close`](Self::close), which may be under way, but waits for nobody.
    pub(super) async fn hurry(&mut self) -> Vec<Failure> {
        tokio::time::timeout(HURRY, self.clear()).await.unwrap_or_else(|_| {
            vec![Failure::new("hurried", format!("destroying took longer than {HURRY:?} after the second signal"))]
        })
    }

    /// Leaves nothing behind, not even that there was a run.
    async fn clear(&mut self) -> Vec<Failure> {
        let mut failures = self.destroy_all().await;
        if let Some(tmp) = &self.tmp {
            failures.extend(tmp.remove().await.err());
            self.tmp = None;
        }
        if let Some(provider) = &self.provider {
            provider.close().await;
        }
        if failures.is_empty()
            && let Some(presence) = self.presence.take()
        {
            presence.cleared();
        }
        failures
    }

    async fn destroy_all(&mut self) -> Vec<Failure> {
        self.uncertain |= self.coming.values().any(Coming::has_begun);
        self.creations.shutdown().await;
        // One may have come up in the very moment in which patience ended.
        while let Ok(event) = self.events.try_recv() {
            if let PoolEvent::Up { sandbox, .. } = event {
                self.alive.insert(sandbox.name().clone(), sandbox);
            }
        }
        let Some(provider) = &self.provider else { return Vec::new() };
        provider.spare_a_helper();
        if provider.is_this_machine() {
            provider.end_strays(&Mark::run(self.run_id.as_str()), "this run").await;
        }
        let ids: Vec<_> = self.alive.drain().map(|(_, sandbox)| sandbox.id().to_owned()).collect();
        let mut failures = self.destructions.complete(provider, ids).await;
        failures.extend(self.sweep().await.err());
        failures
    }

    /// Destroys what a creation may have made that did not come to its end, where the provider can find it.
    async fn sweep(&mut self) -> Result<(), Failure> {
        let Some(provider) = self.provider.as_ref().filter(|_| self.uncertain) else { return Ok(()) };
        let left = provider.leftovers().await?.unwrap_or_default();
        let of_this_run = left.into_iter().filter(|left| left.run_id == self.run_id.as_str());
        let ids: Vec<_> = of_this_run.map(|left| left.sandbox).collect();
        if ids.is_empty() { Ok(()) } else { provider.destroy(&ids).await }
    }
}

impl Default for SandboxPool {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::default::{DefaultConfig, DefaultProvider};

    /// Whether a pool of two comes up whose sandboxes are made so, in a directory of its own, and how many were made.
    async fn populated(create_command: &str) -> (Result<(), Failure>, usize) {
        let place = tempfile::tempdir().expect("a directory");
        let provider = DefaultProvider::new(DefaultConfig {
            working_dir: Some(place.path().to_owned()),
            create_command: format!("echo x >>made; {create_command}"),
            exec_command: "sh -c {command}".to_owned(),
            destroy_command: "true".to_owned(),
            ..DefaultConfig::default()
        });
        let mut pool = SandboxPool::new();
        let populated = pool.populate(2, &provider, &SandboxConfig::default()).await;
        assert_eq!(pool.close().await, []);
        let made = std::fs::read_to_string(place.path().join("made")).expect("it was tried");
        (populated, made.lines().count())
    }

    #[tokio::test]
    async fn the_first_sandbox_that_comes_up_is_enough() {
        assert_eq!(populated("echo box").await.0, Ok(()));
        let (result, made) = populated("if mkdir once; then exit 1; fi; echo box").await;
        assert_eq!(result, Ok(()));
        assert!(made >= 2);
    }

    #[tokio::test]
    async fn a_pool_in_which_nothing_comes_up_says_why_and_ends() {
        let (result, made) = populated("echo no room >&2; exit 1").await;
        let failure = result.expect_err("nothing came up");
        assert!(failure.message.contains("no room"), "{failure}");
        assert!(made > 2, "failed creations are tried again, in other places: {made}");
    }
}
