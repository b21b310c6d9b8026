//! A configured provider.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Map, Value};

use super::deadline::{Deadlines, persistently, within};
use super::sandbox::{Sandbox, SandboxSpec};
use crate::config::{Config, ProviderConfig};
use crate::model::{Failure, NoticeLevel};
use crate::plugin::contract::{Finding, ImageSpec, Leftover, Prepared, Transfer};
use crate::plugin::{Info, Kind, LogSink, PluginError, ProviderComponent, Source};
use crate::process::{self, Mark, Stray};

/// How many processes a warning names.
const MOST_STRAYS: usize = 5;

/// A provider with its settings; clones are the same provider. Its component is loaded when it is first needed.
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

struct Inner {
    source: Source,
    settings: Map<String, Value>,
    deadlines: Deadlines,
    /// Where its sandboxes, or its own commands, work on this machine.
    working_dir: Option<PathBuf>,
    log: OnceLock<LogSink>,
    component: OnceLock<Result<ProviderComponent, PluginError>>,
}

impl Provider {
    /// A provider that comes with offload; `settings` is its table of the configuration without `type`.
    pub fn new(kind: &str, settings: Map<String, Value>, working_dir: Option<PathBuf>) -> Self {
        Self::of(Source::built_in(Kind::Provider, kind), settings, working_dir)
    }

    fn of(source: Source, mut settings: Map<String, Value>, working_dir: Option<PathBuf>) -> Self {
        let limit = settings.get("timeout_secs").and_then(Value::as_u64).map(Duration::from_secs);
        if let Some(directory) = &working_dir {
            settings.insert("working_dir".into(), directory.to_string_lossy().into_owned().into());
        }
        Self(Arc::new(Inner {
            source,
            settings,
            deadlines: Deadlines::new(limit),
            working_dir,
            log: OnceLock::new(),
            component: OnceLock::new(),
        }))
    }

    /// The provider of a configuration, working where the configuration says, with `env` in its sandboxes.
    pub fn from_config(config: &Config, env: &[(String, String)]) -> Self {
        let ProviderConfig { kind, settings, .. } = &config.provider;
        let directory = config.provider.working_dir_in(&config.working_dir());
        let mut settings = settings.clone();
        if !env.is_empty() {
            let env: Map<_, _> = env.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
            settings.insert("env".into(), env.into());
        }
        Self::of(Source::of(config, Kind::Provider, kind), settings, Some(directory))
    }

    /// The `type` of the configuration.
    pub fn kind(&self) -> &str {
        self.0.source.name()
    }

    /// Whether its sandboxes share this machine's files, so that a path means the same on both sides.
    pub fn is_this_machine(&self) -> bool {
        self.0.source.is_built_in() && self.kind() == "local"
    }

    /// Whether each of its sandboxes works in a copy of the working directory, whatever the run needs.
    pub(crate) fn copies_always(&self) -> bool {
        self.0.settings.get("isolation").is_some_and(|isolation| isolation == "copy")
    }

    pub(crate) fn working_dir(&self) -> Option<&PathBuf> {
        self.0.working_dir.as_ref()
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

    /// Builds or finds the image, once in a run.
    pub(crate) async fn prepare(&self, spec: ImageSpec) -> Result<Prepared, Failure> {
        let component = self.component()?;
        self.again(self.0.deadlines.prepare, "prepare", || component.prepare(&spec)).await
    }

    pub(crate) async fn create(&self, spec: SandboxSpec) -> Result<Sandbox, Failure> {
        let component = self.component()?;
        let request = spec.to_contract();
        let created = within(self.0.deadlines.create, self.kind(), "create", component.create(&request)).await?;
        Ok(Sandbox::new(self.clone(), spec, created))
    }

    /// Destroys sandboxes; one that is already gone is no failure.
    pub(crate) async fn destroy(&self, ids: &[String]) -> Result<(), Failure> {
        let component = self.component()?;
        self.again(self.0.deadlines.destroy, "destroy", || component.destroy(ids)).await
    }

    pub(super) async fn cancel(&self, sandbox: &str, exec_id: &str) -> Result<(), Failure> {
        let component = self.component()?;
        self.again(self.0.deadlines.cancel, "cancel", || component.cancel(sandbox, exec_id)).await
    }

    pub(super) async fn download(&self, sandbox: &str, files: &[Transfer]) -> Result<Vec<String>, Failure> {
        let component = self.component()?;
        self.again(self.0.deadlines.download, "download", || component.download(sandbox, files)).await
    }

    /// A call that may be made twice: again and again while that may help and its deadline allows.
    async fn again<T, C>(&self, limit: Duration, function: &str, call: impl Fn() -> C) -> Result<T, Failure>
    where
        C: Future<Output = Result<T, Failure>>,
    {
        within(limit, self.kind(), function, persistently(call)).await
    }

    pub(super) async fn within_download<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        within(self.0.deadlines.download, self.kind(), "download", work).await
    }

    /// The sandboxes of all runs that still exist; nothing of a provider that cannot find them.
    pub(crate) async fn leftovers(&self) -> Result<Option<Vec<Leftover>>, Failure> {
        let component = self.component()?;
        self.again(self.0.deadlines.destroy, "leftovers", || component.leftovers()).await
    }

    /// What keeps it from working here; nothing of a provider that does not look.
    pub(crate) async fn examine(&self) -> Result<Option<Vec<Finding>>, Failure> {
        let component = self.component()?;
        within(self.0.deadlines.destroy, self.kind(), "examine", component.examine()).await
    }

    /// What is left to do is to destroy: a helper that ended as often as it may is started once more for that.
    pub(crate) fn spare_a_helper(&self) {
        if let Some(Ok(component)) = self.0.component.get() {
            component.spare_a_helper();
        }
    }

    /// Ends processes that `whose` tests left running although all that started them has ended, and names them in a warning: whoever
    /// wrote the tests believes that they end. Only of use where sandboxes are this machine.
    pub(crate) async fn end_strays(&self, mark: &Mark, whose: &str) {
        let strays = process::end_strays(mark).await;
        if !strays.is_empty() {
            (self.log())(NoticeLevel::Warning, described(&strays, whose));
        }
    }

    /// Ends what it keeps for the length of a run.
    pub(crate) async fn close(&self) {
        if let Some(Ok(component)) = self.0.component.get() {
            component.close().await;
        }
    }

    pub(super) fn component(&self) -> Result<&ProviderComponent, PluginError> {
        let load = || {
            let settings = Value::Object(self.0.settings.clone()).to_string().into();
            ProviderComponent::load(&self.0.source, settings, self.log())
        };
        self.0.component.get_or_init(load).as_ref().map_err(Clone::clone)
    }

    fn log(&self) -> LogSink {
        self.0
            .log
            .get()
            .cloned()
            .unwrap_or_else(|| Arc::new(|level: NoticeLevel, message| tracing::info!("provider: {level:?}: {message}")))
    }
}

fn described(strays: &[Stray], whose: &str) -> String {
    let mut named: Vec<_> = strays.iter().take(MOST_STRAYS).map(ToString::to_string).collect();
    if strays.len() > MOST_STRAYS {
        named.push(format!("{} more", strays.len() - MOST_STRAYS));
    }
    let (what, were) = if strays.len() == 1 { ("a process", "was") } else { ("processes", "were") };
    format!("tests of {whose} left {what} running that {were} ended: {}", named.join(", "))
}

impl AsRef<Provider> for Provider {
    fn as_ref(&self) -> &Self {
        self
    }
}
