//! A configured framework: one group of tests.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};

use super::discovery;
use super::run::{Context, Run};
use super::worker::{Launch, Worker};
use crate::config::Config;
use crate::model::{Discovered, Failure, GroupName, NoticeLevel, Test};
use crate::plugin::{FrameworkComponent, Info, Kind, LogSink, PluginError, Source};

/// What the programs of the library see of a framework.
pub trait TestFramework: Send + Sync {
    /// The framework with its settings.
    fn framework(&self) -> &Framework;

    /// Finds the tests, on this machine. `paths` narrows what the settings say; nothing leaves it as it is.
    ///
    /// # Errors
    /// The framework could not say which tests there are. A file that it could not collect is no such error but one of
    /// the [problems](Discovered::problems).
    fn discover(&self, paths: &[PathBuf]) -> impl Future<Output = Result<Discovered, Failure>> + Send {
        let framework = self.framework().clone();
        let paths = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect::<Vec<_>>();
        async move { discovery::discover(&framework, &paths).await }
    }
}

/// A framework with its settings; clones are the same framework. Its component is loaded when it is first needed.
#[derive(Clone)]
pub struct Framework(Arc<Inner>);

struct Inner {
    source: Source,
    group: GroupName,
    settings: Map<String, Value>,
    place: Place,
    log: OnceLock<LogSink>,
    component: OnceLock<Result<FrameworkComponent, PluginError>>,
    memo: Mutex<Option<String>>,
}

/// Where a framework's commands run on this machine, and with what.
#[derive(Clone, Debug)]
pub struct Place {
    /// What relative paths start from: absolute, or empty for the current directory.
    pub base: PathBuf,
    /// The group's own working directory, as it was written.
    pub working_dir: Option<PathBuf>,
    /// Set for discovery on top of this process's environment.
    pub env: Vec<(String, String)>,
    /// How long a command of discovery may take.
    pub limit: Duration,
}

impl Default for Place {
    fn default() -> Self {
        Self { base: PathBuf::new(), working_dir: None, env: Vec::new(), limit: Duration::from_secs(900) }
    }
}

impl Framework {
    /// A framework that comes with offload; `settings` is its table of the configuration without `type`.
    pub fn new(kind: &str, group: GroupName, settings: Map<String, Value>, place: Place) -> Self {
        Self::of(Source::built_in(Kind::Framework, kind), group, settings, place)
    }

    fn of(source: Source, group: GroupName, settings: Map<String, Value>, place: Place) -> Self {
        let (log, component, memo) = (OnceLock::new(), OnceLock::new(), Mutex::default());
        Self(Arc::new(Inner { source, group, settings, place, log, component, memo }))
    }

    /// The frameworks of a configuration, one for each group. `env` is what discovery sees on top of this process's
    /// environment.
    pub fn from_config(config: &Config, env: &[(String, String)]) -> Vec<Self> {
        let groups = config.groups.iter().map(|(name, group)| {
            let place = Place {
                base: config.working_dir(),
                working_dir: group.working_dir.clone(),
                env: env.to_vec(),
                limit: Duration::from_secs(config.offload.test_timeout_secs),
            };
            Self::of(
                Source::of(config, Kind::Framework, &group.kind),
                GroupName::new(name.as_str()),
                group.settings.clone(),
                place,
            )
        });
        groups.collect()
    }

    /// The `type` of the configuration.
    pub fn kind(&self) -> &str {
        self.0.source.name()
    }

    /// Whether its component comes with offload.
    pub(crate) fn is_built_in(&self) -> bool {
        self.0.source.is_built_in()
    }

    pub fn group(&self) -> &GroupName {
        &self.0.group
    }

    pub(crate) fn place(&self) -> &Place {
        &self.0.place
    }

    /// Where its commands run: on this machine made absolute, elsewhere as it was written.
    pub(crate) fn directory(&self, on_this_machine: bool) -> Option<PathBuf> {
        let Place { base, working_dir, .. } = &self.0.place;
        let directory = working_dir.as_deref()?;
        Some(if on_this_machine { base.join(directory) } else { directory.to_owned() })
    }

    /// Where discovery runs.
    pub(super) fn discovery_directory(&self) -> Option<PathBuf> {
        let Place { base, working_dir, .. } = &self.0.place;
        let directory = base.join(working_dir.as_deref().unwrap_or(Path::new("")));
        (!directory.as_os_str().is_empty()).then_some(directory)
    }

    /// Says where its log goes; only the first caller is heard.
    pub(crate) fn log_to(&self, sink: LogSink) {
        let _ = self.0.log.set(sink);
    }

    /// What the component says of itself.
    ///
    /// # Errors
    /// The component cannot be loaded or fails.
    pub async fn describe(&self) -> Result<Info, Failure> {
        self.component()?.describe().await
    }

    /// Whether its settings can work, as far as the component itself knows.
    ///
    /// # Errors
    /// What it has against them.
    pub(crate) async fn check_settings(&self) -> Result<(), Failure> {
        self.component()?.check_settings().await
    }

    /// Whether a sandbox must not share a writable working directory with another one.
    pub(crate) async fn needs_private_directory(&self) -> Result<bool, Failure> {
        let needs = self.component()?.instantiate().await?.needs().await?;
        Ok(needs.iter().any(|need| need == "private-directory"))
    }

    /// What the component noted in the last discovery.
    pub(crate) fn memo(&self) -> Option<String> {
        self.0.memo.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn remember(&self, memo: Option<String>) {
        *self.0.memo.lock().unwrap_or_else(PoisonError::into_inner) = memo;
    }

    /// A batch in the making.
    pub(crate) async fn start_run(&self, context: Context, tests: &[Arc<Test>]) -> Result<Run, Failure> {
        Ok(Run::new(self.component()?.instantiate().await?, self.group().clone(), &context, tests))
    }

    /// Whether warm workers are to run its tests.
    ///
    /// # Errors
    /// The component cannot be loaded.
    pub(crate) fn has_workers(&self) -> Result<bool, Failure> {
        let wanted = self.0.settings.get("worker").and_then(Value::as_bool).unwrap_or(true);
        Ok(wanted && self.component()?.has_workers())
    }

    /// How long one test may take in a worker, where the group says so.
    pub(crate) fn test_limit(&self) -> Option<Duration> {
        self.0.settings.get("per_test_timeout_secs").and_then(Value::as_u64).map(Duration::from_secs)
    }

    /// A worker in the making; one that is to `discover` finds the tests before it takes any.
    pub(crate) async fn start_worker(&self, context: &Context, discover: bool) -> Result<(Worker, Launch), Failure> {
        Worker::start(self.component()?.instantiate().await?, self.group().clone(), context, discover).await
    }

    pub(super) fn component(&self) -> Result<&FrameworkComponent, PluginError> {
        let load = || {
            let settings = Value::Object(self.0.settings.clone()).to_string().into();
            let log = self.0.log.get().cloned().unwrap_or_else(|| {
                Arc::new(|level: NoticeLevel, message| tracing::info!("framework: {level:?}: {message}"))
            });
            FrameworkComponent::load(&self.0.source, settings, log)
        };
        self.0.component.get_or_init(load).as_ref().map_err(Clone::clone)
    }
}

impl TestFramework for Framework {
    fn framework(&self) -> &Framework {
        self
    }
}
