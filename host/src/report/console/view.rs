//! The console as a view of the events.

use std::{path::Path, time::Duration};

use super::{closing::Closing, live::Live, palette::Palette, screen::Screen};
use crate::{
    model::Event,
    report::{
        Console, ReportError, Written,
        results::Results,
        text::{block, one_line},
    },
};

pub(in crate::report) struct ConsoleView {
    screen: Screen,
    palette: Palette,
    live: Live,
    stream_output: bool,
}

impl ConsoleView {
    pub fn new(console: Console, stream_output: bool) -> Self {
        Self::on(Screen::new(console), Palette::detect(), stream_output)
    }

    pub fn on(screen: Screen, palette: Palette, stream_output: bool) -> Self {
        Self { screen, palette, live: Live::default(), stream_output }
    }

    /// `results` have seen the event already; `written` is what stands when the run ends.
    pub fn handle(
        &mut self,
        at: Duration,
        event: &Event,
        results: &Results,
        output_dir: &Path,
        written: &Written,
    ) -> Result<(), ReportError> {
        if let Event::Output { sandbox, line, .. } = event {
            if self.stream_output {
                // What moves a cursor to the beginning of the line begins another, with a name of its own before it.
                for line in block(line).split('\n') {
                    self.screen.output(&format!("[{}] {line}", one_line(sandbox.as_str())));
                }
            }
            return Ok(());
        }
        if self.screen.is_silent() {
            return Ok(());
        }
        self.live.handle(at, event, &mut self.screen, self.palette);
        let Event::RunFinished { exit_code, seconds, summary } = event else { return Ok(()) };
        self.screen.end_progress();
        let closing = Closing { results, output_dir, written, palette: self.palette, notices: self.live.errors() };
        closing.show(&mut self.screen, *exit_code, *seconds, summary).map_err(ReportError::read(output_dir))
    }

    /// Leaves the terminal as it was, also when the run did not come to its end.
    pub fn leave(&mut self) {
        self.screen.take_commands();
        self.screen.end_progress();
    }
}
