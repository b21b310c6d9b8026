//! The home of everything that a command prints, other than a run's reports.

use std::io::Write;

use crate::limits::{self, Reached};
use crate::report::{for_terminal, json_for_terminal};

/// Standard output is for data. A reader that has gone away is no error. Whatever a test, a component or a file of the project says
/// in it is shown, and does nothing.
pub(super) fn print(text: &str) {
    write(&for_terminal(text, console::colors_enabled()));
}

/// The same for data in JSON.
pub(super) fn print_json(json: &str) {
    write(&json_for_terminal(json));
}

fn write(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Everything that is said to the person.
pub(super) fn complain(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "{}", for_terminal(text.trim_end(), console::colors_enabled_stderr()));
}

/// An error as it is shown: with the place in the file where there is one.
pub(super) fn render(error: &anyhow::Error) -> String {
    if let Some(diagnostic) = error.downcast_ref::<crate::config::ConfigError>() {
        return shown(diagnostic);
    }
    let label = console::style("error:").for_stderr().red().bold();
    let text = format!("{error:#}");
    match limits::reached(&text) {
        // Whatever could say so itself has.
        Some(Reached { limit, remedy }) if !text.contains(&limit) => {
            format!("{label} {text}: {limit}\n  help: {remedy}")
        }
        _ => format!("{label} {text}"),
    }
}

fn shown(diagnostic: &dyn miette::Diagnostic) -> String {
    let theme = if console::colors_enabled_stderr() {
        miette::GraphicalTheme::unicode()
    } else {
        miette::GraphicalTheme::unicode_nocolor()
    };
    let mut text = String::new();
    let handler = miette::GraphicalReportHandler::new_themed(theme);
    match handler.render_report(&mut text, diagnostic) {
        Ok(()) => text,
        Err(_) => diagnostic.to_string(),
    }
}
