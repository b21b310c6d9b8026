//! Everything that is a view of the event stream: the event log, `results.json`, JUnit and the console.
//! Knows events only, never who makes them.

mod atomic;
mod bounded;
mod console;
mod error;
mod events;
mod junit;
mod merge;
mod options;
mod output_dir;
mod reporter;
mod results;
mod text;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod whole_run;

pub use error::ReportError;
pub use merge::{MergeError, Merged, merge};
pub use options::{Console, ReportOptions};
pub use reporter::{Reporter, Written};
pub(crate) use text::{for_terminal, json_for_terminal};
