//! What makes vitest end badly although no test did: an error that nobody caught, or a clean-up that failed. Vitest itself
//! only fails the run; here it becomes the error of a test, so that the run cannot come out green.

use offload_plugin::types::{Captured, Test};

use crate::journal::{End, Finished, Stray};
use crate::results::State;

/// Turns tests that are over into errors where vitest's end asks for it.
pub fn apply(end: &End, tests: &[Test], told: &mut [State], output: &Captured) {
    let is_interrupted = told.len() < tests.len() || told.iter().any(|state| matches!(state, State::Running { .. }));
    for error in &end.errors {
        match last_of_file(error, tests, told) {
            Some(test) => turn(test, format!("unhandled error: {}", error.message), &error.details),
            // That a process died is known by the tests that are missing.
            None if is_interrupted => {}
            None => {
                if let Some(test) = last(told) {
                    turn(test, format!("unhandled error: {}", error.message), &error.details);
                }
            }
        }
    }
    // A failure that is none of these tests' is that of a file that vitest took to be meant as well.
    let is_explained = end.failed || is_interrupted || over(told).any(is_bad);
    if end.code != 0
        && !is_explained
        && let Some(test) = last(told)
    {
        let message = format!("vitest ended with exit code {} although its tests passed", end.code);
        turn(test, message, &output.complaint());
    }
}

/// The test of the error's file that ran when it was thrown, as far as vitest knows, or else the last one.
fn last_of_file<'a>(error: &Stray, tests: &[Test], told: &'a mut [State]) -> Option<&'a mut Finished> {
    let file = error.file.as_deref()?;
    let is_of_file = |id: &str, name: Option<&str>| {
        tests.iter().any(|test| {
            let is_named = |name: &str| test.name.as_deref().is_some_and(|own| own == name || is_last_part(own, name));
            test.id == id && test.file.as_deref() == Some(file) && name.is_none_or(is_named)
        })
    };
    let name = error.test.as_deref();
    let position = |name: Option<&str>| {
        told.iter().rposition(|state| matches!(state, State::Over(test) if is_of_file(&test.id, name)))
    };
    match &mut told[position(name).or_else(|| position(None))?] {
        State::Over(test) => Some(test),
        State::Running { .. } => None,
    }
}

fn is_last_part(name: &str, part: &str) -> bool {
    name.strip_suffix(part).is_some_and(|before| before.ends_with(" > "))
}

fn last(told: &mut [State]) -> Option<&mut Finished> {
    told.iter_mut().rev().find_map(|state| match state {
        State::Over(test) => Some(test),
        State::Running { .. } => None,
    })
}

fn over(told: &[State]) -> impl Iterator<Item = &Finished> {
    told.iter().filter_map(|state| match state {
        State::Over(test) => Some(test),
        State::Running { .. } => None,
    })
}

pub fn is_bad(test: &Finished) -> bool {
    matches!(test.status.as_str(), "failed" | "error")
}

/// One that already is bad keeps its own reasons.
fn turn(test: &mut Finished, message: String, details: &str) {
    if !is_bad(test) {
        test.status = "error".to_owned();
        test.message = Some(message);
        test.details = Some(details.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use offload_plugin::types::Exit;

    use super::*;

    fn over(id: &str, status: &str) -> State {
        State::Over(Finished {
            id: id.into(),
            task: None,
            at: 0.0,
            status: status.into(),
            duration: 0.0,
            message: None,
            details: None,
        })
    }

    fn stray(file: Option<&str>, test: Option<&str>) -> Stray {
        Stray { message: "m".into(), details: "d".into(), file: file.map(Into::into), test: test.map(Into::into) }
    }

    /// How tests `a1`, `a2` (file `a`) and `b1` (file `b`), which ended as given, are judged in the end; `-` for running.
    #[track_caller]
    fn check(code: i32, failed: bool, errors: Vec<Stray>, statuses: [&str; 3], expected: [&str; 3]) {
        let test = |id: &str, file: &str| Test {
            file: Some(file.into()),
            name: Some(format!("suite > {id}")),
            ..Test::new(id)
        };
        let tests = [test("a1", "a"), test("a2", "a"), test("b1", "b")];
        let mut told: Vec<_> = ["a1", "a2", "b1"]
            .into_iter()
            .zip(statuses)
            .map(|(id, status)| match status {
                "-" => State::Running { id: id.into(), since: 0.0 },
                status => over(id, status),
            })
            .collect();
        let output = Captured { exit: Exit::Code(code), stdout: Vec::new(), stderr: Vec::new() };
        apply(&End { code, finished: true, failed, errors }, &tests, &mut told, &output);
        let judged: Vec<_> = told
            .iter()
            .map(|state| match state {
                State::Running { .. } => "-",
                State::Over(test) => test.status.as_str(),
            })
            .collect();
        assert_eq!(judged, expected);
    }

    const PASSED: [&str; 3] = ["passed", "passed", "passed"];

    #[test]
    fn a_good_end_changes_nothing() {
        check(0, false, Vec::new(), PASSED, PASSED);
        check(1, true, Vec::new(), ["failed", "passed", "skipped"], ["failed", "passed", "skipped"]);
    }

    #[test]
    fn an_unhandled_error_is_that_of_the_test_that_ran() {
        let expected = ["error", "passed", "passed"];
        check(1, false, vec![stray(Some("a"), Some("a1"))], PASSED, expected);
        check(1, false, vec![stray(Some("a"), Some("suite > a1"))], PASSED, expected);
        check(
            1,
            true,
            vec![stray(Some("a"), Some("a1"))],
            ["failed", "passed", "passed"],
            ["failed", "passed", "passed"],
        );
    }

    #[test]
    fn or_of_the_last_test() {
        check(1, false, vec![stray(Some("a"), Some("1"))], PASSED, ["passed", "error", "passed"]);
        check(1, false, vec![stray(Some("a"), None)], PASSED, ["passed", "error", "passed"]);
        check(1, false, vec![stray(None, None)], PASSED, ["passed", "passed", "error"]);
        check(1, false, vec![stray(Some("other"), None)], PASSED, ["passed", "passed", "error"]);
    }

    #[test]
    fn a_process_that_died_is_the_running_tests_own_matter() {
        let running = ["passed", "passed", "-"];
        check(1, false, vec![stray(None, None)], running, running);
        check(1, false, Vec::new(), running, running);
        check(1, false, vec![stray(Some("a"), None)], running, ["passed", "error", "-"]);
    }

    #[test]
    fn a_bad_exit_code_is_never_green() {
        check(1, false, Vec::new(), PASSED, ["passed", "passed", "error"]);
        check(1, true, Vec::new(), PASSED, PASSED);
    }
}
