//! Text that may stand in an XML 1.0 document. Escaping is the writer's part.

use std::{borrow::Cow, fmt::Write};

use crate::report::text::without_ansi;

/// The `Char` production of XML 1.0 (fifth edition, 2.2), without the two non-characters that it leaves in.
pub(super) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// What a test said: without ANSI sequences and without characters that XML forbids.
pub(super) fn said(text: &str) -> Cow<'_, str> {
    let plain = without_ansi(text);
    if plain.chars().all(is_allowed) { plain } else { Cow::Owned(plain.chars().filter(|c| is_allowed(*c)).collect()) }
}

/// What a test is called: two names that differ still do, so forbidden characters show as `#x1B`, which is pytest's way.
pub(super) fn called(name: &str) -> Cow<'_, str> {
    if name.chars().all(is_allowed) {
        return Cow::Borrowed(name);
    }
    let mut shown = String::with_capacity(name.len() + 16);
    for c in name.chars() {
        if is_allowed(c) {
            shown.push(c);
        } else {
            // Writing to a string cannot fail.
            let _infallible = write!(shown, "#x{:02X}", u32::from(c));
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_characters_go_or_show() {
        assert_eq!(said("a\u{0}b\u{1b}[31mred\u{1b}[0m\u{fffe}\n\té😀"), "abred\n\té😀");
        assert_eq!(called("test[\u{1b}-\u{0}]"), "test[#x1B-#x00]");
        assert_eq!(called("plain"), "plain");
    }
}
