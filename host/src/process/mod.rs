//! The one home of starting processes: each in a session of its own, always ended and reaped.

mod again;
mod capture;
mod group;
mod resident;
mod run;
mod signals;
mod strays;

pub use again::begin_again_with_few_arenas;
pub use capture::Capture;
pub use resident::{LineWriter, Resident, ResidentProcess};
pub use run::{Captured, Command, Environment, Exit, Input, Output, Stdio, capture, run};
pub use signals::ignores;
pub use strays::{EXEC_ID, Mark, SANDBOX, Stray, end_strays, sweep};
