//! Tests of a component as people will have it: the real `.wasm` in the real host, with processes that the test answers for.
//!
//! It needs the feature `test-kit`, and an `offload` (see [`Host`]), by whose command `offload plugin drive` the component is
//! loaded. It has the rights that it asks for, and no others.

mod built;
mod framework;
mod host;
mod line;
mod provider;
mod ran;

pub use built::build;
pub use framework::FrameworkComponent;
pub use host::Host;
pub use line::Loaded;
pub use provider::ProviderComponent;
pub use ran::Ran;
