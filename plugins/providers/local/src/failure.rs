//! What is said when something did not work.

use offload_plugin::types::{Captured, Exit, Failure};

/// How much of a program's standard error is shown: its last lines say what went wrong.
const SHOWN_BYTES: usize = 2048;

/// A failure that would happen again.
pub fn failure(code: &str, message: impl Into<String>) -> Failure {
    Failure { code: code.to_owned(), message: message.into(), help: None, retryable: false }
}

/// A failure that the person can avoid, by doing what `help` says.
pub fn failure_with_help(code: &str, message: impl Into<String>, help: impl Into<String>) -> Failure {
    Failure { help: Some(help.into()), ..failure(code, message) }
}

pub fn succeeded(finished: &Captured) -> bool {
    finished.exit == Exit::Code(0)
}

/// What a program complained about, at most [`SHOWN_BYTES`] of it, or how it ended if it said nothing.
pub fn complaint(finished: &Captured) -> String {
    let shown = &finished.stderr[finished.stderr.len().saturating_sub(SHOWN_BYTES)..];
    match String::from_utf8_lossy(shown).trim() {
        "" => match finished.exit {
            Exit::Code(code) => format!("exit code {code}"),
            Exit::Signal(signal) => format!("signal {signal}"),
        },
        said => said.to_owned(),
    }
}
