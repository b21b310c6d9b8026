//! Runs components: the only part that knows wasmtime.
//!
//! A component is found by the [locator](locate), compiled once into the [cache](cache), and instantiated anew for every
//! piece of work, in a store of its own with limits of its own.

mod bindings;
mod cache;
mod component;
mod embedded;
mod engine;
mod error;
mod framework_component;
mod imports;
mod locator;
mod provider_component;
mod settings;
mod stderr_tail;
mod store;

pub use bindings::contract;
pub use component::{Info, LogSink};
pub use error::{PluginError, PluginErrorKind};
pub use framework_component::{FrameworkComponent, FrameworkInstance};
pub use locator::{Kind, built_in_names};
pub use provider_component::ProviderComponent;
pub use settings::{Settings, settings_of};
