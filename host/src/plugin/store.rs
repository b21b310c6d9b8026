//! What one instance holds, and what it may use.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::ResourceTable;
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::component::LogSink;
use super::engine::{Runtime, TICK};
use super::settings::Settings;
use super::stderr_tail::StderrTail;

/// How much one instance may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of memory.
    pub(super) memory: usize,
    /// How long a call may compute. Time spent waiting for what it asked the host to run is not counted.
    pub(super) compute: Duration,
}

impl Default for Limits {
    /// Room and time for the results of some hundred thousand tests.
    fn default() -> Self {
        Self { memory: 1 << 30, compute: Duration::from_secs(60) }
    }
}

/// The text of the trap that ends a guest that computes for too long.
pub(super) const TOO_SLOW: &str = "the call computed for too long";

/// The state of one store.
pub(super) struct State {
    pub(super) table: ResourceTable,
    pub(super) wasi: WasiCtx,
    limits: StoreLimits,
    ticks: u32,
    pub(super) stderr: StderrTail,
    pub(super) plugin: Arc<str>,
    pub(super) settings: Settings,
    pub(super) log: LogSink,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A store whose guest sees no files, environment, network or arguments.
pub(super) fn new_store(
    runtime: &Runtime,
    limits: Limits,
    plugin: Arc<str>,
    settings: Settings,
    log: LogSink,
) -> Store<State> {
    let stderr = StderrTail::default();
    let state = State {
        table: ResourceTable::new(),
        wasi: WasiCtx::builder().stderr(stderr.clone()).build(),
        limits: StoreLimitsBuilder::new().memory_size(limits.memory).trap_on_grow_failure(true).build(),
        ticks: 0,
        stderr,
        plugin,
        settings,
        log,
    };
    let mut store = Store::new(&runtime.engine, state);
    store.limiter(|state| &mut state.limits);
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
    store
}

/// Starts the count of compute time anew, for the next call on the same instance.
pub(super) fn begin_call(store: &mut Store<State>) {
    store.data_mut().ticks = 0;
    store.set_epoch_deadline(1);
}
