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
use crate::place;
use crate::reruns;

/// What the host acts on by running each test of the batch in a command of its own.
const RUN_SINGLY: &str = "run-singly";

/// What is kept of the command's last words where it left no result, of each of its streams.
const LAST_WORDS: usize = 4096;

/// The outcomes of tests whose command wrote `path`. `place` is the file in which it noted where it ran, if it was told to.
///
/// # Errors
/// The code "run-singly" where only a command for each test can tell whose result is whose.
pub fn outcomes(tests: &[Test], run: &FinishedRun, path: &str, place: Option<&str>) -> Result<Vec<Outcome>, Failure> {
    let mut report = match run.contents(path) {
        None => Err("does not exist".to_owned()),
        Some(bytes) => junit::read(bytes).map_err(|reason| reason.to_string()),
    };
    if let Ok(report) = &mut report {
        if let Some(directory) = place.and_then(|place| run.contents(place)) {
            place::make_relative(&mut report.cases, &String::from_utf8_lossy(directory));
        }
        if run.output.exit == Exit::Code(0) {
            reruns::join_repeated(&mut report.cases);
        }
    }
    match (tests, report) {
        ([test], Ok(report)) => Ok(of_one(test, report, run, path)),
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
fn of_one(test: &Test, mut report: Report, run: &FinishedRun, path: &str) -> Vec<Outcome> {
    let (has_failed, is_empty) = (report.cases.iter().any(is_bad), report.cases.is_empty());
    let mut folded = || fold(&test.id, &mut report.cases);
    let unless_it_died = |what_is_wrong: &str| unless_it_died(test, run, what_is_wrong).into_iter().collect();
    if has_failed {
        return folded();
    }
    if let Some(reason) = &report.truncated {
        return unless_it_died(&format!("the result file {path} breaks off: {reason}"));
    }
    if is_empty {
        return unless_it_died(&format!("the result file {path} has no case for it"));
    }
    match run.output.exit {
        Exit::Code(0) => folded(),
        _ if was_ended_by_host(run) => folded(),
        _ => unless_it_died("every case passed or was skipped, and yet the command failed"),
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
    let said = excerpt::last_words(&run.output.stdout, &run.output.stderr, LAST_WORDS);
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
            outcomes.extend(fold(&tests[test].id, cases));
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
        outcomes(&tests, &run, "junit.xml", None)
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
    fn attempts_that_the_tool_made_come_before_what_counts() {
        let flaky =
            "<testsuite><testcase name='a'><flakyFailure message='once'/></testcase><testcase name='b'/></testsuite>";
        check(&["a", "b"], OK, Some(flaky), &["a rerun (once)", "a passed", "b passed"]);
        check(&["x.js"], OK, Some(flaky), &["x.js rerun (a: once)", "x.js passed"]);
        let failed =
            "<testsuite><testcase name='a'><failure message='1'/><rerunError message='2'/></testcase></testsuite>";
        check(&["a"], Exit::Code(1), Some(failed), &["a rerun (2)", "a failed (1)"]);
    }

    #[test]
    fn a_case_that_was_run_again_until_it_passed_is_flaky() {
        let twice =
            "<testsuite><testcase name='a'><failure message='once'/></testcase><testcase name='a'/></testsuite>";
        check(&["a", "b"], OK, Some(twice), &["a rerun (once)", "a passed"]);
        // Two tests of one name, one of which failed.
        check(&["a", "b"], Exit::Code(1), Some(twice), &["a failed (once)"]);
    }

    #[test]
    fn what_the_command_says_on_either_stream_is_quoted() {
        let details = |stdout: &[u8], stderr: &[u8]| {
            let output = Captured { exit: OK, stdout: stdout.to_vec(), stderr: stderr.to_vec() };
            let run = FinishedRun { output, files: Vec::new() };
            outcomes(&[Test::new("a")], &run, "junit.xml", None).expect("the run can be judged").remove(0).details
        };
        assert_eq!(details(b"", b""), None);
        assert_eq!(details(b"No tests found\n", b"").as_deref(), Some("No tests found"));
        assert_eq!(
            details(b"No tests found\n", b"warning").as_deref(),
            Some("standard error:\nwarning\nstandard output:\nNo tests found")
        );
    }

    #[test]
    fn absolute_paths_are_those_of_the_place_where_the_command_ran() {
        let file = "<testsuite><testcase name='one' file='/copy/a.js'/><testcase name='/copy/x/a.js'/></testsuite>";
        let files = [("junit.xml", file), ("place", "/copy")]
            .map(|(path, text)| ResultFile { path: path.to_owned(), contents: Some(text.as_bytes().to_vec()) });
        let output = Captured { exit: OK, stdout: Vec::new(), stderr: Vec::new() };
        let run = FinishedRun { output, files: files.to_vec() };
        let tests = ["a.js", "x/a.js"].map(Test::new);
        let outcomes = outcomes(&tests, &run, "junit.xml", Some("place")).expect("the run can be judged");
        assert_eq!(outcomes.iter().map(|outcome| &*outcome.id).collect::<Vec<_>>(), ["a.js", "x/a.js"]);
        assert_eq!(outcomes[0].file.as_deref(), Some("a.js"));
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
