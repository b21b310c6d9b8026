//! Hands every event to every view.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{
    ReportError, ReportOptions, atomic::write_atomically, bounded::bounded, console::ConsoleView, events::EventLog,
    junit::write_junit, output_dir::OutputDir, results::Results,
};
use crate::model::{BatchId, Event, Mask, SandboxName};

/// All reports of one run.
pub struct Reporter {
    output: OutputDir,
    junit: Option<PathBuf>,
    began: Instant,
    /// Absent once it could not be written: the log has no gaps, it ends.
    events: Option<EventLog>,
    results: Results,
    console: ConsoleView,
    mask: Mask,
    written: Written,
    first_error: Option<ReportError>,
}

/// The files that a run left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub events: Option<PathBuf>,
    pub results: Option<PathBuf>,
    pub junit: Option<PathBuf>,
}

impl Reporter {
    /// Makes the output directory ready and removes the reports of an earlier run, so that none is taken for this one's.
    pub fn new(options: ReportOptions) -> Result<Self, ReportError> {
        let console = ConsoleView::new(options.console, options.stream_output);
        Self::with_console(options, console)
    }

    pub(super) fn with_console(options: ReportOptions, console: ConsoleView) -> Result<Self, ReportError> {
        let output = OutputDir::prepare(&options.output_dir, options.junit.as_deref())?;
        let events = EventLog::new(output.events(), output.open_events()?);
        let results = Results::new(output.path())?;
        Ok(Self {
            written: Written { events: Some(output.events()), ..Written::default() },
            output,
            junit: options.junit,
            began: Instant::now(),
            events: Some(events),
            results,
            console,
            mask: options.mask,
            first_error: None,
        })
    }

    /// Where a batch's output goes, to which `.stdout` and `.stderr` are added: the path to open, and the same relative to
    /// the output directory, as [`Attempt::log`](crate::model::Attempt::log) has it.
    pub fn log_stem(&self, sandbox: &SandboxName, batch: BatchId) -> (PathBuf, String) {
        self.output.log_stem(sandbox, batch)
    }

    /// Tells every view. An error of one does not keep the event from the others; it is returned here once, and the first
    /// one again by [`finish`](Self::finish), so a caller may go on with the run.
    pub fn handle(&mut self, event: &Event) -> Result<(), ReportError> {
        self.handle_at(self.began.elapsed(), event)
    }

    pub(super) fn handle_at(&mut self, at: Duration, event: &Event) -> Result<(), ReportError> {
        let event = self.mask.event(event);
        let event = &*bounded(&event);
        let mut told = Ok(());
        if let Some(log) = &mut self.events
            && let Err(error) = log.add(at, event)
        {
            self.events = None;
            self.written.events = None;
            told = told.and(self.failed(error));
        }
        if let Err(error) = self.results.apply(event) {
            told = told.and(self.failed(error));
        }
        if let Event::RunFinished { .. } = event {
            let wrote = self.write_results();
            told = told.and(wrote);
        }
        let shown = self.console.handle(at, event, &self.results, self.output.path(), &self.written);
        match shown {
            Err(error) => told.and(self.failed(error)),
            Ok(()) => told,
        }
    }

    /// Writes what waits in memory, for those who follow the run by its files.
    pub fn settle(&mut self) -> Result<(), ReportError> {
        let flushed = self.events.as_mut().map_or(Ok(()), EventLog::flush);
        flushed.or_else(|error| self.failed(error))
    }

    /// Ends all reports. Returns the first error that any of them met.
    pub fn finish(mut self) -> Result<Written, ReportError> {
        let _told_below = self.settle();
        self.console.leave();
        match self.first_error {
            Some(error) => Err(error),
            None => Ok(self.written),
        }
    }

    fn write_results(&mut self) -> Result<(), ReportError> {
        let junit = match self.junit.clone() {
            Some(path) => {
                let junit = write_atomically(Path::new(&path), |file| write_junit(&self.results, file));
                self.wrote(junit, |written| written.junit = Some(path))
            }
            None => Ok(()),
        };
        if self.first_error.is_some() {
            self.results.lack_reports();
        }
        let path = self.output.results();
        let results = write_atomically(&path, |file| self.results.write_json(file));
        junit.and(self.wrote(results, |written| written.results = Some(path)))
    }

    fn wrote(&mut self, result: Result<(), ReportError>, note: impl FnOnce(&mut Written)) -> Result<(), ReportError> {
        match result {
            Ok(()) => note(&mut self.written),
            Err(error) => return self.failed(error),
        }
        Ok(())
    }

    fn failed(&mut self, error: ReportError) -> Result<(), ReportError> {
        self.first_error.get_or_insert_with(|| error.clone());
        Err(error)
    }
}
