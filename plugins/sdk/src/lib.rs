#![doc = include_str!("../README.md")]

mod answers;
#[doc(hidden)]
pub mod bindings;
pub mod copying;
pub mod doctor;
pub mod excerpt;
mod export;
pub mod frames;
pub mod framework;
pub mod inside;
mod instance;
pub mod journal;
pub mod junit;
pub mod observer;
mod plugin;
pub mod prelude;
pub mod printed;
pub mod provider;
pub mod reaper;
pub mod settings;
pub mod shell;
pub mod template;
#[cfg(feature = "test-kit")]
pub mod test_kit;
pub mod worker;

pub use bindings::plugin::offload::plugin::{bridge, host, io, process, types};
pub use plugin::Plugin;
pub use schemars;
