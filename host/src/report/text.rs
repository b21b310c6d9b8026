//! What tests print and what frameworks call things, made safe to show.

use std::borrow::Cow;

const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';

/// Takes out ANSI escape sequences. A sequence never spans a line, so that a broken one hides no more than its own line.
pub(super) fn without_ansi(text: &str) -> Cow<'_, str> {
    if !text.contains(ESCAPE) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(ESCAPE) {
        plain.push_str(&rest[..at]);
        rest = after_sequence(&rest[at + ESCAPE.len_utf8()..]);
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// What follows the sequence of which `rest` is all but the escape character (ECMA-48, 5.3 to 5.6).
fn after_sequence(rest: &str) -> &str {
    match rest.chars().next() {
        Some('[') => {
            let body = rest[1..].trim_start_matches(|c| matches!(c, ' '..='?'));
            body.strip_prefix(|c| matches!(c, '@'..='~')).unwrap_or(body)
        }
        Some(']' | 'P' | '^' | '_' | 'X') => {
            let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
            match line.find([BELL, ESCAPE, '\u{9c}']) {
                Some(end) => {
                    let tail = &rest[end..];
                    tail.strip_prefix("\u{1b}\\").or_else(|| tail.strip_prefix([BELL, '\u{9c}'])).unwrap_or(tail)
                }
                None => &rest[1..],
            }
        }
        Some(' '..='/') => {
            let body = rest.trim_start_matches(|c| matches!(c, ' '..='/'));
            body.strip_prefix(|c| matches!(c, '0'..='~')).unwrap_or(body)
        }
        Some('0'..='~') => &rest[1..],
        _ => rest,
    }
}

/// A name or message on one line: whatever would move a terminal's cursor, or reorder the line, shows as an escape.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// Several lines without ANSI sequences; other characters that would act on the terminal show as escapes.
pub(super) fn block(text: &str) -> String {
    let plain = without_ansi(text).replace("\r\n", "\n").replace('\r', "\n");
    escaped(&plain, |c| matches!(c, '\n' | '\t')).into_owned()
}

fn escaped(text: &str, kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    let acts = |c: char| acts_on_terminal(c) && !kept(c);
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) {
            safe.extend(c.escape_debug());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Control characters, separators of lines, and what changes the direction of writing.
fn acts_on_terminal(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text of which only colours act on a terminal, and those only where it takes `colors`.
pub fn for_terminal(text: &str, colors: bool) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let color = if c == ESCAPE && colors { length_of_color(rest) } else { 0 };
        if color > 0 {
            safe.push_str(&rest[..color]);
            rest = &rest[color..];
            continue;
        }
        if acts_on_terminal(c) && !matches!(c, '\n' | '\t') {
            safe.extend(c.escape_debug());
        } else {
            safe.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    harmless(&safe).into_owned()
}

/// How long the sequence that selects a colour at the beginning is (SGR of ECMA-48); 0 where there is none.
fn length_of_color(text: &str) -> usize {
    let Some(body) = text.strip_prefix("\u{1b}[") else { return 0 };
    let rest = body.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
    if rest.starts_with('m') { text.len() - rest.len() + 1 } else { 0 }
}

/// JSON in which nothing acts on a terminal or on the machine that shows a log of it; what it says is the same.
pub fn json_for_terminal(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    let mut last = None;
    for c in json.chars() {
        // Outside of strings there is neither.
        let acts = acts_on_terminal(c) && !matches!(c, '\n' | '\t');
        if acts || (c == '#' && last == Some('#')) {
            safe.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            safe.push(c);
        }
        last = Some(c);
    }
    safe
}

/// Text in which no line is a command to a service that shows it: `::error::` of GitHub at the beginning of a line, `##[error]` of
/// GitHub and Azure, `##vso[…]` and `##teamcity[…]` anywhere in it. A backslash shows where there was one.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains("::") && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for line in text.split_inclusive('\n') {
        let start = without_ansi(line).trim_start().starts_with("::");
        let line = if start { Cow::Owned(line.replacen("::", "\\::", 1)) } else { Cow::Borrowed(line) };
        let mut rest = &*line;
        while let Some(at) = rest.find("##") {
            let word = rest[at + 2..].trim_start_matches(|c: char| c == '#' || c.is_ascii_alphanumeric());
            let end = rest.len() - word.len();
            safe.push_str(&rest[..end]);
            if word.starts_with('[') {
                safe.push('\\');
            }
            rest = word;
        }
        safe.push_str(rest);
    }
    Cow::Owned(safe)
}

/// At most `most` characters, the last of them an ellipsis where something was cut.
pub(super) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(text.chars().take(most.saturating_sub(1)).chain(['…']).collect()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check_ansi(text: &str, plain: &str) {
        assert_eq!(without_ansi(text), plain);
    }

    #[test]
    fn ansi_sequences_go() {
        check_ansi("plain", "plain");
        check_ansi("\u{1b}[1;31mred\u{1b}[0m end", "red end");
        check_ansi("\u{1b}]0;title\u{7}text", "text");
        check_ansi("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link");
        check_ansi("\u{1b}(Btext\u{1b}7", "text");
        check_ansi("cut \u{1b}[31", "cut ");
        check_ansi("cut \u{1b}", "cut ");
        check_ansi("\u{1b}\u{1b}[0mx", "x");
    }

    #[test]
    fn a_broken_sequence_hides_nothing() {
        check_ansi("\u{1b}]0;never ended\nnext", "0;never ended\nnext");
        check_ansi("\u{1b}[\nnext", "\nnext");
        check_ansi("\u{1b}é", "é");
    }

    #[test]
    fn names_stay_on_one_line() {
        assert_eq!(one_line("a\nb\u{1b}[31m\u{202e}é😀"), "a\\nb\\u{1b}[31m\\u{202e}é😀");
        assert_eq!(block("a\r\nb\rc\td\u{8}"), "a\nb\nc\td\\u{8}");
        assert_eq!(shortened("héllo", 5), "héllo");
        assert_eq!(shortened("héllo", 4), "hél…");
    }

    #[test]
    fn only_colours_are_left() {
        assert_eq!(
            for_terminal("\u{1b}[1;31mred\u{1b}[0m \u{1b}[2Jx\ry", true),
            "\u{1b}[1;31mred\u{1b}[0m \\u{1b}[2Jx\\ry"
        );
        assert_eq!(for_terminal("\u{1b}[31mred\t\u{202e}\n", false), "\\u{1b}[31mred\t\\u{202e}\n");
    }

    #[test]
    fn no_line_is_a_command() {
        for (text, safe) in [
            ("::error::x", "\\::error::x"),
            ("a\n  \u{1b}[31m::stop-commands::t\nb", "a\n  \u{1b}[31m\\::stop-commands::t\nb"),
            ("a.py::test_b", "a.py::test_b"),
            (
                "x ##[error]y ##vso[task] ##teamcity[a] ## b [c]",
                "x ##\\[error]y ##vso\\[task] ##teamcity\\[a] ## b [c]",
            ),
            ("###[group]", "###\\[group]"),
            ("C# and [d]", "C# and [d]"),
        ] {
            assert_eq!(harmless(text), safe);
        }
    }

    #[test]
    fn json_says_the_same() {
        let value = serde_json::json!({ "a": "##[x] \u{202e}\u{7f}é" });
        let safe = json_for_terminal(&value.to_string());
        assert_eq!(safe, "{\"a\":\"#\\u0023[x] \\u202e\\u007fé\"}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).expect("JSON"), value);
    }

    proptest! {
        #[test]
        fn no_line_begins_a_command(text in "[ :#a-z\\[\n]{0,40}") {
            let safe = harmless(&text).into_owned();
            prop_assert!(safe.lines().all(|line| !line.trim_start().starts_with("::")), "{safe:?}");
            prop_assert!(!safe.contains("##["), "{safe:?}");
        }

        #[test]
        fn nothing_acts_on_the_terminal(text in any::<String>()) {
            prop_assert!(!one_line(&text).contains(acts_on_terminal));
            prop_assert!(!without_ansi(&text).contains(ESCAPE) );
            prop_assert!(!block(&text).contains(|c| acts_on_terminal(c) && c != '\n' && c != '\t'));
        }
    }
}
