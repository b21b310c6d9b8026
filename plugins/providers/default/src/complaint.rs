//! What a program said when it did not do what it was asked.

use offload_plugin::excerpt::last_lines;
use offload_plugin::types::{Captured, Exit};

/// How much of a program's standard error is shown: its last lines say what went wrong.
const SHOWN_BYTES: usize = 2048;

/// The end of its standard error, or how it ended if it said nothing.
pub fn complaint(finished: &Captured) -> String {
    match (last_lines(&finished.stderr, SHOWN_BYTES), finished.exit) {
        (said, _) if !said.is_empty() => said,
        (_, Exit::Code(code)) => format!("exit code {code}"),
        (_, Exit::Signal(signal)) => format!("signal {signal}"),
    }
}
