//! One engine for the whole process.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine};

use super::bindings::imports;
use super::cache;
use super::locator::{Kind, Located};
use super::store::State;
use crate::limits;

/// How often a running guest is made to look whether its time is up, and lets others run.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// What a memory may grow without being copied, where addresses are scarce.
const GROWTH: u64 = 4 << 20;

/// The engine and everything that a component may import.
pub(super) struct Runtime {
    pub(super) engine: Engine,
    providers: Linker<State>,
    frameworks: Linker<State>,
    /// What this process has loaded, by the hash of the component.
    loaded: Mutex<HashMap<blake3::Hash, Component>>,
}

impl Runtime {
    /// The runtime of this process, made at first use.
    ///
    /// # Errors
    /// Wasmtime does not support this machine; the text says why.
    pub(super) fn get() -> Result<&'static Self, String> {
        static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
        RUNTIME.get_or_init(|| Self::new().map_err(|error| format!("{error:#}"))).as_ref().map_err(Clone::clone)
    }

    /// The compiled form of a component; all who ask share one.
    pub(super) fn component(&self, located: &Located) -> wasmtime::Result<Component> {
        let loaded = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(component) = loaded().get(&located.hash) {
            return Ok(component.clone());
        }
        // Others load theirs meanwhile.
        let component = cache::load(&self.engine, located)?;
        loaded().insert(located.hash, component.clone());
        Ok(component)
    }

    /// What a component of this kind may import.
    pub(super) fn linker(&self, kind: Kind) -> &Linker<State> {
        match kind {
            Kind::Provider => &self.providers,
            Kind::Framework => &self.frameworks,
        }
    }

    fn new() -> wasmtime::Result<Self> {
        let engine = Engine::new(&settings())?;
        // Standard libraries import all of WASI; what is behind it is for the rights of an instance to say.
        let mut frameworks = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut frameworks)?;
        imports::types::add_to_linker::<State, HasSelf<State>>(&mut frameworks, |state| state)?;
        imports::host::add_to_linker::<State, HasSelf<State>>(&mut frameworks, |state| state)?;
        let mut providers = frameworks.clone();
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut providers)?;
        imports::io::add_to_linker::<State, HasSelf<State>>(&mut providers, |state| state)?;
        imports::bridge::add_to_linker::<State, HasSelf<State>>(&mut providers, |state| state)?;
        imports::process::add_to_linker::<State, HasSelf<State>>(&mut providers, |state| state)?;
        let ticked = engine.weak();
        std::thread::Builder::new().name("epoch".into()).spawn(move || {
            while let Some(engine) = ticked.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })?;
        Ok(Self { engine, providers, frameworks, loaded: Mutex::default() })
    }
}

/// How components are compiled and run on this machine, within the limits of this process.
pub(super) fn settings() -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true).epoch_interruption(true);
    if limits::address_space().is_some() {
        // Each memory would reserve more than four GiB of addresses, so that the processor finds what lies beyond its end. Without
        // that, code looks for itself and is a little slower; a memory that grows is copied.
        config.memory_reservation(0).memory_guard_size(0).guard_before_linear_memory(false);
        config.memory_reservation_for_growth(GROWTH);
        // Each thread that compiles would take its share of them, too.
        config.parallel_compilation(false);
    }
    if limits::file_size().is_some() {
        // What memories begin with would be kept in files without a name, which count.
        config.memory_init_cow(false);
    }
    config
}
