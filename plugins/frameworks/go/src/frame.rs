//! What the testing package prints around what tests print, where test2json misses it.
//!
//! Before Go 1.20 nothing marks these lines: one that follows a text without an end is part of that text's line.

use crate::test::{Ending, Status};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Frame {
    Began,
    Paused,
    Continued,
    Ended(Ending),
}

/// The frame that ends the line and has something before it, with the test that it is about. Those of subtests do not
/// count.
pub fn glued(line: &str) -> Option<(&str, Frame)> {
    const UPDATES: [(&str, Frame); 3] =
        [("=== RUN   ", Frame::Began), ("=== PAUSE ", Frame::Paused), ("=== CONT  ", Frame::Continued)];
    const REPORTS: [(&str, Status); 3] =
        [("--- PASS: ", Status::Passed), ("--- FAIL: ", Status::Failed), ("--- SKIP: ", Status::Skipped)];
    let behind = |start: &str| {
        let (before, rest) = line.rsplit_once(start)?;
        (!before.is_empty()).then_some(rest)
    };
    let is_top = |name: &&str| !name.contains(['/', ' ']);
    let update = UPDATES.iter().find_map(|(start, frame)| Some((behind(start).filter(is_top)?, *frame)));
    update.or_else(|| {
        REPORTS.iter().find_map(|(start, status)| {
            let (name, seconds) = behind(start)?.strip_suffix("s)")?.split_once(" (")?;
            let ending = Ending { status: *status, seconds: seconds.parse().ok()? };
            is_top(&name).then_some((name, Frame::Ended(ending)))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_follows_a_text_without_an_end() {
        assert_eq!(glued("no end=== RUN   TestA"), Some(("TestA", Frame::Began)));
        assert_eq!(glued("no end=== PAUSE TestA"), Some(("TestA", Frame::Paused)));
        assert_eq!(glued("no end=== CONT  TestA"), Some(("TestA", Frame::Continued)));
        let ending = Ending { status: Status::Failed, seconds: 0.25 };
        assert_eq!(glued("no end--- FAIL: TestA (0.25s)"), Some(("TestA", Frame::Ended(ending))));
    }

    #[test]
    fn passes_over_all_else() {
        for line in [
            "",
            "=== RUN   TestA",
            "--- PASS: TestA (0.00s)",
            "x--- PASS: TestA",
            "x--- PASS: TestA/b (0.00s)",
            "x=== RUN   a b",
        ] {
            assert_eq!(glued(line), None, "{line}");
        }
    }
}
