//! Where lines go. Errors of a closed or full terminal are nobody's concern: the run's truth is in its files.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use crate::report::Console;

/// Redraws of the bar when nothing happens, so that the clock in it goes on.
const TICK: Duration = Duration::from_millis(250);

const BAR: &str = "{spinner} {elapsed:>4} {wide_bar:.green/dim} {pos}/{len} tests{msg} ";

/// Standard error for what is said of the run, standard output for what tests print.
pub(in crate::report) struct Screen {
    stderr: Box<dyn Write + Send>,
    stdout: Box<dyn Write + Send>,
    mode: Mode,
}

enum Mode {
    Silent,
    Plain,
    /// Lines appear above the bar.
    Bar(ProgressBar),
}

impl Screen {
    pub fn new(console: Console) -> Self {
        let mode = match console {
            Console::Silent => Mode::Silent,
            Console::Auto if takes_a_bar() => Mode::Bar(bar()),
            Console::Auto => Mode::Plain,
        };
        Self { stderr: Box::new(io::stderr()), stdout: Box::new(io::stdout()), mode }
    }

    #[cfg(test)]
    pub fn plain(stderr: impl Write + Send + 'static, stdout: impl Write + Send + 'static) -> Self {
        Self { stderr: Box::new(stderr), stdout: Box::new(stdout), mode: Mode::Plain }
    }

    /// Whether there is a bar, which says what plain progress lines would.
    pub fn has_bar(&self) -> bool {
        matches!(self.mode, Mode::Bar(_))
    }

    pub fn is_silent(&self) -> bool {
        matches!(self.mode, Mode::Silent)
    }

    pub fn line(&mut self, line: &str) {
        match &self.mode {
            Mode::Silent => {}
            Mode::Plain => print(&mut self.stderr, line),
            Mode::Bar(bar) => bar.suspend(|| print(&mut self.stderr, line)),
        }
    }

    /// A line that a test printed. Shown even when the console is silent: it was asked for by itself.
    pub fn output(&mut self, line: &str) {
        match &self.mode {
            Mode::Silent | Mode::Plain => print(&mut self.stdout, line),
            Mode::Bar(bar) => bar.suspend(|| print(&mut self.stdout, line)),
        }
    }

    pub fn progress(&mut self, done: usize, of: usize, message: impl FnOnce() -> String) {
        if let Mode::Bar(bar) = &self.mode {
            // Nothing of nothing would be drawn as a full bar.
            if of > 0 {
                bar.set_length(of as u64);
            }
            bar.set_position(done as u64);
            bar.set_message(message());
        }
    }

    /// Takes the bar away.
    pub fn end_progress(&mut self) {
        if let Mode::Bar(bar) = &self.mode {
            bar.finish_and_clear();
            self.mode = Mode::Plain;
        }
    }
}

/// One write a line, so that lines of several processes do not mix.
fn print(to: &mut dyn Write, line: &str) {
    let _closed = to.write_all(format!("{line}\n").as_bytes()).and_then(|()| to.flush());
}

fn takes_a_bar() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stderr().is_terminal() && std::env::var_os("CI").is_none() && !dumb
}

fn bar() -> ProgressBar {
    let style =
        ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─");
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        .with_style(style)
        .with_finish(ProgressFinish::AndClear);
    bar.enable_steady_tick(TICK);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_panic() {
        let mut screen = Screen::plain(Closed, Closed);
        screen.line("to nobody");
        screen.output("to nobody");
    }

    #[test]
    fn the_bar_is_drawn_from_a_valid_template() {
        let style =
            ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_bar:.green/dim} {pos}/{len} tests{msg} ");
        assert!(style.is_ok());
    }
}
