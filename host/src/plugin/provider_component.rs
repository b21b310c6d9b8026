//! A provider component: every call runs on an instance of its own, so a broken or busy one holds up no other.

use std::sync::Arc;

use tokio::sync::Mutex;
use wasmtime::Store;
use wasmtime::component::Resource;

use super::bindings::contract::{
    Command, Created, Exit, Failure, Finding, ImageSpec, Leftover, Prepared, SandboxSpec, Transfer,
};
use super::bindings::exports::provider::{Guest, GuestIndices};
use super::bindings::exports::{doctor, reaper};
use super::component::{Info, Linked, Live, LogSink, failed, objection};
use super::error::PluginError;
use super::imports::SharedStdio;
use super::locator::Kind;
use super::settings::Settings;
use super::source::Source;
use super::store::{State, begin_call};
use crate::model;
use crate::process::Stdio;

#[derive(Clone)]
pub struct ProviderComponent {
    linked: Linked,
    indices: Arc<GuestIndices>,
    reaper: Option<Arc<reaper::GuestIndices>>,
    doctor: Option<Arc<doctor::GuestIndices>>,
}

/// One call: a fresh instance, the call itself, and every way in which it can fail as a [`model::Failure`].
macro_rules! call {
    ($self:ident, $function:literal, |$guest:ident, $store:ident| $call:expr) => {{
        let (Live { store: mut $store, .. }, $guest) = $self.instance($function).await?;
        let result = $call.await;
        concluded($function, &$store, result)
    }};
}

impl ProviderComponent {
    /// # Errors
    /// No such provider, or its component cannot be compiled or linked.
    pub fn load(source: &Source, settings: Settings, log: LogSink) -> Result<Self, PluginError> {
        Self::of(Linked::load(Kind::Provider, source, settings, log)?)
    }

    pub(super) fn of(linked: Linked) -> Result<Self, PluginError> {
        let indices = Arc::new(linked.export(GuestIndices::new)?);
        let reaper = reaper::GuestIndices::new(&linked.pre).ok().map(Arc::new);
        let doctor = doctor::GuestIndices::new(&linked.pre).ok().map(Arc::new);
        Ok(Self { linked, indices, reaper, doctor })
    }

    pub async fn describe(&self) -> Result<Info, model::Failure> {
        self.linked.describe().await
    }

    /// Whether its settings can work, as far as it says so by itself: it may do nothing meanwhile.
    ///
    /// # Errors
    /// What it has against them.
    pub async fn check_settings(&self) -> Result<(), model::Failure> {
        let trial = Self { linked: self.linked.clone().without_rights(), ..self.clone() };
        // What any call says that comes first. It may have nothing run, so there is nothing to wait for.
        let limit = self.linked.limits().call;
        match tokio::time::timeout(limit, trial.destroy(&[])).await {
            Ok(called) => objection(called),
            Err(_) => Err(self.linked.overdue("destroy").into()),
        }
    }

    pub async fn prepare(&self, spec: &ImageSpec) -> Result<Prepared, model::Failure> {
        call!(self, "prepare", |guest, store| guest.call_prepare(&mut store, spec))
    }

    pub async fn create(&self, spec: &SandboxSpec) -> Result<Created, model::Failure> {
        call!(self, "create", |guest, store| guest.call_create(&mut store, spec))
    }

    pub async fn exec(
        &self,
        sandbox: &str,
        exec_id: &str,
        command: &Command,
        stdio: Arc<Mutex<Stdio>>,
    ) -> Result<Exit, model::Failure> {
        let (Live { mut store, .. }, guest) = self.instance("exec").await?;
        let stdio = match store.data_mut().table.push(SharedStdio::new(stdio)) {
            Ok(resource) => Resource::new_borrow(resource.rep()),
            Err(error) => return Err(failed("exec", &store, &error.into()).into()),
        };
        let result = guest.call_exec(&mut store, sandbox, exec_id, command, stdio).await;
        concluded("exec", &store, result)
    }

    pub async fn cancel(&self, sandbox: &str, exec_id: &str) -> Result<(), model::Failure> {
        call!(self, "cancel", |guest, store| guest.call_cancel(&mut store, sandbox, exec_id))
    }

    pub async fn download(&self, sandbox: &str, files: &[Transfer]) -> Result<Vec<String>, model::Failure> {
        call!(self, "download", |guest, store| guest.call_download(&mut store, sandbox, files))
    }

    pub async fn destroy(&self, sandboxes: &[String]) -> Result<(), model::Failure> {
        call!(self, "destroy", |guest, store| guest.call_destroy(&mut store, sandboxes))
    }

    /// Which functions it has that a provider need not have.
    pub(super) fn optional_functions(&self) -> impl Iterator<Item = &'static str> {
        let reaper = self.reaper.is_some().then_some("leftovers");
        reaper.into_iter().chain(self.doctor.is_some().then_some("examine"))
    }

    /// What earlier runs left behind; nothing of a provider that cannot know.
    pub async fn leftovers(&self) -> Result<Option<Vec<Leftover>>, model::Failure> {
        let Some(indices) = &self.reaper else { return Ok(None) };
        let Live { mut store, instance } = self.linked.instantiate().await?;
        let reaper = indices.load(&mut store, &instance).map_err(|error| failed("leftovers", &store, &error))?;
        begin_call(&mut store);
        let result = reaper.call_leftovers(&mut store).await;
        concluded("leftovers", &store, result).map(Some)
    }

    /// What keeps it from working here; nothing of a provider that does not look.
    pub async fn examine(&self) -> Result<Option<Vec<Finding>>, model::Failure> {
        let Some(indices) = &self.doctor else { return Ok(None) };
        let Live { mut store, instance } = self.linked.instantiate().await?;
        let doctor = indices.load(&mut store, &instance).map_err(|error| failed("examine", &store, &error))?;
        begin_call(&mut store);
        let result = doctor.call_examine(&mut store).await.map(Ok);
        concluded("examine", &store, result).map(Some)
    }

    /// Allows each of its helpers one start more than a run needs.
    pub fn spare_a_helper(&self) {
        self.linked.helpers().spare();
    }

    /// Ends the helpers that it keeps.
    pub async fn close(&self) {
        self.linked.helpers().close().await;
    }

    async fn instance(&self, function: &'static str) -> Result<(Live, Guest), model::Failure> {
        let mut live = self.linked.instantiate().await?;
        let guest = self
            .indices
            .load(&mut live.store, &live.instance)
            .map_err(|error| failed(function, &live.store, &error))?;
        begin_call(&mut live.store);
        Ok((live, guest))
    }
}

/// What a call came to. One that wanted what it may not have fails by that, whatever the component made of it.
fn concluded<T>(
    function: &'static str,
    store: &Store<State>,
    result: wasmtime::Result<Result<T, Failure>>,
) -> Result<T, model::Failure> {
    let failure = match result {
        Ok(Ok(value)) => {
            store.data().tell_denial();
            return Ok(value);
        }
        Ok(Err(failure)) => model::Failure::from(failure),
        Err(error) => failed(function, store, &error).into(),
    };
    Err(store.data().explain(failure))
}

impl From<Failure> for model::Failure {
    fn from(failure: Failure) -> Self {
        Self { code: failure.code, message: failure.message, help: failure.help, retryable: failure.retryable }
    }
}
