//! What makes vitest end badly although no test did: an error that nobody caught, hooks or a tear-down that failed, an exit code
//! that something set. Vitest itself fails the run for it; here it is an error of the session.

use offload_plugin::excerpt::last_lines;
use offload_plugin::types::{Exit, Outcome};

use crate::journal::Stray;

/// How the errors of a process as a whole are called.
const NAME: &str = "vitest session";

/// How much is quoted of what vitest said last.
const QUOTED_BYTES: usize = 2048;

/// The outcome for an error that fails vitest and no test.
pub fn stray(stray: Stray) -> Outcome {
    let Stray { what, message, details, file, test } = stray;
    let place = file.map(|file| format!(" in {file}")).unwrap_or_default();
    let test = test.map(|test| format!(" (the last test that began before it: {test})")).unwrap_or_default();
    failed(format!("{what}{place}: {message}{test}"), details)
}

/// The outcome where vitest has an exit code that nothing known accounts for.
pub fn exit_code(code: i32, stderr: &[u8]) -> Outcome {
    failed(format!("vitest ended with exit code {code}, which no test accounts for"), last_lines(stderr, QUOTED_BYTES))
}

/// The outcome where vitest did not come to its end although all of its tests had.
pub fn cut_short(exit: Exit, stderr: &[u8]) -> Outcome {
    let ending = match exit {
        Exit::Code(code) => format!("ended with exit code {code}"),
        Exit::Signal(signal) => format!("was ended by signal {signal}"),
    };
    failed(format!("vitest {ending} after its tests, before it was done"), last_lines(stderr, QUOTED_BYTES))
}

fn failed(message: String, details: String) -> Outcome {
    let details = Some(details).filter(|details| !details.is_empty());
    // No two of them are one.
    let id = format!("{NAME}: {message}");
    Outcome { details, ..Outcome::new(id, "session-failed").with_message(message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_happened_and_where() {
        let thrown = |file: Option<&str>, test: Option<&str>| {
            let what = "unhandled error".into();
            let (file, test) = (file.map(Into::into), test.map(Into::into));
            stray(Stray { what, message: "m".into(), details: "d".into(), file, test })
        };
        let outcome = thrown(Some("a.test.ts"), Some("adds"));
        let expected = "unhandled error in a.test.ts: m (the last test that began before it: adds)";
        assert_eq!((outcome.id, outcome.status.as_str()), (format!("vitest session: {expected}"), "session-failed"));
        assert_eq!(outcome.details.as_deref(), Some("d"));
        assert_eq!(outcome.message.as_deref(), Some(expected));
        assert_eq!(thrown(None, None).message.as_deref(), Some("unhandled error: m"));
        let outcome = exit_code(3, b"reason\n");
        assert_eq!(outcome.message.as_deref(), Some("vitest ended with exit code 3, which no test accounts for"));
        assert_eq!(outcome.details.as_deref(), Some("reason"));
        let outcome = cut_short(Exit::Signal(9), b"");
        assert_eq!(
            outcome.message.as_deref(),
            Some("vitest was ended by signal 9 after its tests, before it was done")
        );
        assert_eq!(outcome.details, None);
    }
}
