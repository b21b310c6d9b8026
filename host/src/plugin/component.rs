//! A component, compiled and linked, of which instances can be made.

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use super::bindings::exports::metadata;
use super::cache;
use super::engine::Runtime;
use super::error::{PluginError, PluginErrorKind};
use super::locator::{Kind, built_in_names, locate};
use super::settings::Settings;
use super::store::{Limits, State, TOO_SLOW, begin_call, new_store};
use crate::model::NoticeLevel;

/// Takes what plugins log.
pub type LogSink = Arc<dyn Fn(NoticeLevel, String) + Send + Sync>;

pub use metadata::Info;

/// What is needed to make instances of one component with one table of settings.
#[derive(Clone)]
pub(super) struct Linked {
    runtime: &'static Runtime,
    plugin: Arc<str>,
    settings: Settings,
    log: LogSink,
    limits: Limits,
    pub(super) pre: InstancePre<State>,
}

/// One instance and the store that it lives in.
pub(super) struct Live {
    pub(super) store: Store<State>,
    pub(super) instance: Instance,
}

impl Linked {
    /// Finds, compiles and links a component.
    pub(super) fn load(kind: Kind, name: &str, settings: Settings, log: LogSink) -> Result<Self, PluginError> {
        let fail = |kind| PluginError { plugin: name.into(), function: "load", kind, stderr: String::new() };
        let runtime = Runtime::get().map_err(|reason| fail(PluginErrorKind::Engine(reason)))?;
        let located = locate(kind, name).ok_or_else(|| {
            fail(PluginErrorKind::Unknown(built_in_names(kind).into_iter().map(String::from).collect()))
        })?;
        let component = cache::load(&runtime.engine, &located)
            .map_err(|error| fail(PluginErrorKind::Invalid(format!("{error:#}"))))?;
        let pre = runtime
            .linker
            .instantiate_pre(&component)
            .map_err(|error| fail(PluginErrorKind::Unlinkable(format!("{error:#}"))))?;
        Ok(Self { runtime, plugin: name.into(), settings, log, limits: Limits::default(), pre })
    }

    /// The same component with other limits.
    #[cfg(test)]
    pub(super) fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The places of an export in the component, or an error that names what is missing.
    pub(super) fn export<I>(
        &self,
        find: impl FnOnce(&InstancePre<State>) -> wasmtime::Result<I>,
    ) -> Result<I, PluginError> {
        find(&self.pre).map_err(|error| self.error("load", PluginErrorKind::Unlinkable(format!("{error:#}"))))
    }

    pub(super) async fn instantiate(&self) -> Result<Live, PluginError> {
        let mut store =
            new_store(self.runtime, self.limits, self.plugin.clone(), self.settings.clone(), self.log.clone());
        match self.pre.instantiate_async(&mut store).await {
            Ok(instance) => Ok(Live { store, instance }),
            Err(error) => Err(failed("instantiate", &store, &error)),
        }
    }

    /// What the component says of itself.
    pub(super) async fn describe(&self) -> Result<Info, PluginError> {
        let indices = self.export(metadata::GuestIndices::new)?;
        let mut live = self.instantiate().await?;
        let guest = indices
            .load(&mut live.store, &live.instance)
            .map_err(|error| self.error("describe", PluginErrorKind::Unlinkable(format!("{error:#}"))))?;
        begin_call(&mut live.store);
        let info = guest.call_describe(&mut live.store).await;
        info.map_err(|error| failed("describe", &live.store, &error))
    }

    fn error(&self, function: &'static str, kind: PluginErrorKind) -> PluginError {
        PluginError { plugin: self.plugin.to_string(), function, kind, stderr: String::new() }
    }
}

/// What to say of a call that ended in a trap; its store must not be used again.
pub(super) fn failed(function: &'static str, store: &Store<State>, error: &wasmtime::Error) -> PluginError {
    let text = format!("{error:#}");
    let kind = if text.contains(TOO_SLOW) {
        PluginErrorKind::TooSlow
    } else if text.contains("growing memory") || text.contains("forcing trap when growing") {
        PluginErrorKind::OutOfMemory
    } else {
        // The first line of a trap is a backtrace's heading; its cause says what happened.
        PluginErrorKind::Trapped(error.root_cause().to_string())
    };
    let state = store.data();
    PluginError { plugin: state.plugin.to_string(), function, kind, stderr: state.stderr.text() }
}
