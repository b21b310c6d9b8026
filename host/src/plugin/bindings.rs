//! The generated face of `wit/`: the only file that names generated modules.

mod provider_world {
    wasmtime::component::bindgen!({
        world: "full-provider-plugin",
        path: "wit",
        imports: { default: async | trappable },
        exports: { default: async },
        additional_derives: [serde::Serialize, serde::Deserialize],
        with: {
            "offload:plugin/io.stdio": crate::plugin::imports::SharedStdio,
            "offload:plugin/bridge.connection": crate::plugin::imports::Connection,
        },
    });
}

mod framework_world {
    wasmtime::component::bindgen!({
        world: "worker-framework-plugin",
        path: "wit",
        imports: { default: async | trappable },
        exports: { default: async },
        additional_derives: [serde::Serialize, serde::Deserialize],
        with: {
            "offload:plugin/types": super::provider_world::offload::plugin::types,
            "offload:plugin/host": super::provider_world::offload::plugin::host,
        },
    });
}

/// The contract's types, as the rest of the host sees them.
pub mod contract {
    pub use super::framework_world::exports::offload::plugin::framework::{
        Discovery, FinishedRun, ResultFile, RunPlan,
    };
    pub use super::framework_world::exports::offload::plugin::observer::{Event as Observed, UnitListing};
    pub use super::framework_world::exports::offload::plugin::worker::Launch;
    pub use super::provider_world::exports::offload::plugin::doctor::Finding;
    pub use super::provider_world::exports::offload::plugin::provider::{
        Created, ImageSpec, Prepared, SandboxSpec, Transfer,
    };
    pub use super::provider_world::exports::offload::plugin::reaper::Leftover;
    pub use super::provider_world::offload::plugin::types::{
        Captured, Command, Context, Exit, Failure, Found, Outcome, Test,
    };
}

pub(super) mod exports {
    pub use super::framework_world::exports::offload::plugin::{framework, observer, worker};
    pub use super::provider_world::exports::offload::plugin::{doctor, metadata, provider, reaper};
}

pub(super) mod imports {
    pub use super::provider_world::offload::plugin::{bridge, host, io, process, types};
}
