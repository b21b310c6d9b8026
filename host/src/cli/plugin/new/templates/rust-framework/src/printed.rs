//! What the runner printed, and what it means.

use std::collections::HashMap;

use offload_plugin::prelude::*;

/// The tests of a list, one a line.
///
/// # Errors
/// The list is no text: an id comes back as it was given, so nothing in it may be guessed.
pub fn listed(printed: &[u8]) -> Result<Vec<Test>, Failure> {
    let text = str::from_utf8(printed).ok().filter(|text| !text.contains('\0'));
    let text = text.ok_or_else(|| Failure::new("discovery-failed", "@NAME@ printed a list of tests that is no text"))?;
    Ok(text.lines().filter(|line| !line.is_empty()).map(Test::new).collect())
}

/// What became of these tests: `ok` and `FAILED` end one, and one that only began was running when the runner ended.
pub fn outcomes(tests: &[Test], printed: &[u8]) -> Vec<Outcome> {
    let printed = String::from_utf8_lossy(printed);
    let mut told = HashMap::new();
    for outcome in printed.lines().filter_map(outcome) {
        told.insert(outcome.id.clone(), outcome);
    }
    // Only of those that were asked for: an id is the runner's own, and comes back as it was given.
    tests.iter().filter_map(|test| told.remove(&test.id)).collect()
}

fn outcome(line: &str) -> Option<Outcome> {
    if let Some(id) = line.strip_prefix("ok ") {
        Some(Outcome::new(id, "passed"))
    } else if let Some(rest) = line.strip_prefix("FAILED ") {
        let (id, why) = rest.split_once(": ").unwrap_or((rest, ""));
        Some(Outcome::new(id, "failed").with_message(why))
    } else {
        // Whether it crashed or was too slow is for offload to say.
        line.strip_prefix("begin ").map(|id| Outcome::new(id, "running"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ids, statuses and messages of what became of the tests `a`, `b`, `c` and `d`.
    #[track_caller]
    fn check(printed: &str, expected: &[(&str, &str, Option<&str>)]) {
        let tests: Vec<_> = ["a", "b", "c", "d"].into_iter().map(Test::new).collect();
        let outcomes = outcomes(&tests, printed.as_bytes());
        let told = outcomes.iter().map(|told| (told.id.as_str(), told.status.as_str(), told.message.as_deref()));
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn each_test_is_what_was_last_said_of_it() {
        check(
            "begin a\nok a\nbegin b\nFAILED b: 1 is not 2: no\nbegin c\n",
            &[("a", "passed", None), ("b", "failed", Some("1 is not 2: no")), ("c", "running", None)],
        );
    }

    #[test]
    fn a_list_is_text() {
        let ids = |printed: &[u8]| Some(listed(printed).ok()?.into_iter().map(|test| test.id).collect::<Vec<_>>());
        assert_eq!(ids(b"a\n\nb c\n"), Some(vec!["a".to_owned(), "b c".to_owned()]));
        assert_eq!(ids(b"a\n\xff\n"), None);
        assert_eq!(ids(b"a\0\n"), None);
    }

    #[test]
    fn of_what_is_not_told_nothing_is_said() {
        check("", &[]);
        check("okay a\nbegin of b\nok e\nFAIL", &[]);
    }
}
