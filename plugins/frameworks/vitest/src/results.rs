//! The outcomes of a run, whole or cut short.

use std::collections::{HashMap, HashSet};

use offload_plugin::framework::FinishedRun;
use offload_plugin::journal;
use offload_plugin::types::{Context, Exit, Failure, Outcome, Test};

use crate::blame;
use crate::journal::{End, Finished, Record};
use crate::mishap;
use crate::settings::Settings;

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
    told.judge_unclosed();
    match told.end.take() {
        Some(end) => blame::apply(&end, tests, &mut told.tests, &run.output),
        None => told.judge_unended(tests),
    }
    Ok(told.outcomes())
}

/// What the journal told so far.
#[derive(Default)]
struct Told {
    /// In the order in which they began.
    tests: Vec<State>,
    positions: HashMap<String, usize>,
    /// Tests that are over while hooks after them are not.
    closing: HashSet<String>,
    /// What tests printed, by vitest's own ids of them.
    printed: HashMap<String, Printed>,
    /// The files that vitest went through.
    planned: Option<HashSet<String>>,
    /// Seconds on the machine's clock when vitest was last heard of.
    last_at: f64,
    end: Option<End>,
}

/// How far a test came.
pub enum State {
    Running { id: String, since: f64 },
    Over(Finished),
}

impl State {
    fn id(&self) -> &str {
        match self {
            Self::Running { id, .. } => id,
            Self::Over(finished) => &finished.id,
        }
    }

    /// It is not over yet, as it turns out.
    fn reopen(&mut self) {
        if let Self::Over(test) = self {
            *self = Self::Running { since: test.at - test.duration, id: std::mem::take(&mut test.id) };
        }
    }
}

#[derive(Default)]
struct Printed {
    stdout: String,
    stderr: String,
}

impl Told {
    fn take(&mut self, record: Record) {
        match record {
            Record::Planned { units } => self.planned = Some(units.into_iter().collect()),
            Record::Started { id, at } => {
                self.last_at = self.last_at.max(at);
                self.set(State::Running { id, since: at });
            }
            Record::Finished(finished) => {
                self.last_at = self.last_at.max(finished.at);
                self.set(State::Over(finished));
            }
            Record::Closing { id } => drop(self.closing.insert(id)),
            Record::Closed { id } => drop(self.closing.remove(&id)),
            Record::Printed { task, stream, text } => {
                let printed = self.printed.entry(task).or_default();
                if stream == "stderr" { &mut printed.stderr } else { &mut printed.stdout }.push_str(&text);
            }
            Record::Alive { at } => self.last_at = self.last_at.max(at),
            Record::Exit(end) => self.end = Some(end),
            // Of discovery, or of no consequence.
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
            self.set(State::Over(Finished {
                id: test.id.clone(),
                task: None,
                at: self.last_at,
                status: "error".to_owned(),
                duration: 0.0,
                message: Some("vitest has no such test file where the command ran".to_owned()),
                details: None,
            }));
        }
    }

    /// Where hooks hang or end the process, the test before them does.
    fn judge_unclosed(&mut self) {
        for state in &mut self.tests {
            if let State::Over(test) = state
                && self.closing.contains(&test.id)
                && !blame::is_bad(test)
            {
                state.reopen();
            }
        }
    }

    /// Where vitest came to no end of its own although all tests were over and none was bad, what follows them ended or held
    /// up its process: as if the last test were still under way, or nobody would know.
    fn judge_unended(&mut self, tests: &[Test]) {
        let is_good = |state: &State| matches!(state, State::Over(test) if !blame::is_bad(test));
        if self.tests.len() == tests.len() && self.tests.iter().all(is_good) {
            self.tests.last_mut().into_iter().for_each(State::reopen);
        }
    }

    fn outcomes(mut self) -> Vec<Outcome> {
        let last_at = self.last_at;
        let tests = std::mem::take(&mut self.tests);
        tests
            .into_iter()
            .map(|state| match state {
                State::Running { id, since } => Outcome { duration: last_at - since, ..Outcome::new(id, "running") },
                State::Over(finished) => self.over(finished),
            })
            .collect()
    }

    fn over(&mut self, finished: Finished) -> Outcome {
        let Finished { id, task, at: _, status, duration, message, details } = finished;
        let Printed { stdout, stderr } = task.and_then(|task| self.printed.remove(&task)).unwrap_or_default();
        let text = |text: String| Some(text).filter(|text| !text.is_empty());
        let (stdout, stderr) = (text(stdout), text(stderr));
        Outcome { duration, message, details, stdout, stderr, ..Outcome::new(id, &status) }
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
["n", {"planned": {"units": ["f", "g"]}}]
["n", {"started": {"id": "a", "at": 1.0}}]
["n", {"printed": {"task": "1_0", "stream": "stdout", "text": "one\n"}}]
["n", {"finished": {"id": "a", "task": "1_0", "at": 2.0, "status": "failed", "duration": 0.5, "message": "m", "details": "d"}}]
["n", {"printed": {"task": "1_0", "stream": "stderr", "text": "late\n"}}]
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
            stderr: Some("late\n".into()),
            ..Outcome::new("a", "failed")
        };
        assert_eq!(outcomes[0], expected);
    }

    #[test]
    fn a_test_is_not_over_before_the_hooks_after_it() {
        let closing = r#"["n", {"planned": {"units": ["f", "g"]}}]
["n", {"started": {"id": "a", "at": 1.0}}]
["n", {"finished": {"id": "a", "task": "1_0", "at": 2.0, "status": "passed", "duration": 0.5}}]
["n", {"closing": {"id": "a"}}]
["n", {"alive": {"at": 6.5}}]
"#;
        check(Some(closing), Exit::Signal(9), Ok(&["a running 5"]));
        let closed = format!("{closing}[\"n\", {{\"closed\": {{\"id\": \"a\"}}}}]\n");
        check(Some(&closed), Exit::Signal(9), Ok(&["a passed 0.5"]));
        let failed = closing.replace("passed", "failed");
        check(Some(&failed), Exit::Signal(9), Ok(&["a failed 0.5"]));
    }

    #[test]
    fn a_vitest_that_dies_after_its_last_test_has_not_passed() {
        let over = |id: &str, status: &str| {
            format!(
                "[\"n\", {{\"started\": {{\"id\": \"{id}\", \"at\": 1.0}}}}]\n[\"n\", {{\"finished\": {{\"id\": \"{id}\", \
                 \"at\": 2.0, \"status\": \"{status}\", \"duration\": 0.5}}}}]\n"
            )
        };
        let planned = "[\"n\", {\"planned\": {\"units\": [\"f\", \"g\"]}}]\n".to_owned();
        let whole = |last: &str| [planned.clone(), over("a", "passed"), over("b", "skipped"), over("c", last)].concat();
        for exit in [Exit::Signal(11), Exit::Code(139), Exit::Code(0)] {
            check(Some(&whole("passed")), exit, Ok(&["a passed 0.5", "b skipped 0.5", "c running 0.5"]));
        }
        check(Some(&whole("failed")), Exit::Signal(11), Ok(&["a passed 0.5", "b skipped 0.5", "c failed 0.5"]));
        let end = "[\"n\", {\"exit\": {\"code\": 0, \"finished\": true, \"failed\": false, \"errors\": []}}]\n";
        let ended = whole("passed") + end;
        check(Some(&ended), Exit::Code(0), Ok(&["a passed 0.5", "b skipped 0.5", "c passed 0.5"]));
    }

    #[test]
    fn tests_of_a_file_that_is_not_there_are_errors() {
        let journal = A_AND_HALF_OF_B.replace(r#"["f", "g"]"#, r#"["f"]"#);
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
