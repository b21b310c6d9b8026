//! Reads the JUnit XML that test tools write, in all its dialects.

mod elements;
mod encoding;
mod read;
mod report;
#[cfg(test)]
mod tests;
mod text;

pub use read::{MAX_BYTES, MAX_DEPTH, Unreadable, read};
pub use report::{Case, CaseStatus, Report, Rerun};
