//! Bounds on what one attempt may bring into reports: whole texts stay in the logs.

use std::borrow::Cow;

use crate::model::{Attempt, Event};

/// Bytes kept of a text's beginning, and as many of its end: what went wrong shows at either.
const KEPT: usize = 8 * 1024;

/// The event with every text of an attempt bounded; borrowed where nothing is too long, which is nearly always.
pub(super) fn bounded(event: &Event) -> Cow<'_, Event> {
    match event {
        Event::Attempted { test, attempt, retried } if is_too_long(attempt) => {
            Cow::Owned(Event::Attempted { test: test.clone(), attempt: bounded_attempt(attempt), retried: *retried })
        }
        _ => Cow::Borrowed(event),
    }
}

fn is_too_long(attempt: &Attempt) -> bool {
    let outcome = &attempt.outcome;
    [&outcome.message, &outcome.details, &outcome.stdout, &outcome.stderr]
        .into_iter()
        .flatten()
        .chain(outcome.properties.iter().flat_map(|(name, value)| [name, value]))
        .any(|text| text.len() > 2 * KEPT)
}

fn bounded_attempt(attempt: &Attempt) -> Attempt {
    let mut attempt = attempt.clone();
    let stem = attempt.log.clone();
    let log = |stream| stem.as_ref().map(|stem| format!("{stem}.{stream}"));
    let outcome = &mut attempt.outcome;
    let (whole_stdout, whole_stderr) = (log("stdout"), log("stderr"));
    for (text, whole) in [
        (&mut outcome.message, &None),
        (&mut outcome.details, &whole_stdout),
        (&mut outcome.stdout, &whole_stdout),
        (&mut outcome.stderr, &whole_stderr),
    ] {
        if let Some(text) = text {
            cut(text, whole.as_deref());
        }
    }
    for (name, value) in &mut outcome.properties {
        cut(name, None);
        cut(value, None);
    }
    attempt
}

/// Keeps the head and the tail, and says between them what is missing and which file may hold it.
fn cut(text: &mut String, whole: Option<&str>) {
    if text.len() <= 2 * KEPT {
        return;
    }
    let head = text.floor_char_boundary(KEPT);
    let tail = text.ceil_char_boundary(text.len() - KEPT);
    let omitted = tail - head;
    let place = whole.map(|file| format!("; see {file}")).unwrap_or_default();
    *text = format!("{}\n… {omitted} bytes omitted{place} …\n{}", &text[..head], &text[tail..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_and_tail_stay() {
        let mut text = format!("first{}last", "é".repeat(100_000));
        cut(&mut text, Some("logs/a-1.stdout"));
        assert!(text.starts_with("firsté") && text.ends_with("élast"), "{text}");
        assert!(text.contains("\n… 183626 bytes omitted; see logs/a-1.stdout …\n"), "{}", text.replace('é', ""));
        assert!(text.len() < 2 * KEPT + 100);
    }

    #[test]
    fn a_text_that_fits_is_whole() {
        let mut text = "x".repeat(2 * KEPT);
        cut(&mut text, None);
        assert_eq!(text, "x".repeat(2 * KEPT));
    }
}
