//! What a finished discovery found.

use offload_plugin::journal;
use offload_plugin::types::{Context, Failure, Outcome, Test};

use crate::address::classname_and_name;
use crate::journal::{Record, Session};
use crate::mishap;
use crate::settings::Settings;
use crate::{FinishedRun, Found};

/// The tests in pytest's order, and what could not be collected.
///
/// # Errors
/// Where pytest did not come to the end of its collection: then there may be tests that nobody knows of.
pub fn read(settings: &Settings, context: &Context, narrowed: &[String], run: &FinishedRun) -> Result<Found, Failure> {
    let mut finding = Finding::default();
    let mut status = None;
    let contents = run.files.first().and_then(|file| file.contents.as_deref()).unwrap_or_default();
    for record in journal::read(contents, &context.nonce) {
        match record {
            Record::Unusable { code, message, help } => {
                return Err(Failure { code, message, help: Some(help), retryable: false });
            }
            // What hooks make of it at the end of the session is none of discovery: the processes that run tests tell.
            Record::Ending { status: natural } => status = Some(natural),
            Record::Exit { status: exit, .. } => status = status.or(Some(exit)),
            other => finding.take(other),
        }
    }
    match status {
        // Others mean that tests are missing (1: some file could not be collected, 5: there are none), or come from
        // plugins that judge runs, such as pytest-cov.
        Some(exit) if finding.is_complete && (finding.has_verdict || !matches!(exit, 2..=4)) => Ok(finding.found),
        _ => {
            let by_hand = settings.by_hand(narrowed, &["--collect-only"]);
            Err(mishap::failure("discovery-failed", "no tests could be discovered", status, &run.output, &by_hand))
        }
    }
}

/// What a person should know before any test is run, or of how the process ended.
pub fn notices(context: &Context, run: &FinishedRun) -> Vec<String> {
    let contents = run.files.first().and_then(|file| file.contents.as_deref()).unwrap_or_default();
    let notice = |record| if let Record::Notice { message } = record { Some(message) } else { None };
    journal::read(contents, &context.nonce).filter_map(notice).collect()
}

/// What is found, record by record.
pub(crate) struct Finding {
    pub(crate) found: Found,
    /// Whether pytest came to the end of its collection.
    pub(crate) is_complete: bool,
    /// Whether it says itself what is wrong with the session.
    has_verdict: bool,
}

impl Default for Finding {
    fn default() -> Self {
        let found =
            Found { tests: Vec::new(), problems: Vec::new(), max_failures: None, deselected: Vec::new(), memo: None };
        Self { found, is_complete: false, has_verdict: false }
    }
}

impl Finding {
    /// Takes a record in; those that are not of discovery change nothing.
    pub(crate) fn take(&mut self, record: Record) {
        match record {
            Record::Test { id, file, line, tags, stage } => {
                self.found.tests.push(Test { line, tags, stage, ..test(id, file) });
            }
            Record::Problem { id, status, message, details } => {
                self.found.problems.push(problem(id, status, message, details));
            }
            Record::Session(Session { id, message, details, stop }) => {
                self.has_verdict = true;
                if stop {
                    // A plain run ends here, before any of them.
                    self.found.tests.clear();
                }
                self.found.problems.push(problem(id, "error".into(), message, details));
            }
            Record::Deselected { id } => self.found.deselected.push(id),
            Record::Collected { max_failures } => {
                self.is_complete = true;
                self.found.max_failures = u32::try_from(max_failures).ok().filter(|&failures| failures > 0);
            }
            _ => {}
        }
    }
}

/// A test of which no more is known than its id and its file.
pub(crate) fn test(id: String, file: String) -> Test {
    let (classname, name) = classname_and_name(&id);
    Test { unit: Some(file.clone()), file: Some(file), name: Some(name), classname: Some(classname), ..Test::new(id) }
}

fn problem(id: String, status: String, message: Option<String>, details: Option<String>) -> Outcome {
    Outcome { message, details, ..Outcome::new(id, &status) }
}

#[cfg(test)]
mod tests {
    use offload_plugin::types::{Captured, Exit};

    use super::*;
    use crate::ResultFile;

    fn context() -> Context {
        Context { scratch: "/s/".into(), nonce: "n".into(), attempt: 1, memo: None }
    }

    fn finished(journal: Option<&str>, exit: i32) -> FinishedRun {
        FinishedRun {
            output: Captured { exit: Exit::Code(exit), stdout: Vec::new(), stderr: b"ERROR: reason".to_vec() },
            files: vec![ResultFile { path: "/s/journal.jsonl".into(), contents: journal.map(Into::into) }],
        }
    }

    fn discovered(journal: Option<&str>, exit: i32) -> Result<Found, Failure> {
        let settings = offload_plugin::settings::parse(r#"{"paths": ["my tests"]}"#).expect("settings");
        read(&settings, &context(), &[], &finished(journal, exit))
    }

    const WHOLE: &str = r#"["n", {"test": {"id": "t/a.py::b[c]", "file": "t/a.py", "line": 3, "tags": ["slow"], "stage": 2}}]
["n", {"problem": {"id": "t/bad.py", "status": "error", "message": "m", "details": "d"}}]
["n", {"collected": {"max_failures": 1}}]
"#;

    #[test]
    fn a_whole_journal_gives_tests_and_problems() {
        let found = discovered(Some(&format!("{WHOLE}[\"n\", {{\"exit\": {{\"status\": 1}}}}]\n")), 1).expect("found");
        let expected = Test {
            id: "t/a.py::b[c]".into(),
            unit: Some("t/a.py".into()),
            file: Some("t/a.py".into()),
            line: Some(3),
            name: Some("b[c]".into()),
            classname: Some("t.a".into()),
            tags: vec!["slow".into()],
            skipped: false,
            stage: 2,
        };
        assert_eq!(found.tests, [expected]);
        assert_eq!(found.problems, [problem("t/bad.py".into(), "error".into(), Some("m".into()), Some("d".into()))]);
        assert_eq!(found.max_failures, Some(1));
    }

    #[test]
    fn notices_are_told_apart_from_what_is_found() {
        let journal = format!(
            "[\"n\", {{\"notice\": {{\"message\": \"careful\"}}}}]\n{WHOLE}[\"n\", {{\"exit\": {{\"status\": 0}}}}]\n"
        );
        assert_eq!(notices(&context(), &finished(Some(&journal), 0)), ["careful"]);
        assert_eq!(discovered(Some(&journal), 0).expect("found").tests.len(), 1);
        assert!(notices(&context(), &finished(Some(WHOLE), 0)).is_empty());
    }

    #[test]
    fn no_tests_are_no_failure() {
        let journal = r#"["n", {"collected": {"max_failures": 0}}]
["n", {"exit": {"status": 5}}]"#;
        let found = discovered(Some(journal), 5).expect("found");
        assert_eq!(
            found,
            Found { tests: Vec::new(), problems: Vec::new(), max_failures: None, deselected: Vec::new(), memo: None }
        );
    }

    #[track_caller]
    fn check_failure(journal: Option<&str>, exit: i32, code: &str, expected: &str) {
        let failure = discovered(journal, exit).expect_err("a failure");
        assert_eq!(failure.code, code);
        assert!(failure.message.contains(expected), "{}", failure.message);
    }

    #[test]
    fn a_discovery_without_an_end_fails() {
        check_failure(
            None,
            127,
            "discovery-failed",
            "exit status 127 (command not found); the end of its errors:\n  ERROR: reason",
        );
        check_failure(Some(WHOLE), 0, "discovery-failed", "exit status 0");
        for status in [2, 3, 4] {
            let journal = format!("{WHOLE}[\"n\", {{\"exit\": {{\"status\": {status}}}}}]\n");
            check_failure(Some(&journal), 1, "discovery-failed", &format!("exit status {status} ("));
        }
        check_failure(Some("[\"n\", {\"exit\": {\"status\": 0}}]"), 0, "discovery-failed", "exit status 0");
        let failure = discovered(None, 1).expect_err("a failure");
        assert_eq!(failure.help.as_deref(), Some("see what `python3 -m pytest 'my tests' --collect-only` says"));
    }

    #[test]
    fn a_session_that_was_ended_on_purpose_is_a_problem() {
        let journal = r#"["n", {"session": {"id": "pytest session", "message": "not here", "stop": true}}]
["n", {"collected": {"max_failures": 0}}]
["n", {"exit": {"status": 2}}]"#;
        let found = discovered(Some(journal), 2).expect("found");
        assert_eq!(found.problems, [problem("pytest session".into(), "error".into(), Some("not here".into()), None)]);
    }

    #[test]
    fn hooks_at_the_end_of_the_session_do_not_undo_what_was_found() {
        let journal =
            format!("{WHOLE}[\"n\", {{\"ending\": {{\"status\": 0}}}}]\n[\"n\", {{\"exit\": {{\"status\": 4}}}}]\n");
        assert_eq!(discovered(Some(&journal), 4).expect("found").tests.len(), 1);
        // A process that died there says nothing more.
        let journal = format!("{WHOLE}[\"n\", {{\"ending\": {{\"status\": 0}}}}]\n");
        assert_eq!(discovered(Some(&journal), 3).expect("found").tests.len(), 1);
    }

    #[test]
    fn a_python_without_pytest_is_named() {
        let journal =
            r#"["n", {"unusable": {"code": "pytest-missing", "message": "m by /usr/bin/python3", "help": "h"}}]"#;
        check_failure(Some(journal), 4, "pytest-missing", "/usr/bin/python3");
    }
}
