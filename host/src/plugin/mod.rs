//! Runs components: the only part that knows wasmtime.
//!
//! A component is found by the [locator](locate), compiled once into the [cache](cache), and instantiated anew for every
//! piece of work, in a store of its own with limits of its own.

mod bindings;
mod bridge;
mod cache;
pub mod compiler;
mod component;
mod conformance;
mod driver;
mod embedded;
mod engine;
mod error;
mod fetch;
mod framework_component;
mod imports;
mod inspection;
mod locator;
mod provider_component;
mod request;
mod rights;
mod scripted;
mod settings;
mod shape;
mod source;
mod stderr_tail;
mod steering;
mod store;

pub use bindings::contract;
pub use component::{Info, LogSink};
pub use conformance::{Conformance, Figures, Finding, Judgement, check};
pub use driver::{Driver, answered};
pub use error::{Mismatch, PluginError, PluginErrorKind};
pub use framework_component::{FrameworkComponent, FrameworkInstance};
pub use inspection::{Inspection, digest, inspect};
pub use locator::{Kind, built_in_names};
pub use provider_component::ProviderComponent;
pub use request::Request;
pub use rights::{Denial, Rights, table_of};
pub use scripted::{Processes, Script};
pub use settings::{Settings, settings_of};
pub use shape::{CONTRACT, Shape};
pub use source::Source;
