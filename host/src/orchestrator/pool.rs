//! The sandboxes of a run: created side by side, replaced within a budget, destroyed together.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OnceCell, mpsc};
use tokio::task::JoinSet;

use crate::config::SandboxConfig;
use crate::model::{Failure, RunId, SandboxName};
use crate::provider::{Provider, Sandbox, SandboxSpec, transfers};

/// Sandboxes that may be created beyond the first of each slot.
const REPLACEMENTS: usize = 3;

/// The pause before a failed creation is repeated; doubled each time.
const PAUSE: Duration = Duration::from_millis(200);

/// How long the end of a run waits for creations that are under way: one that is cut off may leave behind what nobody
/// knows the name of.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long destroying may take once a person has asked twice.
const HURRY: Duration = Duration::from_secs(3);

/// How many calls of `destroy` are made at once.
const DESTROYERS: usize = 16;

/// The sandboxes of one run.
pub struct SandboxPool {
    run_id: RunId,
    isolated: bool,
    provider: Option<Provider>,
    events: mpsc::UnboundedReceiver<PoolEvent>,
    sender: mpsc::UnboundedSender<PoolEvent>,
    waiting: VecDeque<PoolEvent>,
    creations: JoinSet<()>,
    destructions: JoinSet<Result<(), Failure>>,
    creator: Option<Arc<Creator>>,
    alive: HashMap<SandboxName, Sandbox>,
    pending: usize,
    capacity: usize,
}

/// What happens in a pool.
pub(super) enum PoolEvent {
    Up { sandbox: Sandbox, duration: Duration },
    Failed { name: SandboxName, failure: Failure, replaced: bool },
}

/// What every creation needs to know.
struct Creator {
    provider: Provider,
    config: SandboxConfig,
    copy_dirs: Vec<(String, String)>,
    run_id: RunId,
    isolated: bool,
    image: OnceCell<Result<Option<String>, Failure>>,
    names: AtomicU32,
    replacements: AtomicUsize,
    events: mpsc::UnboundedSender<PoolEvent>,
}

impl SandboxPool {
    pub fn new() -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let now = jiff::Zoned::now();
        let random = uuid::Uuid::new_v4().simple().to_string();
        Self {
            run_id: RunId::new(format!("{}-{}", now.strftime("%Y%m%d-%H%M%S"), &random[..6])),
            isolated: false,
            provider: None,
            events,
            sender,
            waiting: VecDeque::new(),
            creations: JoinSet::new(),
            destructions: JoinSet::new(),
            creator: None,
            alive: HashMap::new(),
            pending: 0,
            capacity: 0,
        }
    }

    /// Says that no sandbox may share a writable working directory with another.
    #[must_use]
    pub fn isolated(mut self, isolated: bool) -> Self {
        self.isolated = isolated;
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
        while let Some(event) = self.next().await {
            let up = matches!(event, PoolEvent::Up { .. });
            if let PoolEvent::Failed { failure, .. } = &event {
                last = failure.clone();
            }
            self.waiting.push_back(event);
            if up {
                return Ok(());
            }
        }
        Err(last)
    }

    /// Begins to create sandboxes; [`next`](Self::next) tells of each.
    pub(super) fn start(&mut self, count: usize, provider: &Provider, config: &SandboxConfig) {
        self.provider = Some(provider.clone());
        self.capacity += count;
        let copy_dirs = config.copy_dirs.iter().map(|(local, remote)| (display(local), display(remote))).collect();
        let creator = Arc::new(Creator {
            provider: provider.clone(),
            config: config.clone(),
            copy_dirs,
            run_id: self.run_id.clone(),
            isolated: self.isolated,
            image: OnceCell::new(),
            names: AtomicU32::new(1),
            replacements: AtomicUsize::new(count + REPLACEMENTS),
            events: self.sender.clone(),
        });
        self.creator = Some(creator.clone());
        for slot in 0..u32::try_from(count).unwrap_or(u32::MAX) {
            self.create(creator.clone(), slot);
        }
    }

    fn create(&mut self, creator: Arc<Creator>, slot: u32) {
        self.pending += 1;
        self.creations.spawn(async move { creator.fill(slot).await });
    }

    /// The next thing that happens; `None` once no creation is under way.
    pub(super) async fn next(&mut self) -> Option<PoolEvent> {
        if let Some(event) = self.waiting.pop_front() {
            return Some(event);
        }
        if self.pending == 0 {
            return None;
        }
        let event = self.events.recv().await?;
        match &event {
            PoolEvent::Up { sandbox, .. } => {
                self.pending -= 1;
                self.alive.insert(sandbox.name().clone(), sandbox.clone());
            }
            PoolEvent::Failed { replaced, .. } => self.pending -= usize::from(!replaced),
        }
        Some(event)
    }

    /// How many sandboxes are coming up.
    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    /// Whether another sandbox may still come up.
    pub(super) fn is_growing(&self) -> bool {
        self.pending > 0 || !self.waiting.is_empty()
    }

    /// Destroys a broken sandbox and creates another in its place if the budget allows; says whether it does.
    pub(super) fn replace(&mut self, broken: &Sandbox) -> bool {
        self.alive.remove(broken.name());
        if let Some(provider) = self.provider.clone() {
            let id = broken.id().to_owned();
            self.destructions.spawn(async move { provider.destroy(&[id]).await });
        }
        let Some(creator) = self.creator.clone() else { return false };
        let replaced = creator.may_replace();
        if replaced {
            self.create(creator, broken.slot());
        }
        replaced
    }

    /// Stops creating, and destroys every sandbox. Gives what could not be destroyed.
    pub(super) async fn close(&mut self) -> Vec<Failure> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        if let Some(creator) = &self.creator {
            creator.replacements.store(0, Ordering::Relaxed);
        }
        while let Ok(Some(_)) = tokio::time::timeout_at(deadline, self.next()).await {}
        self.destroy_all().await
    }

    /// As [`close`](Self::close), which may be under way, but waits for nobody.
    pub(super) async fn hurry(&mut self) -> Vec<Failure> {
        tokio::time::timeout(HURRY, self.destroy_all()).await.unwrap_or_else(|_| {
            vec![Failure::new("hurried", format!("destroying took longer than {HURRY:?} after the second signal"))]
        })
    }

    async fn destroy_all(&mut self) -> Vec<Failure> {
        self.creations.shutdown().await;
        // One may have come up in the very moment in which patience ended.
        while let Ok(event) = self.events.try_recv() {
            if let PoolEvent::Up { sandbox, .. } = event {
                self.alive.insert(sandbox.name().clone(), sandbox);
            }
        }
        if let Some(provider) = &self.provider {
            let ids: Vec<_> = self.alive.drain().map(|(_, sandbox)| sandbox.id().to_owned()).collect();
            for ids in ids.chunks(ids.len().div_ceil(DESTROYERS).max(1)) {
                let (provider, ids) = (provider.clone(), ids.to_vec());
                self.destructions.spawn(async move { provider.destroy(&ids).await });
            }
        }
        let mut failures = Vec::new();
        while let Some(result) = self.destructions.join_next().await {
            if let Ok(Err(failure)) = result {
                failures.push(failure);
            }
        }
        failures
    }
}

impl Default for SandboxPool {
    fn default() -> Self {
        Self::new()
    }
}

impl Creator {
    /// Creates a sandbox in this slot, again and again while that may help and the budget lasts.
    async fn fill(&self, slot: u32) {
        let mut pause = PAUSE;
        loop {
            let name = self.name();
            let started = Instant::now();
            let failure = match self.create(&name, slot).await {
                Ok(sandbox) => {
                    let duration = started.elapsed();
                    // Without a listener the pool is gone, and the run with it.
                    let _ = self.events.send(PoolEvent::Up { sandbox, duration });
                    return;
                }
                Err(failure) => failure,
            };
            let replaced = failure.retryable && self.may_replace();
            let _ = self.events.send(PoolEvent::Failed { name, failure, replaced });
            if !replaced {
                return;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn create(&self, name: &SandboxName, slot: u32) -> Result<Sandbox, Failure> {
        let copy_dirs = transfers(&self.copy_dirs);
        let image = self.image.get_or_init(|| self.provider.prepare(&copy_dirs)).await.clone().map_err(|failure| {
            // Prepared once: to create again would only give the same answer.
            Failure { retryable: false, ..failure }
        })?;
        // Elsewhere than on this machine its own directory says nothing of what a sandbox looks like.
        let shared = self.provider.working_dir().filter(|_| self.provider.is_this_machine());
        let cwd = self.config.working_dir.as_ref().or(shared).map(display);
        self.provider
            .create(SandboxSpec {
                name: name.clone(),
                slot,
                run_id: self.run_id.clone(),
                image,
                env: self.config.env.clone(),
                copy_dirs: self.copy_dirs.clone(),
                cwd,
                isolated: self.isolated,
            })
            .await
    }

    fn name(&self) -> SandboxName {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        SandboxName::new(format!("{}-{number}", self.config.id))
    }

    fn may_replace(&self) -> bool {
        let take = |left: usize| left.checked_sub(1);
        self.replacements.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

fn display(path: impl AsRef<std::path::Path>) -> String {
    path.as_ref().to_string_lossy().into_owned()
}
