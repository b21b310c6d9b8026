//! The one home of starting processes: each in a group of its own, always ended and reaped.

mod again;
mod capture;
mod group;
mod resident;
mod run;
mod sweep;

pub use again::begin_again_with_few_arenas;
pub use capture::Capture;
pub use resident::{LineWriter, Resident, ResidentProcess};
pub use run::{Captured, Command, Environment, Exit, Input, Output, Stdio, capture, run};
pub use sweep::{EXEC_ID, sweep};
