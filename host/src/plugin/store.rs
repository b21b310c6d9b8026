//! What one instance holds, and what it may use.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::WasiHttpCtx;

use super::bridge::Helpers;
use super::component::LogSink;
use super::engine::{Runtime, TICK};
use super::imports::Gate;
use super::rights::{Denial, Rights};
use super::scripted::Processes;
use super::settings::Settings;
use super::stderr_tail::StderrTail;
use crate::model::{Failure, NoticeLevel};

/// How much one instance may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of memory.
    pub(super) memory: usize,
    /// How long a call may compute. Time spent waiting for what it asked the host to run is not counted.
    pub(super) compute: Duration,
    /// How long a call may take by the clock that has nothing to wait for but itself.
    pub(super) call: Duration,
}

impl Default for Limits {
    /// Room and time for the results of some hundred thousand tests.
    fn default() -> Self {
        // None of those that come with offload sleeps, and the machine may have much else to do.
        Self { memory: 1 << 30, compute: Duration::from_secs(60), call: Duration::from_secs(600) }
    }
}

/// The text of the trap that ends a guest that computes for too long.
pub(super) const TOO_SLOW: &str = "the call computed for too long";

/// The text of the error of a call that was waited for long enough.
pub(super) const OVERDUE: &str = "the call did not come back";

/// The text of the error of a guest that wants more than it may have.
pub(super) const TOO_MUCH_MEMORY: &str = "the memories and tables of the component are too large together";

/// How many instances, memories and tables of core WebAssembly a component may be made of. Those of whole language runtimes have some
/// ten of each.
const MOST_INSTANCES: usize = 200;
const MOST_MEMORIES: usize = 50;
const MOST_TABLES: usize = 100;

/// What an element of a table takes.
const ELEMENT: usize = size_of::<usize>() * 2;

/// What every instance of a component is made with.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) plugin: Arc<str>,
    pub(super) settings: Settings,
    pub(super) log: LogSink,
    pub(super) limits: Limits,
    pub(super) processes: Processes,
    pub(super) helpers: Helpers,
    /// How many messages its instances have logged.
    pub(super) messages: Arc<AtomicU32>,
}

/// The state of one store.
pub(super) struct State {
    pub(super) table: ResourceTable,
    pub(super) wasi: WasiCtx,
    pub(super) http: WasiHttpCtx,
    pub(super) gate: Gate,
    pub(super) limits: Limits,
    limiter: Meter,
    ticks: u32,
    pub(super) stderr: StderrTail,
    pub(super) plugin: Arc<str>,
    pub(super) settings: Settings,
    pub(super) log: LogSink,
    pub(super) messages: Arc<AtomicU32>,
    pub(super) rights: Arc<Rights>,
    pub(super) processes: Processes,
    pub(super) helpers: Helpers,
    pub(super) denied: Denied,
}

/// Counts what all memories and tables of an instance take together.
struct Meter {
    most: usize,
    memory: usize,
    tables: usize,
}

impl Meter {
    /// An error is a trap: there is no component that can do without what it asks for.
    fn grow(&mut self, memory: usize, tables: usize) -> wasmtime::Result<bool> {
        let (memory, tables) = (self.memory.saturating_add(memory), self.tables.saturating_add(tables));
        if memory.saturating_add(tables) > self.most {
            return Err(wasmtime::Error::msg(TOO_MUCH_MEMORY));
        }
        (self.memory, self.tables) = (memory, tables);
        Ok(true)
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(desired.saturating_sub(current), 0)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(error.context(TOO_MUCH_MEMORY))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(0, desired.saturating_sub(current).saturating_mul(ELEMENT))
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(error.context(TOO_MUCH_MEMORY))
    }

    fn instances(&self) -> usize {
        MOST_INSTANCES
    }

    fn tables(&self) -> usize {
        MOST_TABLES
    }

    fn memories(&self) -> usize {
        MOST_MEMORIES
    }
}

/// What an instance last wanted and was not given: whatever it makes of that, the person should hear of it.
#[derive(Clone, Default)]
pub(super) struct Denied(Arc<Mutex<Option<Denial>>>);

impl Denied {
    pub(super) fn note(&self, denial: Denial) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(denial);
    }

    fn take(&self) -> Option<Denial> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl State {
    /// The bytes that its memories have: they never shrink.
    pub(super) fn memory(&self) -> usize {
        self.limiter.memory
    }

    /// Whether the call has computed for so long.
    pub(super) fn has_computed(&self, time: Duration) -> bool {
        TICK * self.ticks >= time
    }

    /// A component that goes on without what it was not given may work otherwise than its user thinks.
    pub(super) fn tell_denial(&self) {
        if let Some(denial) = self.denied.take() {
            (self.log)(NoticeLevel::Warning, Failure::from(denial).to_string());
        }
    }

    /// Why a call failed, if it did not get what it wanted: that, and what the component said.
    pub(super) fn explain(&self, failure: Failure) -> Failure {
        match self.denied.take() {
            None => failure,
            Some(denial) => {
                let mut denied = Failure::from(denial);
                if !failure.message.contains(&denied.message) {
                    denied.message = format!("{}; it said: {}", denied.message, failure.message);
                }
                denied
            }
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A store whose guest sees only what its rights say: by default no files, environment, network or arguments.
///
/// # Errors
/// A directory that was granted cannot be opened.
pub(super) fn new_store(
    runtime: &Runtime,
    surroundings: &Surroundings,
    rights: Arc<Rights>,
) -> Result<Store<State>, Failure> {
    let Surroundings { plugin, settings, log, limits, processes, helpers, messages } = surroundings.clone();
    let stderr = StderrTail::default();
    let denied = Denied::default();
    let state = State {
        table: ResourceTable::new(),
        wasi: wasi(&plugin, &rights, stderr.clone())?,
        http: WasiHttpCtx::new(),
        gate: Gate::new(rights.clone(), denied.clone()),
        limits,
        limiter: Meter { most: limits.memory, memory: 0, tables: 0 },
        ticks: 0,
        stderr,
        plugin,
        settings,
        log,
        messages,
        rights,
        processes,
        helpers,
        denied,
    };
    let mut store = Store::new(&runtime.engine, state);
    store.limiter(|state| &mut state.limiter);
    // What a call hands over becomes memory of the host.
    store.set_hostcall_fuel(limits.memory);
    store.set_epoch_deadline(1);
    // Called at most once a tick and only while the guest computes: a long wait in the host passes as one tick.
    let most_ticks = limits.compute.as_millis() / TICK.as_millis();
    store.epoch_deadline_callback(move |mut context| {
        let state = context.data_mut();
        state.ticks += 1;
        if u128::from(state.ticks) > most_ticks {
            return Err(wasmtime::Error::msg(TOO_SLOW));
        }
        Ok(UpdateDeadline::Yield(1))
    });
    Ok(store)
}

fn wasi(plugin: &str, rights: &Rights, stderr: StderrTail) -> Result<WasiCtx, Failure> {
    let mut wasi = WasiCtx::builder();
    wasi.stderr(stderr);
    for (name, value) in rights.variables() {
        wasi.env(name, value);
    }
    for (name, directory, writable) in rights.directories() {
        let permissions = if writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        wasi.preopened_dir(&directory, name, permissions).map_err(|error| {
            let message = format!("the directory {name} that plugin `{plugin}` is granted cannot be opened: {error:#}");
            Failure::new("no-directory", message).with_help("create it, or correct its grant in offload.toml")
        })?;
    }
    Ok(wasi.build())
}

/// Waits for a call that has nothing to wait for but itself. Where it does not come back, its store must not be used again.
pub(super) async fn on_time<T>(limits: Limits, call: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    tokio::time::timeout(limits.call, call).await.unwrap_or_else(|_| Err(wasmtime::Error::msg(OVERDUE)))
}

/// Starts the count of compute time anew, for the next call on the same instance.
pub(super) fn begin_call(store: &mut Store<State>) {
    store.data_mut().ticks = 0;
    store.set_epoch_deadline(1);
}
