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

/// What nextest says of an attempt beside its output.
#[derive(Debug, Default, Clone)]
pub struct Notes {
    /// Why nextest ended it, or takes it as failed: that is the reason, whatever the test printed.
    pub verdict: Option<String>,
    /// Why it failed if it did not say so itself.
    pub reason: Option<String>,
    /// What to add to what it said itself.
    pub addition: Option<String>,
}

/// Tells a panic from what was printed before it. Where there is none, such as for a test that returns an error or whose
/// process was killed, everything is detail.
pub fn tell(output: &str, notes: &Notes) -> Story {
    let panic = panic_begins(output);
    let (before, details) = output.split_at(panic.unwrap_or(0));
    let own = || {
        let said = unmet_expectation(details)
            .or_else(|| panic.and_then(|_| panic_message(details)))
            .or_else(|| returned_error(details));
        said.map(|said| short(said, notes.addition.as_deref()))
    };
    // Without a panic the last line may be the reason, and may be anything.
    let last = || match (notes.reason.as_deref(), last_line(details)) {
        (Some(reason), Some(last)) => format!("{reason}: {last}"),
        (Some(reason), None) => reason.to_owned(),
        (None, Some(last)) => last.to_owned(),
        (None, None) => "the process ended without a panic: it exited by itself or was killed".to_owned(),
    };
    let message = notes.verdict.clone().or_else(own).unwrap_or_else(last);
    let message = short(&message, None);
    Story { message, details: text(details), stdout: text(before) }
}

/// Whether the test says in its output why it failed.
pub fn has_panic(output: &str) -> bool {
    panic_begins(output).is_some()
}

fn short(said: &str, addition: Option<&str>) -> String {
    let addition = addition.map(|addition| format!(" ({addition})")).unwrap_or_default();
    let room = MESSAGE_LIMIT.saturating_sub(addition.len());
    format!("{}{addition}", &said[..said.floor_char_boundary(room)])
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

/// What a test that returns `Err` ends with.
fn returned_error(details: &str) -> Option<&str> {
    details.lines().rfind(|line| line.starts_with("Error: ")).map(str::trim)
}

/// The last thing that was said.
fn last_line(details: &str) -> Option<&str> {
    details.lines().rfind(|line| !line.trim().is_empty()).map(str::trim)
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
            tell(output, &Notes::default()),
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
        assert_eq!(tell(unmet, &Notes::default()).message, "panic did not contain expected string");
    }

    #[test]
    fn tells_what_nextest_adds() {
        let killed = Notes {
            reason: Some("its process was ended by SIGABRT".to_owned()),
            addition: Some("SIGABRT".to_owned()),
            ..Notes::default()
        };
        assert_eq!(tell("", &killed).message, "its process was ended by SIGABRT");
        assert_eq!(tell("about to\n", &killed).message, "its process was ended by SIGABRT: about to");
        assert_eq!(tell("thread 'a' panicked at src/lib.rs:1:2:\nboom\n", &killed).message, "boom (SIGABRT)");
        let long = format!("thread 'a' panicked at src/lib.rs:1:2:\n{}\n", "é".repeat(1000));
        let message = tell(&long, &killed).message;
        assert!(message.ends_with("é (SIGABRT)") && message.len() <= MESSAGE_LIMIT, "{message}");
        let ended = Notes { verdict: Some("time limit exceeded".to_owned()), ..killed };
        assert_eq!(tell("thread 'a' panicked at src/lib.rs:1:2:\nboom\n", &ended).message, "time limit exceeded");
    }
}
