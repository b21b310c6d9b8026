//! The values in JUnit files, which are seldom as exact as XML wants them.

use std::borrow::Cow;

use quick_xml::escape::{resolve_xml_entity, unescape_with};
use quick_xml::events::BytesRef;

/// Text with references resolved. What is no valid reference stays as it was written.
pub(super) fn unescape(raw: &str) -> Cow<'_, str> {
    unescape_with(raw, resolve_xml_entity).unwrap_or(Cow::Borrowed(raw))
}

/// Adds what one reference between two pieces of text stands for. Only the five entities of XML itself are known: a file
/// cannot define its own.
pub(super) fn push_reference(text: &mut String, reference: &BytesRef<'_>) {
    let name: &str = reference;
    match (resolve_xml_entity(name), reference.resolve_char_ref()) {
        // One character each: to copy it as a text would take longer.
        (Some(meaning), _) => meaning.chars().for_each(|character| text.push(character)),
        (None, Ok(Some(character))) => text.push(character),
        (None, _) => text.extend(["&", name, ";"]),
    }
}

/// A number of seconds as the tools of many countries write it: `1.5`, `1,234.5`, `0,5`.
pub(super) fn seconds(text: &str) -> Option<f64> {
    // As most write it.
    if let Ok(time) = text.parse() {
        return sensible(time);
    }
    let text = text.trim().trim_end_matches('s').trim_end();
    let decimal_comma = match text.split_once(',') {
        Some((_, after)) => !text.contains('.') && !after.contains(',') && after.len() != 3,
        None => false,
    };
    let text = match (text.contains(','), decimal_comma) {
        (false, _) => Cow::from(text),
        (true, true) => text.replace(',', ".").into(),
        (true, false) => text.replace(',', "").into(),
    };
    text.parse().ok().and_then(sensible)
}

fn sensible(time: f64) -> Option<f64> {
    (time.is_finite() && time >= 0.0).then_some(time)
}

/// Adds a piece to what there is, on a line of its own; empty pieces add nothing.
pub(super) fn append(text: &mut Option<String>, piece: &str) {
    if piece.trim().is_empty() {
        return;
    }
    match text {
        Some(text) => {
            if !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(piece);
        }
        None => *text = Some(piece.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_seconds(text: &str, expected: Option<f64>) {
        assert_eq!(seconds(text), expected, "{text:?}");
    }

    #[test]
    fn reads_seconds_of_many_countries() {
        check_seconds("0.25", Some(0.25));
        check_seconds("1,234.5", Some(1234.5));
        check_seconds("1,234,567.5", Some(1_234_567.5));
        check_seconds("1,234", Some(1234.0));
        check_seconds("0,5", Some(0.5));
        check_seconds(" 2s ", Some(2.0));
        check_seconds("1e-3", Some(0.001));
        check_seconds("", None);
        check_seconds("NaN", None);
        check_seconds("inf", None);
        check_seconds("-1", None);
        check_seconds("soon", None);
    }
}
