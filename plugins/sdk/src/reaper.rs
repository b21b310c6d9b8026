//! What earlier runs left behind.

pub use crate::bindings::reaper::exports::offload::plugin::reaper::Leftover;

use crate::bindings::reaper::exports::offload::plugin::reaper::Guest;
use crate::instance;
use crate::provider::Provider;
use crate::types::Failure;

/// A provider that finds its sandboxes again, long after the run that made them was killed: by labels, names or comments
/// with the run's id.
pub trait Reaper: Provider {
    /// Every sandbox that offload made with these settings and that still exists, of whatever run.
    ///
    /// # Errors
    /// Whatever keeps them from being found.
    fn leftovers(&self) -> Result<Vec<Leftover>, Failure>;
}

impl<P: Reaper> Guest for P {
    fn leftovers() -> Result<Vec<Leftover>, Failure> {
        instance::with(|plugin: &mut P| plugin.leftovers())
    }
}
