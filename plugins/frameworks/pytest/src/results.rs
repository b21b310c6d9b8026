//! The outcomes of a run, whole or cut short.

use std::collections::HashMap;

use offload_plugin::journal;
use offload_plugin::types::{Context, Exit, Failure, Outcome};

use crate::FinishedRun;
use crate::ending::Ending;
use crate::journal::{Finished, Record, Session};
use crate::mishap;
use crate::settings::Settings;

/// The outcomes that the journal holds, in the order in which the tests began. A test that began and did not end is
/// "running".
///
/// # Errors
/// Where pytest itself could not do its work, so that no batch of tests would fare better.
pub fn read(settings: &Settings, context: &Context, run: &FinishedRun) -> Result<Results, Failure> {
    let contents = run.files.first().and_then(|file| file.contents.as_deref());
    let (mut told, mut ending, mut notices) = (Told::default(), Ending::default(), Vec::new());
    for record in journal::read(contents.unwrap_or_default(), &context.nonce) {
        ending.saw(&record);
        match record {
            Record::Unusable { code, message, help } => {
                told.unusable = Some(Failure { code, message, help: Some(help), retryable: false });
            }
            Record::Started { id, at } => told.started(id, at),
            Record::Finished(finished) => told.finished(finished),
            Record::Exit { status, .. } => told.status = Some(status),
            Record::Session(said) => told.session = Some(session(said)),
            Record::Notice { message } => notices.push(message),
            // Of discovery, or of a worker.
            _ => {}
        }
    }
    ending.hear_errors(&run.output.stderr);
    notices.extend(ending.notice(run.output.exit));
    let verdict = told.session.take().or_else(|| ending.judge(run.output.exit));
    if !told.tests.is_empty() {
        let mut outcomes = told.outcomes();
        outcomes.extend(verdict);
        return Ok(Results { outcomes, notices });
    }
    if let Some(failure) = told.unusable {
        return Err(failure);
    }
    let refused = match (told.status, run.output.exit) {
        (Some(status), _) => matches!(status, 2..=4),
        // A shell says 128 + n of a command that signal n ended.
        (None, Exit::Code(code)) => contents.is_none() && code <= 128,
        (None, Exit::Signal(_)) => false,
    };
    if refused {
        let by_hand = settings.by_hand(&[], &[]);
        let what = "pytest could not run its tests in the sandbox";
        return Err(mishap::failure("pytest-failed", what, told.status, &run.output, &by_hand));
    }
    Ok(Results { outcomes: verdict.into_iter().collect(), notices })
}

/// What a batch gave.
#[derive(Debug)]
pub struct Results {
    pub outcomes: Vec<Outcome>,
    /// What a person should know.
    pub notices: Vec<String>,
}

/// What the journal told so far.
#[derive(Default)]
struct Told {
    tests: Vec<(String, State)>,
    /// Attempts after which pytest itself ran the test again.
    reruns: Vec<Outcome>,
    /// What no test explains.
    session: Option<Outcome>,
    positions: HashMap<String, usize>,
    /// Seconds on the attempt's clock when it was last heard of.
    last_at: f64,
    /// How pytest ended, where it came to say.
    status: Option<i32>,
    /// Why it could not do anything.
    unusable: Option<Failure>,
}

enum State {
    Running { since: f64 },
    Over(Finished),
}

impl Told {
    fn started(&mut self, id: String, at: f64) {
        self.last_at = self.last_at.max(at);
        self.set(id, State::Running { since: at });
    }

    fn finished(&mut self, finished: Finished) {
        self.last_at = self.last_at.max(finished.at);
        if finished.status == RERUN {
            self.reruns.push(over(finished));
            return;
        }
        self.set(finished.id.clone(), State::Over(finished));
    }

    fn set(&mut self, id: String, state: State) {
        match self.positions.get(&id) {
            Some(&position) => self.tests[position].1 = state,
            None => {
                self.positions.insert(id.clone(), self.tests.len());
                self.tests.push((id, state));
            }
        }
    }

    fn outcomes(self) -> Vec<Outcome> {
        let last_at = self.last_at;
        let ended = self.tests.into_iter().map(|(id, state)| match state {
            State::Running { since } => running(id, last_at - since),
            State::Over(finished) => over(finished),
        });
        self.reruns.into_iter().chain(ended).collect()
    }
}

fn running(id: String, duration: f64) -> Outcome {
    Outcome { duration, ..Outcome::new(id, "running") }
}

/// The status of an attempt after which pytest itself runs the test again.
pub(crate) const RERUN: &str = "rerun";

/// What is wrong with a session, as an outcome.
pub(crate) fn session(session: Session) -> Outcome {
    let Session { id, message, details, stop } = session;
    let properties = if stop { vec![("stop".into(), "true".into())] } else { Vec::new() };
    Outcome { message, details, properties, ..Outcome::new(id, "session-failed") }
}

/// The outcome of a test that is over.
pub(crate) fn over(finished: Finished) -> Outcome {
    let Finished { id, at: _, status, duration, message, details, stdout, stderr, properties } = finished;
    Outcome { duration, message, details, stdout, stderr, properties, ..Outcome::new(id, &status) }
}

#[cfg(test)]
mod tests {
    use offload_plugin::types::Captured;

    use super::*;
    use crate::ResultFile;

    fn parsed(journal: Option<&str>, exit: Exit) -> Result<Vec<Outcome>, Failure> {
        let context = Context { scratch: "/s/".into(), nonce: "n".into(), attempt: 1, memo: None };
        let run = FinishedRun {
            output: Captured { exit, stdout: Vec::new(), stderr: b"reason".to_vec() },
            files: vec![ResultFile { path: "/s/journal.jsonl".into(), contents: journal.map(Into::into) }],
        };
        read(&offload_plugin::settings::parse("{}").expect("settings"), &context, &run).map(|results| results.outcomes)
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

    const A_AND_HALF_OF_B: &str = r#"["n", {"started": {"id": "a", "at": 1.0}}]
["n", {"finished": {"id": "a", "at": 2.0, "status": "passed", "duration": 0.5}}]
["n", {"started": {"id": "b", "at": 2.5}}]
["n", {"finished": {"id": "c", "at": 4.0, "status": "error", "duration": 0.0, "message": "why"}}]
["n", {"finished": {"id": "#;

    #[test]
    fn a_test_that_began_is_running_when_its_process_dies() {
        let expected: &[&str] = &["a passed 0.5", "b running 1.5", "c error 0"];
        for exit in [Exit::Signal(9), Exit::Code(0), Exit::Code(139)] {
            check(Some(A_AND_HALF_OF_B), exit, Ok(expected));
        }
    }

    #[test]
    fn everything_a_test_left_is_handed_on() {
        let journal = r#"["n", {"finished": {"id": "a", "at": 2.0, "status": "failed", "duration": 0.5, "message": "m",
            "details": "d", "stdout": "o", "stderr": "e", "properties": [["k", "v"]]}}]"#;
        let outcomes = parsed(Some(&journal.replace('\n', "")), Exit::Code(1)).expect("outcomes");
        let expected = Outcome {
            duration: 0.5,
            message: Some("m".into()),
            details: Some("d".into()),
            stdout: Some("o".into()),
            stderr: Some("e".into()),
            properties: vec![("k".into(), "v".into())],
            ..Outcome::new("a", "failed")
        };
        assert_eq!(outcomes, [expected]);
    }

    #[test]
    fn the_last_word_on_a_test_counts() {
        let twice = r#"["n", {"started": {"id": "a", "at": 1.0}}]
["n", {"finished": {"id": "a", "at": 2.0, "status": "passed", "duration": 1.0}}]
["n", {"started": {"id": "a", "at": 2.0}}]
["n", {"finished": {"id": "a", "at": 3.0, "status": "failed", "duration": 2.0}}]"#;
        check(Some(twice), Exit::Signal(9), Ok(&["a failed 2"]));
    }

    #[test]
    fn reruns_and_the_session_are_told_beside_the_tests() {
        let journal = r#"["n", {"started": {"id": "a", "at": 1.0}}]
["n", {"finished": {"id": "a", "at": 2.0, "status": "rerun", "duration": 1.0}}]
["n", {"started": {"id": "a", "at": 2.0}}]
["n", {"finished": {"id": "a", "at": 3.0, "status": "passed", "duration": 0.5}}]
["n", {"ending": {"status": 0}}]
["n", {"session": {"id": "pytest session", "message": "m", "details": "d", "stop": true}}]
["n", {"exit": {"status": 9}}]"#;
        check(Some(journal), Exit::Code(9), Ok(&["a rerun 1", "a passed 0.5", "pytest session session-failed 0"]));
        let outcome = parsed(Some(journal), Exit::Code(9)).expect("outcomes").remove(2);
        assert_eq!(outcome.properties, [("stop".to_owned(), "true".to_owned())]);
    }

    #[test]
    fn a_process_that_died_before_its_first_test_says_nothing() {
        check(None, Exit::Signal(9), Ok(&[]));
        check(None, Exit::Code(137), Ok(&[]));
        check(Some(""), Exit::Code(0), Ok(&[]));
    }

    #[test]
    fn a_pytest_that_cannot_work_is_a_failure() {
        check(None, Exit::Code(127), Err("pytest-failed"));
        for status in [2, 3, 4] {
            check(
                Some(&format!("[\"n\", {{\"exit\": {{\"status\": {status}}}}}]")),
                Exit::Code(1),
                Err("pytest-failed"),
            );
        }
        let unusable = r#"["n", {"unusable": {"code": "no-stdin", "message": "m", "help": "h"}}]"#;
        check(Some(unusable), Exit::Code(4), Err("no-stdin"));
    }

    #[test]
    fn results_stand_even_if_pytest_ended_badly() {
        let journal = r#"["n", {"finished": {"id": "a", "at": 2.0, "status": "passed", "duration": 0.5}}]
["n", {"exit": {"status": 3}}]"#;
        check(Some(journal), Exit::Code(3), Ok(&["a passed 0.5"]));
    }

    #[test]
    fn another_attempts_journal_is_not_ours() {
        check(Some(&A_AND_HALF_OF_B.replace("\"n\"", "\"m\"")), Exit::Code(1), Ok(&[]));
    }
}
