//! What a finished discovery found.

use std::collections::HashSet;

use offload_plugin::framework::FinishedRun;
use offload_plugin::journal;
use offload_plugin::types::{Context, Failure, Found, Outcome, Test};

use crate::journal::{Discovered, End, Record};
use crate::mishap;
use crate::settings::Settings;

/// The tests in vitest's order, and what could not be collected.
///
/// # Errors
/// Where vitest did not come to the end of its files: then there may be tests that nobody knows of.
pub fn read(settings: &Settings, context: &Context, run: &FinishedRun) -> Result<Found, Failure> {
    let mut found = Found::new(Vec::new());
    let mut planned = Vec::new();
    let mut collected = HashSet::new();
    let mut is_finished = false;
    for record in records(context, run) {
        match record {
            Record::Unusable { code, message, help } => return Err(Failure::new(code, message).with_help(help)),
            Record::Begun { bail } => found.max_failures = Some(bail).filter(|&bail| bail > 0),
            Record::Planned { units } => planned = units,
            Record::Collected { unit } => drop(collected.insert(unit)),
            Record::Test(discovered) => found.tests.push(test(discovered)),
            Record::Problem { id, message, details } => found.problems.push(problem(id, message, details)),
            Record::Exit(End { finished, .. }) => is_finished = finished,
            _ => {}
        }
    }
    let is_vain = collected.is_empty() && !planned.is_empty();
    if !is_finished || is_vain {
        return Err(mishap::failure("discovery-failed", "no tests could be discovered", &run.output, settings));
    }
    for unit in planned.into_iter().filter(|unit| !collected.contains(unit)) {
        let message = "the process that loaded the file ended before all of it was loaded";
        found.problems.push(problem(unit, message.to_owned(), run.output.complaint()));
    }
    Ok(found)
}

/// What was thrown where nobody caught it while files were loaded. It does not keep tests from being found, and if it is
/// more than a matter of ending early it is thrown again when they run.
pub fn notices(context: &Context, run: &FinishedRun) -> Vec<String> {
    let errors = records(context, run).filter_map(|record| match record {
        Record::Exit(End { errors, .. }) => Some(errors),
        _ => None,
    });
    let notice = |file: Option<String>, message: String| match file {
        Some(file) => format!("unhandled error while {file} was loaded: {message}"),
        None => format!("unhandled error while test files were loaded: {message}"),
    };
    errors.flatten().map(|error| notice(error.file, error.message)).collect()
}

fn records<'a>(context: &'a Context, run: &'a FinishedRun) -> impl Iterator<Item = Record> + 'a {
    let contents = run.files.first().and_then(|file| file.contents.as_deref()).unwrap_or_default();
    journal::read(contents, &context.nonce)
}

fn test(discovered: Discovered) -> Test {
    let Discovered { id, unit, file, line, name, tags, skipped } = discovered;
    Test {
        id,
        unit: Some(unit),
        classname: Some(file.clone()),
        file: Some(file),
        line,
        name: Some(name),
        tags,
        skipped,
        stage: 0,
    }
}

fn problem(id: String, message: String, details: String) -> Outcome {
    Outcome { details: Some(details), ..Outcome::new(id, "error").with_message(message) }
}

#[cfg(test)]
mod tests {
    use offload_plugin::framework::ResultFile;
    use offload_plugin::types::{Captured, Exit};

    use super::*;

    const WHOLE: &str = r#"["n", {"begun": {"bail": 3, "version": "4.1.12"}}]
["n", {"planned": {"units": ["a.test.ts", "[p] b.test.ts"]}}]
["n", {"test": {"id": "a.test.ts > s > t", "unit": "a.test.ts", "file": "a.test.ts", "line": 3, "name": "s > t", "tags": ["slow"], "skipped": true}}]
["n", {"collected": {"unit": "a.test.ts"}}]
"#;
    const BROKEN: &str = r#"["n", {"problem": {"id": "[p] b.test.ts", "message": "m", "details": "d"}}]
["n", {"collected": {"unit": "[p] b.test.ts"}}]
"#;
    const END: &str = r#"["n", {"exit": {"code": 1, "finished": true, "failed": true, "errors": [{"message": "stray", "details": "", "file": "a.test.ts"}]}}]"#;

    fn context() -> Context {
        Context { scratch: "/s/".into(), nonce: "n".into(), attempt: 1, memo: None }
    }

    fn finished(journal: &str) -> FinishedRun {
        FinishedRun {
            output: Captured { exit: Exit::Code(1), stdout: Vec::new(), stderr: b"reason\n".to_vec() },
            files: vec![ResultFile { path: "/s/journal.jsonl".into(), contents: Some(journal.into()) }],
        }
    }

    fn discovered(journal: &str) -> Result<Found, Failure> {
        read(&offload_plugin::settings::parse("{}").expect("settings"), &context(), &finished(journal))
    }

    #[test]
    fn a_whole_journal_gives_tests_and_problems() {
        let found = discovered(&format!("{WHOLE}{BROKEN}{END}")).expect("found");
        let expected = Test {
            id: "a.test.ts > s > t".into(),
            unit: Some("a.test.ts".into()),
            file: Some("a.test.ts".into()),
            line: Some(3),
            name: Some("s > t".into()),
            classname: Some("a.test.ts".into()),
            tags: vec!["slow".into()],
            skipped: true,
            stage: 0,
        };
        assert_eq!(found.tests, [expected]);
        assert_eq!(found.problems, [problem("[p] b.test.ts".into(), "m".into(), "d".into())]);
        assert_eq!(found.max_failures, Some(3));
    }

    #[test]
    fn a_file_that_was_not_loaded_is_a_problem() {
        let found = discovered(&format!("{WHOLE}{END}")).expect("found");
        assert_eq!(found.tests.len(), 1);
        assert_eq!(found.problems.len(), 1);
        assert_eq!((found.problems[0].id.as_str(), found.problems[0].status.as_str()), ("[p] b.test.ts", "error"));
        assert_eq!(found.problems[0].details.as_deref(), Some("reason"));
    }

    #[test]
    fn stray_errors_are_noticed() {
        assert_eq!(notices(&context(), &finished(END)), ["unhandled error while a.test.ts was loaded: stray"]);
    }

    #[test]
    fn no_files_are_no_failure() {
        let nothing = r#"["n", {"planned": {"units": []}}]
["n", {"exit": {"code": 1, "finished": true, "failed": false, "errors": []}}]"#;
        assert_eq!(discovered(nothing).expect("found"), Found::new(Vec::new()));
    }

    #[track_caller]
    fn check_failure(journal: &str, code: &str, expected: &str) {
        let failure = discovered(journal).expect_err("a failure");
        assert_eq!((failure.code.as_str(), failure.message.as_str()), (code, expected));
    }

    #[test]
    fn a_discovery_without_an_end_fails() {
        for journal in ["", WHOLE, &format!("{}{END}", WHOLE.lines().nth(1).unwrap_or_default().to_owned() + "\n")] {
            check_failure(journal, "discovery-failed", "no tests could be discovered: reason");
        }
        let unusable = r#"["n", {"unusable": {"code": "vitest-too-old", "message": "m", "help": "h"}}]"#;
        check_failure(unusable, "vitest-too-old", "m");
    }
}
