//! Numbers, times, paths and names in the words of the console.

use std::{borrow::Cow, path::Path};

use crate::{
    model::{Failure, Status, Test, Verdict},
    report::text::{block, one_line},
};

/// "1 test", "2 tests", "2 retries", "2 batches".
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 {
        return format!("1 {what}");
    }
    match what.strip_suffix('y') {
        Some(stem) => format!("{count} {stem}ies"),
        None if what.ends_with("ch") || what.ends_with('x') => format!("{count} {what}es"),
        None => format!("{count} {what}s"),
    }
}

/// "0.4s", "34.2s", "3m 07s", "1h 02m".
pub(super) fn duration(seconds: f64) -> String {
    let seconds = if seconds.is_finite() { seconds.max(0.0) } else { 0.0 };
    if seconds < 59.95 {
        return format!("{seconds:.1}s");
    }
    let whole = seconds.round() as u64;
    match whole {
        ..3600 => format!("{}m {:02}s", whole / 60, whole % 60),
        _ => format!("{}h {:02}m", whole / 3600, whole % 3600 / 60),
    }
}

/// A path as it may be typed here: relative to the current directory where that is shorter.
pub(super) fn path(path: &Path) -> String {
    let shown = std::env::current_dir().ok().and_then(|here| Some(path.strip_prefix(here).ok()?.to_owned()));
    let shown = shown.filter(|relative| !relative.as_os_str().is_empty());
    one_line(&shown.as_deref().unwrap_or(path).to_string_lossy()).into_owned()
}

/// A test as it is told apart from others: by its id, and by its group where there are several.
pub(super) fn test(test: &Test, several_groups: bool) -> Cow<'_, str> {
    let id = one_line(test.id.as_str());
    if several_groups { Cow::Owned(format!("{}: {id}", one_line(test.group.as_str()))) } else { id }
}

/// A failure's message and, on a line of its own, the help.
pub(super) fn failure(failure: &Failure) -> String {
    block(&failure.to_string())
}

/// What stands before a test that did not do well, in eight columns.
pub(super) fn label(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "PASSED  ",
        Verdict::Flaky => "FLAKY   ",
        Verdict::Failed => "FAILED  ",
        Verdict::Error => "ERROR   ",
        Verdict::Crashed => "CRASHED ",
        Verdict::TimedOut => "TIMEOUT ",
        Verdict::NotRun => "NOT RUN ",
        Verdict::Skipped => "SKIPPED ",
        Verdict::XFailed => "XFAILED ",
        Verdict::XPassed => "XPASSED ",
    }
}

/// The verdict that an attempt of this status would give by itself.
pub(super) fn verdict_of(status: Status) -> Verdict {
    Verdict::from_last(status, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(counted(1, "retry"), "1 retry");
        assert_eq!(counted(2, "retry"), "2 retries");
        assert_eq!(counted(0, "sandbox"), "0 sandboxes");
        assert_eq!(counted(3, "test"), "3 tests");
        assert_eq!(duration(0.04), "0.0s");
        assert_eq!(duration(59.94), "59.9s");
        assert_eq!(duration(59.97), "1m 00s");
        assert_eq!(duration(187.2), "3m 07s");
        assert_eq!(duration(3721.0), "1h 02m");
        assert_eq!(duration(f64::NAN), "0.0s");
    }

    #[test]
    fn paths_are_relative_where_that_is_shorter() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(path(&here.join("test-results/junit.xml")), "test-results/junit.xml");
        assert_eq!(path(Path::new("/elsewhere/junit.xml")), "/elsewhere/junit.xml");
        assert_eq!(path(&here), here.to_string_lossy());
    }
}
