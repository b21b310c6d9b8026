//! One test that did not do well, in full as far as that helps.

use std::path::Path;

use super::{
    palette::Palette,
    phrases::{counted, label, path, test},
};
use crate::{
    model::Test,
    report::{
        results::{Record, Texts},
        text::{block, one_line, shortened},
    },
};

/// Lines of a traceback: its end matters more than its beginning.
const DETAILS: (usize, usize) = (20, 60);

/// Lines of what a test printed, where a traceback says what went wrong.
const OUTPUT: (usize, usize) = (5, 25);

/// Characters of one line; minified code and dumps of data have no end.
const LINE_WIDTH: usize = 1000;

/// The test's name, message, traceback, output and where the whole is.
pub(super) fn detail(
    of: &Test,
    record: &Record,
    texts: &Texts,
    output_dir: &Path,
    several_groups: bool,
    palette: Palette,
) -> String {
    let verdict = record.verdict();
    let mut text = format!("{} {}", palette.verdict(verdict, label(verdict)), palette.strong(test(of, several_groups)));
    if record.attempts.len() > 1 {
        let attempts = format!(" ({})", counted(record.attempts.len(), "attempt"));
        text.push_str(&palette.dim(attempts).to_string());
    }
    let details = texts.details.as_deref().unwrap_or_default();
    if let Some(message) = texts.message.as_deref()
        && !details.contains(message.trim())
    {
        indent(&mut text, message, DETAILS, 4);
    }
    indent(&mut text, details, DETAILS, 4);
    // Where a process died, what it said last is all that is known of why: the stacks of its threads, for example.
    let lines = if details.is_empty() { DETAILS } else { OUTPUT };
    for (name, output) in [("stdout", &texts.stdout), ("stderr", &texts.stderr)] {
        if let Some(output) = output.as_deref().filter(|output| !output.trim().is_empty()) {
            text.push_str(&format!("\n    {}", palette.dim(format!("{name}:"))));
            indent(&mut text, output, lines, 6);
        }
    }
    if let Some(log) = record.attempts.last().and_then(|attempt| attempt.log.as_deref()) {
        let log = format!("{}.stdout, .stderr", path(&output_dir.join(&*one_line(log))));
        text.push_str(&format!("\n    {} {log}", palette.dim("log:")));
    }
    text
}

/// Adds the first and the last lines of a text, and between them how many are missing.
fn indent(to: &mut String, text: &str, (first, last): (usize, usize), columns: usize) {
    let text = block(text);
    let lines: Vec<&str> = text.trim_matches('\n').trim_end().lines().collect();
    let omitted = lines.len().saturating_sub(first + last);
    for (number, line) in lines.iter().enumerate() {
        if omitted > 0 && number == first {
            to.push_str(&format!("\n{:columns$}… {} omitted", "", counted(omitted, "line")));
        }
        if omitted > 0 && (first..first + omitted).contains(&number) {
            continue;
        }
        to.push('\n');
        if !line.is_empty() {
            to.push_str(&format!("{:columns$}{}", "", shortened(line, LINE_WIDTH)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_keep_both_ends() {
        let text: String = (1..=10).map(|number| format!("{number}\n")).collect();
        let mut shown = String::new();
        indent(&mut shown, &text, (2, 3), 2);
        assert_eq!(shown, "\n  1\n  2\n  … 5 lines omitted\n  8\n  9\n  10");
        shown.clear();
        indent(&mut shown, "\none\n\n\u{1b}[31mtwo\u{7}\n", (2, 3), 2);
        assert_eq!(shown, "\n  one\n\n  two\\u{7}");
    }
}
