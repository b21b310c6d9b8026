//! Shortens output that may be of any length to what a person can use.

use std::borrow::Cow;

/// The text, or where it has more than `limit` bytes its beginning and its end with a line between them that says how
/// much is missing. The result may be longer than `limit` by that line.
pub fn head_and_tail(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let head = &text[..text.floor_char_boundary(limit / 2)];
    let tail = &text[text.ceil_char_boundary(text.len() - limit / 2)..];
    let missing = text.len() - head.len() - tail.len();
    Cow::Owned(format!("{head}\n[… {missing} bytes left out …]\n{tail}"))
}

/// The last lines of a process's output, of at most `limit` bytes, without trailing white space: what it said when it
/// went wrong. Bytes that are not UTF-8 become U+FFFD.
pub fn last_lines(output: &[u8], limit: usize) -> String {
    let text = String::from_utf8_lossy(output);
    let text = text.trim_end();
    if text.len() <= limit {
        return text.to_owned();
    }
    let tail = &text[text.ceil_char_boundary(text.len() - limit)..];
    // The first line is cut somewhere; unless it is all there is, it only confuses.
    tail.split_once('\n').map_or(tail, |(_, whole_lines)| whole_lines).to_owned()
}

/// What a process said when it went wrong, on whichever stream: its end, of at most `limit` bytes, or where both say something
/// the end of each, of half as many, below its name. Many tools give their reason on standard output and warn of something else on the other.
pub fn last_words(stdout: &[u8], stderr: &[u8], limit: usize) -> String {
    match (stdout.trim_ascii(), stderr.trim_ascii()) {
        ([], _) => last_lines(stderr, limit),
        (_, []) => last_lines(stdout, limit),
        _ => {
            let [stdout, stderr] = [stdout, stderr].map(|stream| last_lines(stream, limit / 2));
            format!("standard error:\n{stderr}\nstandard output:\n{stdout}")
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shortens_only_what_is_long() {
        assert_eq!(head_and_tail("abc", 3), "abc");
        assert_eq!(head_and_tail("abcdefghij", 4), "ab\n[… 6 bytes left out …]\nij");
    }

    #[test]
    fn ends_with_whole_lines() {
        assert_eq!(last_lines(b"one\ntwo\n\n", 100), "one\ntwo");
        assert_eq!(last_lines(b"one\ntwo\nthree\n", 8), "three");
        assert_eq!(last_lines(b"0123456789", 4), "6789");
        assert_eq!(last_lines(b"\xff", 100), "\u{fffd}");
    }

    #[test]
    fn quotes_whichever_stream_says_something() {
        assert_eq!(last_words(b"out\n", b" \n", 10), "out");
        assert_eq!(last_words(b"", b"err\n", 10), "err");
        assert_eq!(last_words(b"one\ntwo", b"err", 10), "standard error:\nerr\nstandard output:\ntwo");
        assert_eq!(last_words(b"", b"", 10), "");
    }

    proptest! {
        #[test]
        fn never_cuts_a_character(text in any::<String>(), limit in 0_usize..40) {
            let _ = head_and_tail(&text, limit);
            prop_assert!(last_lines(text.as_bytes(), limit).len() <= limit);
        }
    }
}
