//! Tests whose JUnit file says how they went.
//!
//! A green answer is given only where nothing speaks against it: a file that breaks off, a case that nobody owns, or a
//! command that failed without a failing case leave room for a failure that is not seen.

use std::borrow::{Borrow, BorrowMut};

use offload_plugin::excerpt;
use offload_plugin::framework::FinishedRun;
use offload_plugin::junit::{self, Case, Report};
use offload_plugin::types::{Exit, Failure, Outcome, Test};

use crate::folding::{fold, is_bad};
use crate::ownership::{By, Owners};

/// What the host acts on by running each test of the batch in a command of its own.
const RUN_SINGLY: &str = "run-singly";

/// What is kept of the command's last words where it left no result.
const STDERR_LIMIT: usize = 4096;

/// # Errors
/// The code "run-singly" where only a command for each test can tell whose result is whose.
pub fn outcomes(tests: &[Test], run: &FinishedRun, path: &str) -> Result<Vec<Outcome>, Failure> {
    let contents = run.contents(path);
    let report = match contents {
        None => Err("does not exist".to_owned()),
        Some(bytes) => junit::read(bytes).map_err(|reason| reason.to_string()),
    };
    match (tests, report) {
        ([test], Ok(report)) => Ok(of_one(test, report, run, path).into_iter().collect()),
        ([test], Err(reason)) => {
            let reason = format!("the result file {path} {reason}");
            Ok(unless_it_died(test, run, &reason).into_iter().collect())
        }
        (_, Ok(report)) if report.truncated.is_some() => Ok(certain_of_many(tests, report)),
        (_, Ok(report)) => of_many(tests, report, run),
        // The host looks for the test that prevents the file, in smaller and smaller batches.
        (_, Err(_)) => Ok(Vec::new()),
    }
}

/// The outcome of a test that ran alone, to which therefore every case belongs.
fn of_one(test: &Test, mut report: Report, run: &FinishedRun, path: &str) -> Option<Outcome> {
    let (has_failed, is_empty) = (report.cases.iter().any(is_bad), report.cases.is_empty());
    let mut folded = || Some(fold(&test.id, &mut report.cases));
    if has_failed {
        return folded();
    }
    if let Some(reason) = &report.truncated {
        return unless_it_died(test, run, &format!("the result file {path} breaks off: {reason}"));
    }
    if is_empty {
        return unless_it_died(test, run, &format!("the result file {path} has no case for it"));
    }
    match run.output.exit {
        Exit::Code(0) => folded(),
        _ if was_ended_by_host(run) => folded(),
        _ => unless_it_died(test, run, "every case passed or was skipped, and yet the command failed"),
    }
}

/// An error that says what is wrong, unless the process died: what that means is for the host to say.
fn unless_it_died(test: &Test, run: &FinishedRun, what_is_wrong: &str) -> Option<Outcome> {
    let code = match run.output.exit {
        Exit::Signal(_) => return None,
        // What a shell returns for a command that a signal killed.
        Exit::Code(129..=192) => return None,
        Exit::Code(code) => code,
    };
    let mut outcome =
        Outcome::new(&test.id, "error").with_message(format!("{what_is_wrong} (the command exited with code {code})"));
    let said = excerpt::last_lines(&run.output.stderr, STDERR_LIMIT);
    outcome.details = (!said.is_empty()).then_some(said);
    Some(outcome)
}

/// The outcomes of a batch with a whole report. A test without a case has none.
fn of_many(tests: &[Test], mut report: Report, run: &FinishedRun) -> Result<Vec<Outcome>, Failure> {
    let failed_unseen = run.output.exit != Exit::Code(0) && !report.cases.iter().any(is_bad);
    let mut owners = Owners::of(tests);
    let mut owned = Vec::with_capacity(report.cases.len());
    for case in &mut report.cases {
        match owners.find(case) {
            Some((test, _)) => owned.push(Owned { test, case }),
            None => {
                return Err(run_singly(format!("the case `{}` belongs to none of the tests that were run", case.name)));
            }
        }
    }
    if failed_unseen && !was_ended_by_host(run) {
        return Err(run_singly("the command failed and no case did".to_owned()));
    }
    Ok(fold_each(tests, owned, |_, _| true))
}

/// What a report that breaks off leaves no doubt about: cases that failed, and those that are all of a test. Other cases of
/// a file may have been cut off, and so may what followed the last case, such as an error in its tear-down.
fn certain_of_many(tests: &[Test], mut report: Report) -> Vec<Outcome> {
    let mut owners = Owners::of(tests);
    let mut owned = Vec::with_capacity(report.cases.len());
    let mut uncertain = vec![false; tests.len()];
    let last = report.cases.len().saturating_sub(1);
    for (position, case) in report.cases.iter_mut().enumerate() {
        if let Some((test, by)) = owners.find(case) {
            owned.push(Owned { test, case });
            uncertain[test] |= by == By::Container || position == last;
        }
    }
    fold_each(tests, owned, |test, cases| !uncertain[test] || cases.iter().any(|owned| is_bad(owned.case)))
}

/// A case, and the position of the test that it belongs to.
struct Owned<'a> {
    test: usize,
    case: &'a mut Case,
}

impl Borrow<Case> for Owned<'_> {
    fn borrow(&self) -> &Case {
        self.case
    }
}

impl BorrowMut<Case> for Owned<'_> {
    fn borrow_mut(&mut self) -> &mut Case {
        self.case
    }
}

/// The outcomes of the tests that have cases and are `certain`, in the order of the tests.
fn fold_each(tests: &[Test], mut owned: Vec<Owned<'_>>, certain: impl Fn(usize, &[Owned<'_>]) -> bool) -> Vec<Outcome> {
    // Most files have them in this order.
    owned.sort_by_key(|owned| owned.test);
    let mut outcomes = Vec::with_capacity(tests.len());
    for cases in owned.chunk_by_mut(|one, next| one.test == next.test) {
        let test = cases[0].test;
        if certain(test, cases) {
            outcomes.push(fold(&tests[test].id, cases));
        }
    }
    outcomes
}

/// A command that hangs after it has written its whole report is killed when its time is over: what is in the report
/// was finished before.
fn was_ended_by_host(run: &FinishedRun) -> bool {
    matches!(run.output.exit, Exit::Signal(9))
}

fn run_singly(message: String) -> Failure {
    Failure::new(RUN_SINGLY, message)
        .with_help("name the tests in the JUnit file as `discover_command` does, to have them run together")
        .retryable()
}

#[cfg(test)]
mod tests {
    use offload_plugin::types::Captured;

    use super::*;
    use offload_plugin::framework::ResultFile;

    const OK: Exit = Exit::Code(0);

    fn judged(ids: &[&str], exit: Exit, file: Option<&str>) -> Result<Vec<String>, String> {
        let tests: Vec<_> = ids.iter().map(|id| Test::new(*id)).collect();
        let contents = file.map(|file| file.as_bytes().to_vec());
        let run = FinishedRun {
            output: Captured { exit, stdout: Vec::new(), stderr: b"last words\n".to_vec() },
            files: vec![ResultFile { path: "junit.xml".to_owned(), contents }],
        };
        let line = |outcome: Outcome| {
            let message = outcome.message.map(|message| format!(" ({message})")).unwrap_or_default();
            format!("{} {}{message}", outcome.id, outcome.status)
        };
        outcomes(&tests, &run, "junit.xml")
            .map(|outcomes| outcomes.into_iter().map(line).collect())
            .map_err(|failure| format!("{}: {}", failure.code, failure.message))
    }

    #[track_caller]
    fn check(ids: &[&str], exit: Exit, file: Option<&str>, expected: &[&str]) {
        assert_eq!(judged(ids, exit, file).expect("the run can be judged"), expected);
    }

    #[track_caller]
    fn check_fails(ids: &[&str], exit: Exit, file: &str, expected: &str) {
        assert_eq!(judged(ids, exit, Some(file)).expect_err("the run cannot be judged"), expected);
    }

    const A_PASSED: &str = "<testsuite><testcase name='a'/></testsuite>";
    const A_FAILED: &str = "<testsuite><testcase name='a'><failure message='no'/></testcase></testsuite>";

    #[test]
    fn gives_each_test_its_cases() {
        check(&["a", "b"], OK, Some(A_PASSED), &["a passed"]);
        check(&["a", "b"], Exit::Code(1), Some(A_FAILED), &["a failed (no)"]);
        check(
            &["x.js", "y.js"],
            Exit::Code(1),
            Some(
                "<testsuite><testcase name='one' file='x.js'/><testcase name='two' file='/w/y.js'><error/></testcase>\
                  <testcase name='three' file='y.js'/></testsuite>",
            ),
            &["x.js passed", "y.js error (two)"],
        );
        check(
            &["x.js", "y.js", "z.js"],
            OK,
            Some(
                "<testsuite><testcase name='1' file='z.js'/><testcase name='2' file='x.js'/>\
                  <testcase name='3' file='z.js'><skipped/></testcase></testsuite>",
            ),
            &["x.js passed", "z.js passed"],
        );
    }

    #[test]
    fn everything_belongs_to_a_test_that_ran_alone() {
        check(&["x.js"], OK, Some(A_PASSED), &["x.js passed"]);
        check(&["x.js"], Exit::Code(1), Some(A_FAILED), &["x.js failed (no)"]);
    }

    #[test]
    fn runs_tests_singly_where_only_that_can_tell() {
        check_fails(
            &["x.js", "y.js"],
            OK,
            A_PASSED,
            "run-singly: the case `a` belongs to none of the tests that were run",
        );
        check_fails(&["a", "b"], Exit::Code(3), A_PASSED, "run-singly: the command failed and no case did");
    }

    #[test]
    fn a_command_that_fails_has_no_green_test_alone() {
        check(
            &["a"],
            Exit::Code(3),
            Some(A_PASSED),
            &[
                "a error (every case passed or was skipped, and yet the command failed (the command exited with code 3))",
            ],
        );
        check(&["a"], Exit::Signal(11), Some(A_PASSED), &[]);
        check(&["a"], Exit::Code(139), Some(A_PASSED), &[]);
    }

    #[test]
    fn what_was_reported_before_the_time_was_over_counts() {
        check(&["a", "b"], Exit::Signal(9), Some(A_PASSED), &["a passed"]);
        check(&["a"], Exit::Signal(9), Some(A_PASSED), &["a passed"]);
    }

    #[test]
    fn a_missing_or_foreign_file_is_an_error() {
        check(
            &["a"],
            OK,
            None,
            &["a error (the result file junit.xml does not exist (the command exited with code 0))"],
        );
        check(
            &["a"],
            Exit::Code(1),
            Some("oops"),
            &[
                "a error (the result file junit.xml is not JUnit XML: has text where an element is expected (at byte 4) \
               (the command exited with code 1))",
            ],
        );
        check(
            &["a"],
            OK,
            Some("<testsuite/>"),
            &["a error (the result file junit.xml has no case for it (the command exited with code 0))"],
        );
        check(&["a"], Exit::Signal(9), None, &[]);
        check(&["a", "b"], OK, None, &[]);
        check(&["a", "b"], OK, Some("oops"), &[]);
    }

    #[test]
    fn a_file_that_breaks_off_proves_only_failures_and_whole_tests() {
        let file = "<testsuite><testcase name='a'/><testcase name='one' file='x.js'/>\
                    <testcase name='b'><failure message='no'/></testcase><testcase name='c'/><testcase nam";
        check(&["a", "b", "c", "x.js"], Exit::Signal(9), Some(file), &["a passed", "b failed (no)"]);
        let passed = "<testsuite><testcase name='a'/>";
        check(&["a"], Exit::Signal(9), Some(passed), &[]);
        check(
            &["a"],
            OK,
            Some(passed),
            &["a error (the result file junit.xml breaks off: ends before its last element is closed (the command \
               exited with code 0))"],
        );
        check(&["a"], OK, Some("<testsuite><testcase name='t'><failure/></testcase>"), &["a failed"]);
    }
}
