//! Creates the sandboxes of a pool, each in a task of its own that tells what came of it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::pool::PoolEvent;
use crate::config::SandboxConfig;
use crate::model::{Failure, RunId, SandboxName};
use crate::plugin::contract::{ImageSpec, Prepared};
use crate::provider::{Provider, Sandbox, SandboxSpec, transfers};

/// The pause before a failed creation is repeated; doubled each time.
const PAUSE: Duration = Duration::from_millis(200);

/// What preparing gave: the image that sandboxes are made of, and how many there can be.
type Image = Result<Prepared, Failure>;

/// What every creation needs to know.
pub(super) struct Creator {
    pub(super) provider: Provider,
    pub(super) config: SandboxConfig,
    pub(super) copy_dirs: Vec<(String, String)>,
    pub(super) run_id: RunId,
    pub(super) isolated: bool,
    /// How many are wanted at the most.
    pub(super) sandboxes: u32,
    /// Whether the image is built anew.
    pub(super) rebuild: bool,
    /// Absent until it is prepared.
    pub(super) image: watch::Receiver<Option<Image>>,
    pub(super) names: AtomicU32,
    pub(super) events: mpsc::UnboundedSender<PoolEvent>,
}

/// A slot without a sandbox.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vacancy {
    pub(super) slot: u32,
    /// How long to wait before a sandbox is created there.
    pub(super) pause: Duration,
}

impl Vacancy {
    pub(super) fn new(slot: u32) -> Self {
        Self { slot, pause: Duration::ZERO }
    }

    fn after_failure(self) -> Self {
        Self { pause: (self.pause * 2).max(PAUSE), ..self }
    }
}

/// A creation as its pool sees it.
#[derive(Clone, Default)]
pub(super) struct Coming {
    begun: Arc<OnceLock<Instant>>,
    called_off: CancellationToken,
}

impl Coming {
    pub(super) fn has_begun(&self) -> bool {
        self.begun.get().is_some()
    }

    /// For how long it has been under way.
    pub(super) fn age(&self) -> Duration {
        self.begun.get().map(Instant::elapsed).unwrap_or_default()
    }

    /// Ends it, unless it has begun by then.
    pub(super) fn call_off(&self) {
        self.called_off.cancel();
    }
}

impl Creator {
    /// Prepares what all sandboxes are made of.
    pub(super) async fn prepare(&self, image: watch::Sender<Option<Image>>) {
        let spec = ImageSpec {
            run_id: self.run_id.to_string(),
            sandboxes: self.sandboxes,
            copy_dirs: transfers(&self.copy_dirs),
            rebuild: self.rebuild,
        };
        let prepared = self.provider.prepare(spec).await;
        // Prepared once: to create again would only give the same answer.
        let prepared = prepared.map_err(|failure| Failure { retryable: false, ..failure });
        image.send_replace(Some(prepared));
    }

    /// Creates a sandbox in a slot, and tells what came of it.
    pub(super) async fn fill(&self, vacancy: Vacancy, coming: Coming) {
        let asked = Instant::now();
        let image = tokio::select! {
            biased;
            () = coming.called_off.cancelled() => {
                // Without a listener the pool is gone, and the run with it.
                let _ = self.events.send(PoolEvent::CalledOff(vacancy));
                return;
            }
            image = self.image_after(vacancy.pause) => image,
        };
        let possible = match &image {
            Ok(Prepared { max_sandboxes, .. }) => max_sandboxes.unwrap_or(u32::MAX).max(1),
            // What keeps one from being made keeps all: it is told once.
            Err(_) => 1,
        };
        if vacancy.slot >= possible {
            let _ = self.events.send(PoolEvent::Surplus { slot: vacancy.slot });
            return;
        }
        let begun = *coming.begun.get_or_init(Instant::now);
        let name = self.name();
        let created = match image {
            Ok(prepared) => self.create(&name, vacancy.slot, prepared.image).await,
            Err(failure) => Err(failure),
        };
        let event = match created {
            Ok(sandbox) => PoolEvent::Up { sandbox, duration: asked.elapsed(), cost: begun.elapsed() },
            Err(failure) => {
                let next = failure.retryable.then(|| vacancy.after_failure());
                PoolEvent::Failed { name, failure, slot: vacancy.slot, next, replaced: false }
            }
        };
        let _ = self.events.send(event);
    }

    async fn image_after(&self, pause: Duration) -> Image {
        tokio::time::sleep(pause).await;
        let mut image = self.image.clone();
        let prepared = image.wait_for(Option::is_some).await.ok().and_then(|image| image.clone());
        prepared.unwrap_or_else(|| Err(Failure::new("not-prepared", "the run ended before the image was prepared")))
    }

    async fn create(&self, name: &SandboxName, slot: u32, image: Option<String>) -> Result<Sandbox, Failure> {
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
}

pub(super) fn display(path: impl AsRef<std::path::Path>) -> String {
    path.as_ref().to_string_lossy().into_owned()
}
