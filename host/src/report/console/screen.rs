//! Where lines go. Errors of a closed or full terminal are nobody's concern: the run's truth is in its files.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use crate::report::{Console, text::harmless};

/// Redraws of the bar when nothing happens, so that the clock in it goes on.
const TICK: Duration = Duration::from_millis(250);

const BAR: &str = "{spinner} {elapsed:>4} {wide_bar:.green/dim} {pos}/{len} tests{msg} ";

/// Standard error for what is said of the run, standard output for what tests print.
pub(in crate::report) struct Screen {
    stderr: Box<dyn Write + Send>,
    stdout: Box<dyn Write + Send>,
    mode: Mode,
    /// By what GitHub knows that it may look for commands in the log again; absent elsewhere.
    token: Option<String>,
    /// Whether it has been told not to.
    stopped: bool,
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
        let token = is_github().then(|| uuid::Uuid::new_v4().simple().to_string());
        Self { stderr: Box::new(io::stderr()), stdout: Box::new(io::stdout()), mode, token, stopped: false }
    }

    #[cfg(test)]
    pub fn plain(stderr: impl Write + Send + 'static, stdout: impl Write + Send + 'static) -> Self {
        Self { stderr: Box::new(stderr), stdout: Box::new(stdout), mode: Mode::Plain, token: None, stopped: false }
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

    /// A line of what tests or components say in their own words.
    pub fn raw(&mut self, line: &str) {
        if !self.is_silent() {
            self.stop_commands();
        }
        self.line(line);
    }

    /// A line that a test printed. Shown even when the console is silent: it was asked for by itself.
    pub fn output(&mut self, line: &str) {
        self.stop_commands();
        match &self.mode {
            Mode::Silent | Mode::Plain => print(&mut self.stdout, line),
            Mode::Bar(bar) => bar.suspend(|| print(&mut self.stdout, line)),
        }
    }

    /// Has GitHub take nothing of what follows as a command to it. It shows both streams as one.
    fn stop_commands(&mut self) {
        if let Some(token) = self.token.as_ref().filter(|_| !self.stopped) {
            write(&mut self.stderr, &format!("::stop-commands::{token}"));
            self.stopped = true;
        }
    }

    /// All that others said has been shown.
    pub fn take_commands(&mut self) {
        if let Some(token) = self.token.as_ref().filter(|_| self.stopped) {
            write(&mut self.stderr, &format!("::{token}::"));
            self.stopped = false;
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

fn print(to: &mut dyn Write, line: &str) {
    write(to, &harmless(line));
}

/// One write a line, so that lines of several processes do not mix.
fn write(to: &mut dyn Write, line: &str) {
    let _closed = to.write_all(format!("{line}\n").as_bytes()).and_then(|()| to.flush());
}

/// Whether what is printed becomes a log of GitHub Actions.
fn is_github() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
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
