//! What a run's reports should be.

use std::path::PathBuf;

use crate::model::Mask;

/// Where reports go and how much of the run is shown while it lasts.
#[derive(Clone, Debug)]
pub struct ReportOptions {
    /// Holds `events.jsonl`, `results.json` and `logs/`; created when it is missing.
    pub output_dir: PathBuf,
    /// The full path of the JUnit file, if there is to be one.
    pub junit: Option<PathBuf>,
    pub console: Console,
    /// Whether lines that tests print go to standard output as they come.
    pub stream_output: bool,
    /// What must not be shown.
    pub mask: Mask,
}

/// What a person sees of a run. All of it but streamed test output goes to standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// A progress bar on a terminal; plain lines elsewhere, and wherever the variable `CI` is set.
    Auto,
    Silent,
}
