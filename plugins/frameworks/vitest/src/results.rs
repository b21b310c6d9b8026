//! The outcomes of a batch, whole or cut short.

use std::collections::{HashMap, HashSet};

use offload_plugin::framework::FinishedRun;
use offload_plugin::journal;
use offload_plugin::types::{Context, Exit, Failure, Outcome, Test};

use crate::journal::{End, Finished, Record, Stray};
use crate::settings::Settings;
use crate::{mishap, session};

/// A shell says 128 + n of a command that signal n ended.
const LAST_EXIT_CODE: i32 = 128;

/// The outcomes that the journal holds, in the order in which the tests began. A test that began and did not end is
/// "running".
///
/// # Errors
/// Where vitest itself could not do its work, so that no batch of tests would fare better.
pub fn read(
    settings: &Settings,
    context: &Context,
    tests: &[Test],
    run: &FinishedRun,
) -> Result<Vec<Outcome>, Failure> {
    let contents = run.files.first().and_then(|file| file.contents.as_deref()).unwrap_or_default();
    let mut told = Told::default();
    for record in journal::read(contents, &context.nonce) {
        match record {
            Record::Unusable { code, message, help } => return Err(Failure::new(code, message).with_help(help)),
            other => told.take(other),
        }
    }
    let is_ended = matches!(run.output.exit, Exit::Code(code) if code <= LAST_EXIT_CODE);
    let is_refused = told.planned.is_none() && is_ended;
    if is_refused {
        let what = "vitest could not run its tests in the sandbox";
        return Err(mishap::failure("vitest-failed", what, &run.output, settings));
    }
    told.judge_missing(tests);
    let sessions = told.sessions(tests, run);
    Ok(told.outcomes().chain(sessions).collect())
}

/// The outcome of a test that is over, or of an attempt that vitest itself repeats.
pub fn over(finished: Finished) -> Outcome {
    let Finished { id, at: _, status, duration, message, details, stdout, stderr } = finished;
    let text = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (stdout, stderr) = (text(stdout), text(stderr));
    Outcome { duration, message, details, stdout, stderr, ..Outcome::new(id, &status) }
}

/// What the journal told so far.
#[derive(Default)]
struct Told {
    /// In the order in which they began.
    tests: Vec<State>,
    positions: HashMap<String, usize>,
    /// Attempts that vitest itself repeated.
    reruns: Vec<Outcome>,
    /// The files that vitest went through.
    planned: Option<HashSet<String>>,
    /// Seconds on the machine's clock when vitest was last heard of.
    last_at: f64,
    strays: Vec<Stray>,
    end: Option<End>,
}

/// How far a test came.
enum State {
    Running { id: String, since: f64 },
    Over(Box<Outcome>),
}

impl State {
    fn id(&self) -> &str {
        match self {
            Self::Running { id, .. } => id,
            Self::Over(outcome) => &outcome.id,
        }
    }

    fn is_bad(&self) -> bool {
        matches!(self, Self::Over(outcome) if matches!(outcome.status.as_str(), "failed" | "error"))
    }
}

impl Told {
    fn take(&mut self, record: Record) {
        match record {
            Record::Planned { units } => self.planned = Some(units.into_iter().map(|it| it.unit).collect()),
            Record::Started { id, at } => {
                self.last_at = self.last_at.max(at);
                self.set(State::Running { id, since: at });
            }
            Record::Finished(finished) => {
                self.last_at = self.last_at.max(finished.at);
                let outcome = over(finished);
                if outcome.status == "rerun" {
                    self.reruns.push(outcome)
                } else {
                    self.set(State::Over(Box::new(outcome)))
                }
            }
            Record::Stray(stray) => self.strays.push(stray),
            Record::Alive { at } => self.last_at = self.last_at.max(at),
            Record::Exit(end) => self.end = Some(end),
            // Of discovery or of a worker, or of no consequence.
            _ => {}
        }
    }

    fn set(&mut self, state: State) {
        match self.positions.get(state.id()) {
            Some(&position) => self.tests[position] = state,
            None => {
                self.positions.insert(state.id().to_owned(), self.tests.len());
                self.tests.push(state);
            }
        }
    }

    /// Tests of files that vitest did not have where the command ran.
    fn judge_missing(&mut self, tests: &[Test]) {
        let Some(planned) = self.planned.take() else { return };
        for test in tests.iter().filter(|test| test.unit.as_ref().is_some_and(|unit| !planned.contains(unit))) {
            let message = "vitest has no such test file where the command ran";
            let outcome = Outcome::new(test.id.clone(), "error").with_message(message);
            self.set(State::Over(Box::new(outcome)));
        }
    }

    /// What there is to say of vitest as a whole.
    fn sessions(&mut self, tests: &[Test], run: &FinishedRun) -> Vec<Outcome> {
        let is_running = |state: &State| matches!(state, State::Running { .. });
        let is_interrupted = self.tests.len() < tests.len() || self.tests.iter().any(is_running);
        let mut strays = std::mem::take(&mut self.strays);
        // That a process died is known by the tests that are missing.
        strays.retain(|stray| stray.file.is_some() || !is_interrupted);
        let mut outcomes: Vec<_> = strays.into_iter().map(session::stray).collect();
        let is_explained = is_interrupted || !outcomes.is_empty() || self.tests.iter().any(State::is_bad);
        let stderr = &run.output.stderr;
        match self.end {
            _ if is_explained => {}
            None => outcomes.push(session::cut_short(run.output.exit, stderr)),
            // A failure that is none of these tests' is that of a file that vitest took to be meant as well.
            Some(End { code, failed: false, .. }) if code != 0 => outcomes.push(session::exit_code(code, stderr)),
            Some(_) => {}
        }
        outcomes
    }

    fn outcomes(self) -> impl Iterator<Item = Outcome> {
        let last_at = self.last_at;
        let outcome = move |state| match state {
            State::Running { id, since } => Outcome { duration: last_at - since, ..Outcome::new(id, "running") },
            State::Over(outcome) => *outcome,
        };
        self.reruns.into_iter().chain(self.tests.into_iter().map(outcome))
    }
}

#[cfg(test)]
mod tests {
    use offload_plugin::framework::ResultFile;
    use offload_plugin::types::Captured;

    use super::*;

    fn parsed(journal: Option<&str>, exit: Exit) -> Result<Vec<Outcome>, Failure> {
        let context = Context { scratch: "/s/".into(), nonce: "n".into(), attempt: 1, memo: None };
        let run = FinishedRun {
            output: Captured { exit, stdout: Vec::new(), stderr: b"reason".to_vec() },
            files: vec![ResultFile { path: "/s/journal.jsonl".into(), contents: journal.map(Into::into) }],
        };
        let test = |id: &str, unit: &str| Test { unit: Some(unit.into()), ..Test::new(id) };
        let tests = [test("a", "f"), test("b", "f"), test("c", "g")];
        read(&offload_plugin::settings::parse("{}").expect("settings"), &context, &tests, &run)
    }

    /// What is read out of a journal, as `id status duration`, or as the code of the failure.
    #[track_caller]
    fn check(journal: Option<&str>, exit: Exit, expected: Result<&[&str], &str>) {
        let read = parsed(journal, exit);
        let lines: Result<Vec<_>, _> = match &read {
            Ok(outcomes) => Ok(outcomes.iter().map(|it| format!("{} {} {}", it.id, it.status, it.duration)).collect()),
            Err(failure) => Err(failure.code.as_str()),
        };
        assert_eq!(lines, expected.map(|lines| lines.iter().map(ToString::to_string).collect()));
    }

    const A_AND_HALF_OF_B: &str = r#"["n", {"begun": {"bail": 0, "version": "4.1.12"}}]
["n", {"planned": {"units": [{"unit": "f", "stage": 0, "tags": []}, {"unit": "g", "stage": 0, "tags": []}]}}]
["n", {"started": {"id": "a", "at": 1.0}}]
["n", {"finished": {"id": "a", "at": 2.0, "status": "failed", "duration": 0.5, "message": "m", "details": "d", "stdout": "one\n", "stderr": ""}}]
["n", {"started": {"id": "b", "at": 2.5}}]
["n", {"alive": {"at": 6.5}}]
["n", {"finished": {"id": "#;

    #[test]
    fn a_test_that_began_is_running_when_its_process_dies() {
        for exit in [Exit::Signal(9), Exit::Code(1), Exit::Code(137)] {
            check(Some(A_AND_HALF_OF_B), exit, Ok(&["a failed 0.5", "b running 4"]));
        }
    }

    #[test]
    fn everything_a_test_left_is_handed_on() {
        let outcomes = parsed(Some(A_AND_HALF_OF_B), Exit::Signal(9)).expect("outcomes");
        let expected = Outcome {
            duration: 0.5,
            message: Some("m".into()),
            details: Some("d".into()),
            stdout: Some("one\n".into()),
            ..Outcome::new("a", "failed")
        };
        assert_eq!(outcomes[0], expected);
    }

    /// A journal in which all tests are over, and the last has this status.
    fn whole(last: &str, rest: &str) -> String {
        let over = |id: &str, status: &str| {
            format!(
                "[\"n\", {{\"started\": {{\"id\": \"{id}\", \"at\": 1.0}}}}]\n[\"n\", {{\"finished\": {{\"id\": \"{id}\", \
                 \"at\": 2.0, \"status\": \"{status}\", \"duration\": 0.5}}}}]\n"
            )
        };
        let planned = A_AND_HALF_OF_B.lines().nth(1).expect("a line").to_owned() + "\n";
        [planned, over("a", "passed"), over("b", "skipped"), over("c", last), rest.to_owned()].concat()
    }

    fn end(code: i32, failed: bool) -> String {
        format!("[\"n\", {{\"exit\": {{\"code\": {code}, \"finished\": true, \"failed\": {failed}}}}}]\n")
    }

    const PASSED: [&str; 3] = ["a passed 0.5", "b skipped 0.5", "c passed 0.5"];

    #[track_caller]
    fn check_session(journal: &str, exit: Exit, expected: &str) {
        let outcomes = parsed(Some(journal), exit).expect("outcomes");
        assert_eq!(outcomes.last().and_then(|last| last.message.as_deref()), Some(expected));
        let session = format!("vitest session: {expected} session-failed 0");
        check(Some(journal), exit, Ok(&[&PASSED[..], &[&session]].concat()));
    }

    #[test]
    fn a_vitest_that_dies_after_its_last_test_has_not_passed() {
        let killed = "vitest was ended by signal 11 after its tests, before it was done";
        check_session(&whole("passed", ""), Exit::Signal(11), killed);
        let left = "vitest ended with exit code 0 after its tests, before it was done";
        check_session(&whole("passed", ""), Exit::Code(0), left);
        check(Some(&whole("failed", "")), Exit::Signal(11), Ok(&["a passed 0.5", "b skipped 0.5", "c failed 0.5"]));
        check(Some(&whole("passed", &end(0, false))), Exit::Code(0), Ok(&PASSED));
    }

    #[test]
    fn a_bad_exit_code_is_never_green() {
        let journal = whole("passed", &end(1, false));
        check_session(&journal, Exit::Code(1), "vitest ended with exit code 1, which no test accounts for");
        check(Some(&whole("passed", &end(1, true))), Exit::Code(1), Ok(&PASSED));
    }

    const STRAY: &str = r#"["n", {"stray": {"what": "unhandled error", "message": "m", "details": "d", "file": "f"}}]
"#;

    #[test]
    fn an_unhandled_error_is_one_of_the_session() {
        let journal = whole("passed", &(STRAY.to_owned() + &end(1, false)));
        check_session(&journal, Exit::Code(1), "unhandled error in f: m");
    }

    #[test]
    fn a_process_that_died_is_the_running_tests_own_matter() {
        let journal = format!(
            "{}\n{}{}",
            A_AND_HALF_OF_B.rsplit_once('\n').expect("lines").0,
            STRAY.replace(r#", "file": "f""#, ""),
            end(1, false)
        );
        check(Some(&journal), Exit::Code(1), Ok(&["a failed 0.5", "b running 4"]));
    }

    #[test]
    fn what_vitest_repeated_comes_first() {
        let rerun = r#"["n", {"finished": {"id": "c", "at": 2.0, "status": "rerun", "duration": 0.0, "message": "m"}}]
"#;
        let journal = whole("passed", &(rerun.to_owned() + &end(0, false)));
        check(Some(&journal), Exit::Code(0), Ok(&[&["c rerun 0"][..], &PASSED].concat()));
    }

    #[test]
    fn tests_of_a_file_that_is_not_there_are_errors() {
        let journal = A_AND_HALF_OF_B.replace(r#", {"unit": "g", "stage": 0, "tags": []}"#, "");
        check(Some(&journal), Exit::Signal(9), Ok(&["a failed 0.5", "b running 4", "c error 0"]));
    }

    #[test]
    fn a_process_that_died_before_its_first_test_says_nothing() {
        check(None, Exit::Signal(9), Ok(&[]));
        check(None, Exit::Code(137), Ok(&[]));
    }

    #[test]
    fn a_vitest_that_cannot_work_is_a_failure() {
        check(None, Exit::Code(1), Err("vitest-failed"));
        check(None, Exit::Code(127), Err("vitest-missing"));
        let unusable = r#"["n", {"unusable": {"code": "vitest-too-old", "message": "m", "help": "h"}}]"#;
        check(Some(unusable), Exit::Code(1), Err("vitest-too-old"));
    }

    #[test]
    fn another_attempts_journal_is_not_ours() {
        check(Some(&A_AND_HALF_OF_B.replace("\"n\"", "\"m\"")), Exit::Signal(9), Ok(&[]));
    }
}
