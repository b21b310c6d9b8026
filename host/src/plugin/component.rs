//! A component, compiled and linked, of which instances can be made.

use std::sync::Arc;

use tokio::sync::OnceCell;
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use super::bindings::exports::metadata;
use super::bridge::Helpers;
use super::engine::Runtime;
use super::error::{PluginError, PluginErrorKind};
use super::locator::{Kind, Located, locate};
use super::request::Request;
use super::rights::{Granted, Rights};
use super::scripted::Processes;
use super::settings::Settings;
use super::shape::Shape;
use super::source::{Configured, Origin, Source};
use super::store::{Limits, OVERDUE, State, Surroundings, TOO_MUCH_MEMORY, TOO_SLOW, begin_call, new_store, on_time};
use crate::config::Allow;
use crate::limits;
use crate::model::{Failure, NoticeLevel};

/// How many bytes of memory a component may have to describe itself: whole language runtimes start in less.
const TO_DESCRIBE: usize = 256 << 20;

/// Takes what plugins log.
pub type LogSink = Arc<dyn Fn(NoticeLevel, String) + Send + Sync>;

pub use metadata::Info;

/// What is needed to make instances of one component with one table of settings.
#[derive(Clone)]
pub(super) struct Linked {
    runtime: &'static Runtime,
    source: Source,
    surroundings: Surroundings,
    /// Known once the component has said what it asks for.
    rights: Arc<OnceCell<Arc<Rights>>>,
    pub(super) pre: InstancePre<State>,
}

/// One instance and the store that it lives in.
pub(super) struct Live {
    pub(super) store: Store<State>,
    pub(super) instance: Instance,
}

impl Linked {
    /// Finds, compiles and links a component.
    pub(super) fn load(kind: Kind, source: &Source, settings: Settings, log: LogSink) -> Result<Self, PluginError> {
        let fail = |kind| unloaded(source, kind);
        let located = locate(source).map_err(fail)?;
        Self::of(kind, source, &located, settings, log)
    }

    /// Compiles and links a component that was found.
    pub(super) fn of(
        kind: Kind,
        source: &Source,
        located: &Located,
        settings: Settings,
        log: LogSink,
    ) -> Result<Self, PluginError> {
        let fail = |kind| unloaded(source, kind);
        let runtime = Runtime::get().map_err(|reason| fail(PluginErrorKind::Engine(reason)))?;
        if let Some(refusal) = located.refusal() {
            return Err(fail(refusal));
        }
        let component = runtime.component(located).map_err(|error| {
            let reason = format!("{error:#}");
            fail(starved(&reason).unwrap_or(PluginErrorKind::Invalid(reason)))
        })?;
        let shape = Shape::of(&runtime.engine, &component);
        shape.refuse(kind).map_err(fail)?;
        let pre = runtime
            .linker(kind)
            .instantiate_pre(&component)
            .map_err(|error| fail(PluginErrorKind::Unlinkable(format!("{error:#}"))))?;
        let surroundings = Surroundings {
            plugin: source.shared_name(),
            settings,
            log,
            limits: source.limits(),
            processes: Processes::Real,
            helpers: Helpers::default(),
            messages: Arc::default(),
        };
        let rights = Arc::new(OnceCell::new());
        Ok(Self { runtime, source: source.clone(), surroundings, rights, pre })
    }

    /// What its instances leave running between calls.
    pub(super) fn helpers(&self) -> &Helpers {
        &self.surroundings.helpers
    }

    pub(super) fn limits(&self) -> Limits {
        self.surroundings.limits
    }

    /// A call that did not come back.
    pub(super) fn overdue(&self, function: &'static str) -> PluginError {
        self.error(function, PluginErrorKind::Overdue(self.limits().call.as_secs_f64()))
    }

    /// The same component with other limits.
    #[cfg(test)]
    pub(super) fn with_limits(mut self, limits: Limits) -> Self {
        self.surroundings.limits = limits;
        self
    }

    /// The same component, whose commands this runs.
    pub(super) fn with_processes(mut self, processes: Processes) -> Self {
        self.surroundings.processes = processes;
        self
    }

    /// The same component, of which every command is taken as granted: nothing of what it asks for is run.
    pub(super) fn on_trial(self) -> Self {
        self.with_rights(Rights::BuiltIn)
    }

    /// The same component, which may do nothing at all.
    pub(super) fn without_rights(self) -> Self {
        let nothing = self.no_rights();
        self.with_rights(nothing)
    }

    fn no_rights(&self) -> Rights {
        Rights::Granted(Box::new(Granted::new(self.source.shared_name(), "/".into(), Allow::default(), Vec::new())))
    }

    /// The same component with these rights, whatever it asks for.
    pub(super) fn with_rights(mut self, rights: Rights) -> Self {
        self.rights = Arc::new(OnceCell::new_with(Some(Arc::new(rights))));
        self
    }

    /// The places of an export in the component, or an error that names what is missing.
    pub(super) fn export<I>(
        &self,
        find: impl FnOnce(&InstancePre<State>) -> wasmtime::Result<I>,
    ) -> Result<I, PluginError> {
        find(&self.pre).map_err(|error| self.error("load", PluginErrorKind::Unlinkable(format!("{error:#}"))))
    }

    pub(super) async fn instantiate(&self) -> Result<Live, Failure> {
        let rights = self.rights.get_or_try_init(|| self.find_rights()).await?.clone();
        self.instantiate_with(&self.surroundings, rights).await
    }

    /// What the component may do is what it asks for and is granted. To hear what it asks for, it runs without any right.
    async fn find_rights(&self) -> Result<Arc<Rights>, Failure> {
        let Origin::Configured(configured) = self.source.origin() else {
            return Ok(Arc::new(Rights::BuiltIn));
        };
        let Configured { config, root, .. } = &**configured;
        let requests = self.describe().await?.requests;
        let requests: Result<Vec<Request>, String> = requests.iter().map(|request| request.parse()).collect();
        let requests = requests.map_err(|why| self.error("describe", PluginErrorKind::Senseless(why)))?;
        let name = self.source.shared_name();
        Ok(Arc::new(Rights::Granted(Box::new(Granted::new(name, root.clone(), config.allow.clone(), requests)))))
    }

    async fn instantiate_with(&self, surroundings: &Surroundings, rights: Arc<Rights>) -> Result<Live, Failure> {
        let mut store = new_store(self.runtime, surroundings, rights)?;
        match on_time(surroundings.limits, self.pre.instantiate_async(&mut store)).await {
            Ok(instance) => Ok(Live { store, instance }),
            Err(error) => Err(failed("instantiate", &store, &error).into()),
        }
    }

    /// What the component says of itself. It does so without any right.
    pub(super) async fn describe(&self) -> Result<Info, Failure> {
        let indices = self.export(metadata::GuestIndices::new)?;
        let mut surroundings = self.surroundings.clone();
        surroundings.limits.memory = surroundings.limits.memory.min(TO_DESCRIBE);
        let mut live = self.instantiate_with(&surroundings, Arc::new(self.no_rights())).await?;
        let guest = indices
            .load(&mut live.store, &live.instance)
            .map_err(|error| self.error("describe", PluginErrorKind::Unlinkable(format!("{error:#}"))))?;
        begin_call(&mut live.store);
        let info = on_time(self.surroundings.limits, guest.call_describe(&mut live.store)).await;
        info.map_err(|error| failed("describe", &live.store, &error).into())
    }

    fn error(&self, function: &'static str, kind: PluginErrorKind) -> PluginError {
        PluginError { plugin: self.source.name().to_owned(), function, kind, stderr: String::new() }
    }
}

pub(super) fn unloaded(source: &Source, kind: PluginErrorKind) -> PluginError {
    PluginError { plugin: source.name().to_owned(), function: "load", kind, stderr: String::new() }
}

/// What a component has against its settings, of all that a first call of it may fail by.
pub(super) fn objection<T>(called: Result<T, Failure>) -> Result<(), Failure> {
    match called {
        Err(failure) if failure.code == "invalid-settings" => Err(failure),
        _ => Ok(()),
    }
}

/// Whether a component is not to blame, since this machine had no memory for it, or a limit forbids it.
fn starved(reason: &str) -> Option<PluginErrorKind> {
    match limits::reached(reason) {
        Some(reached) => Some(PluginErrorKind::Starved(Some(reached))),
        None => reason
            .contains(&format!("(os error {})", nix::errno::Errno::ENOMEM as i32))
            .then_some(PluginErrorKind::Starved(None)),
    }
}

/// What to say of a call that ended in a trap; its store must not be used again.
pub(super) fn failed(function: &'static str, store: &Store<State>, error: &wasmtime::Error) -> PluginError {
    let text = format!("{error:#}");
    let state = store.data();
    // Of one that computes all the time either clock may be the first.
    let kind = if text.contains(TOO_SLOW) || (text.contains(OVERDUE) && state.has_computed(state.limits.compute / 2)) {
        PluginErrorKind::TooSlow(state.limits.compute.as_secs_f64())
    } else if text.contains(OVERDUE) {
        PluginErrorKind::Overdue(state.limits.call.as_secs_f64())
    } else if text.contains("resource limit exceeded") {
        PluginErrorKind::TooManyParts
    } else if let Some(starved) = starved(&text) {
        starved
    } else if text.contains(TOO_MUCH_MEMORY) {
        PluginErrorKind::OutOfMemory(state.limits.memory >> 20)
    } else {
        // The first line of a trap is a backtrace's heading; its cause says what happened.
        PluginErrorKind::Trapped(error.root_cause().to_string())
    };
    PluginError { plugin: state.plugin.to_string(), function, kind, stderr: state.stderr.text() }
}
