//! Failures for when pytest did not get as far as its tests: how it ended, and the last it said.

use offload_plugin::types::{Captured, Exit, Failure};

/// How much of what pytest printed is quoted, of each stream.
const QUOTED_LINES: usize = 15;
const QUOTED_LINE_CHARACTERS: usize = 300;

/// A failure that says how pytest ended and quotes the last it printed. `status` is pytest's own, where it is known: the
/// process may have gone through a shell or `uv run`.
pub(crate) fn failure(code: &str, what: &str, status: Option<i32>, output: &Captured, by_hand: &str) -> Failure {
    let ending = match (status, output.exit) {
        (Some(status), _) | (None, Exit::Code(status)) => format!("exit status {status}{}", meaning(status)),
        (None, Exit::Signal(signal)) => format!("signal {signal}"),
    };
    let mut message = format!("{what}: pytest ended with {ending}");
    for (name, stream) in [("output", &output.stdout), ("errors", &output.stderr)] {
        let lines = last_lines(stream);
        if !lines.is_empty() {
            message.push_str(&format!("; the end of its {name}:"));
            for line in lines {
                message.push_str("\n  ");
                message.push_str(&line);
            }
        }
    }
    Failure { code: code.into(), message, help: Some(format!("see what `{by_hand}` says")), retryable: false }
}

/// What an exit status means to pytest, or to the shell that was to start it.
fn meaning(status: i32) -> &'static str {
    match status {
        2 => " (interrupted)",
        3 => " (internal error)",
        4 => " (wrong usage)",
        126 => " (the command cannot be executed)",
        127 => " (command not found)",
        _ => "",
    }
}

fn last_lines(stream: &[u8]) -> Vec<String> {
    let text = without_control_sequences(&String::from_utf8_lossy(stream));
    let mut lines: Vec<String> = text
        .lines()
        .rev()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .take(QUOTED_LINES)
        .map(|line| line.chars().take(QUOTED_LINE_CHARACTERS).collect())
        .collect();
    lines.reverse();
    lines
}

/// The text without colours and other control characters (ECMA-48: `ESC [`, parameters, one final character).
fn without_control_sequences(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\u{1b}' if rest.as_str().starts_with('[') => {
                rest.next();
                rest.find(|end| matches!(end, '@'..='~'));
            }
            '\n' | '\t' => plain.push(character),
            control if control.is_control() => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: Option<i32>, exit: Exit, stdout: &str, stderr: &str, expected: &str) {
        let output = Captured { exit, stdout: stdout.into(), stderr: stderr.into() };
        let failure = failure("discovery-failed", "no tests", status, &output, "python3 -m pytest");
        assert_eq!(failure.message, expected);
        assert_eq!(failure.help.as_deref(), Some("see what `python3 -m pytest` says"));
    }

    #[test]
    fn the_ending_and_the_last_lines_are_quoted() {
        check(Some(3), Exit::Code(1), "", "", "no tests: pytest ended with exit status 3 (internal error)");
        check(
            None,
            Exit::Code(4),
            "",
            "\u{1b}[31mERROR: no such file\u{1b}[0m\r\n\n",
            "no tests: pytest ended with exit status 4 (wrong usage); the end of its errors:\n  ERROR: no such file",
        );
        check(
            None,
            Exit::Signal(11),
            "collecting\n",
            "",
            "no tests: pytest ended with signal 11; the end of its output:\n  collecting",
        );
    }

    #[test]
    fn what_is_quoted_is_bounded() {
        let lines = last_lines(&format!("{}\n", "x".repeat(1000)).repeat(1000).into_bytes());
        assert_eq!(lines.len(), QUOTED_LINES);
        assert!(lines.iter().all(|line| line.len() == QUOTED_LINE_CHARACTERS));
    }
}
