//! `events.jsonl`: the run as it went, one JSON object a line.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::PathBuf,
    time::Duration,
};

use serde::Serialize;

use super::ReportError;
use crate::model::Event;

/// So long may an event wait in memory while others follow.
const FLUSH_AFTER: Duration = Duration::from_millis(200);

/// The event log. What tests print is not in it: that is in `logs/`.
pub(super) struct EventLog {
    path: PathBuf,
    file: BufWriter<File>,
    flushed: Duration,
}

#[derive(Serialize)]
struct Line<'a> {
    /// Seconds since the run began.
    at: f64,
    #[serde(flatten)]
    event: &'a Event,
}

impl EventLog {
    /// Appends to a file that is open for that.
    pub fn new(path: PathBuf, file: File) -> Self {
        Self { path, file: BufWriter::with_capacity(64 * 1024, file), flushed: Duration::ZERO }
    }

    pub fn add(&mut self, at: Duration, event: &Event) -> Result<(), ReportError> {
        if matches!(event, Event::Output { .. }) {
            return Ok(());
        }
        let line = Line { at: at.as_millis() as f64 / 1000.0, event };
        serde_json::to_writer(&mut self.file, &line).map_err(|error| ReportError::write(&self.path)(error.into()))?;
        self.file.write_all(b"\n").map_err(ReportError::write(&self.path))?;
        let settled = matches!(event, Event::BatchEnded { .. } | Event::RunFinished { .. });
        if settled || at.saturating_sub(self.flushed) >= FLUSH_AFTER {
            self.flushed = at;
            self.flush()?;
        }
        Ok(())
    }

    pub fn flush(&mut self) -> Result<(), ReportError> {
        self.file.flush().map_err(ReportError::write(&self.path))
    }
}
