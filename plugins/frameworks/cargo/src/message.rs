//! What of a failed test's output says why it failed.

use offload_plugin::excerpt;

/// What is kept of each part of a test's output.
const TEXT_LIMIT: usize = 64 << 10;

/// What is kept of a message, which is one line.
const MESSAGE_LIMIT: usize = 500;

/// A failure told in one line and at length, and what was printed before it.
#[derive(Debug, PartialEq, Eq)]
pub struct Story {
    pub message: String,
    pub details: Option<String>,
    pub stdout: Option<String>,
}

/// Tells a panic from what was printed before it. Where there is none, such as for a test that returns an error or whose
/// process was killed, everything is detail.
pub fn tell(output: &str, reason: Option<&str>) -> Story {
    let panic = panic_begins(output);
    let (before, details) = output.split_at(panic.unwrap_or(0));
    let mut message = match reason {
        Some(reason) => format!("nextest ended it: {reason}"),
        None => unmet_expectation(details)
            .or_else(|| panic.and_then(|_| panic_message(details)))
            .or_else(|| returned_error(details))
            .unwrap_or("the process ended without a panic: it exited by itself or was killed")
            .to_owned(),
    };
    message.truncate(message.floor_char_boundary(MESSAGE_LIMIT));
    Story { message, details: text(details), stdout: text(before) }
}

/// Where the line of the first panic begins: `thread 'tests::a' (123) panicked at src/lib.rs:1:2:`, without the number
/// before Rust 1.91.
fn panic_begins(output: &str) -> Option<usize> {
    let mut begins = 0;
    for line in output.split_inclusive('\n') {
        if line.starts_with("thread '") && line.contains(" panicked at ") {
            return Some(begins);
        }
        begins += line.len();
    }
    None
}

/// The first line of the panic's own text, which follows that of its place.
fn panic_message(details: &str) -> Option<&str> {
    let mut lines = details.lines();
    let place = lines.next().and_then(|line| line.split_once(" panicked at ")).map(|(_, place)| place)?;
    // Until Rust 1.72 text and place shared a line: panicked at 'text', src/lib.rs:1:2
    if place.starts_with('\'') {
        return Some(place);
    }
    lines.next().map(str::trim).filter(|line| !line.is_empty() && *line != "stack backtrace:").or(Some(place))
}

/// `#[should_panic]`: the panic is not what is wrong, or there was none.
fn unmet_expectation(details: &str) -> Option<&str> {
    details
        .lines()
        .filter_map(|line| line.strip_prefix("note: "))
        .find(|note| note.starts_with("panic did not contain") || note.starts_with("test did not panic"))
}

/// What a test that returns `Err` ends with, and otherwise the last thing that was said.
fn returned_error(details: &str) -> Option<&str> {
    let said = |line: &&str| !line.trim().is_empty();
    details.lines().rfind(|line| line.starts_with("Error: ")).or_else(|| details.lines().rfind(said)).map(str::trim)
}

fn text(text: &str) -> Option<String> {
    let text = text.trim_matches('\n');
    (!text.trim().is_empty()).then(|| excerpt::head_and_tail(text, TEXT_LIMIT).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(output: &str, message: &str, details: Option<&str>, stdout: Option<&str>) {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        assert_eq!(
            tell(output, None),
            Story { message: message.to_owned(), details: owned(details), stdout: owned(stdout) }
        );
    }

    #[test]
    fn tells_panics() {
        check(
            "hello\n\nthread 'tests::a' (12) panicked at src/lib.rs:7:89:\nassertion failed: numbers differ\n  left: 1\n",
            "assertion failed: numbers differ",
            Some("thread 'tests::a' (12) panicked at src/lib.rs:7:89:\nassertion failed: numbers differ\n  left: 1"),
            Some("hello"),
        );
        check(
            "thread 'a' panicked at 'boom', src/lib.rs:1:2\nnote: run with RUST_BACKTRACE=1",
            "'boom', src/lib.rs:1:2",
            Some("thread 'a' panicked at 'boom', src/lib.rs:1:2\nnote: run with RUST_BACKTRACE=1"),
            None,
        );
        check(
            "thread 'a' panicked at src/lib.rs:1:2:\n\n",
            "src/lib.rs:1:2:",
            Some("thread 'a' panicked at src/lib.rs:1:2:"),
            None,
        );
    }

    #[test]
    fn tells_what_is_no_panic() {
        check("out\nError: \"bad\"\n", "Error: \"bad\"", Some("out\nError: \"bad\""), None);
        check("", "the process ended without a panic: it exited by itself or was killed", None, None);
        let unmet = "thread 'a' panicked at src/lib.rs:1:2:\nyy\nnote: panic did not contain expected string\n more";
        assert_eq!(tell(unmet, None).message, "panic did not contain expected string");
        assert_eq!(tell("", Some("time limit exceeded")).message, "nextest ended it: time limit exceeded");
    }
}
