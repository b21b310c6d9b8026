//! What was discovered, by a command of its own or by a worker.

use std::collections::{HashMap, HashSet};

use offload_plugin::framework::FinishedRun;
use offload_plugin::journal;
use offload_plugin::types::{Context, Failure, Found, Outcome, Test};

use crate::journal::{Discovered, Record, Unit};
use crate::mishap;
use crate::settings::Settings;

/// The tests of a file rely on each other.
const WHOLE: &str = "unit:whole";

/// The tests in vitest's order, and what could not be collected; and what a person should know.
///
/// # Errors
/// Where vitest did not come to the end of its files: then there may be tests that nobody knows of.
pub fn read(settings: &Settings, context: &Context, run: &FinishedRun) -> Result<(Found, Vec<String>), Failure> {
    let contents = run.files.first().and_then(|file| file.contents.as_deref()).unwrap_or_default();
    let mut finding = Finding::default();
    let mut is_complete = false;
    for record in journal::read(contents, &context.nonce) {
        match record {
            Record::Unusable { code, message, help } => return Err(Failure::new(code, message).with_help(help)),
            Record::Found {} => is_complete = true,
            record => finding.take(record),
        }
    }
    if !is_complete || finding.is_vain() {
        return Err(mishap::failure("discovery-failed", "no tests could be discovered", &run.output, settings));
    }
    finding.complete(&run.output.complaint());
    Ok((finding.found, finding.notices))
}

/// What was found so far.
pub struct Finding {
    found: Found,
    notices: Vec<String>,
    /// The files that vitest goes through.
    planned: Vec<String>,
    units: HashMap<String, Unit>,
    collected: HashSet<String>,
}

impl Default for Finding {
    fn default() -> Self {
        let (planned, notices) = (Vec::new(), Vec::new());
        Self { found: Found::new(Vec::new()), notices, planned, units: HashMap::new(), collected: HashSet::new() }
    }
}

impl Finding {
    pub fn take(&mut self, record: Record) {
        match record {
            Record::Begun { bail } => self.found.max_failures = Some(bail).filter(|&bail| bail > 0),
            Record::Planned { units } => {
                self.planned = units.iter().map(|it| it.unit.clone()).collect();
                self.units = units.into_iter().map(|it| (it.unit.clone(), it)).collect();
            }
            Record::Collected { unit } => drop(self.collected.insert(unit)),
            Record::Test(discovered) => {
                let test = test(discovered, &self.units);
                self.found.tests.push(test);
            }
            Record::Problem { id, message, details } => self.found.problems.push(problem(id, message, details)),
            Record::Notice { message } => self.notices.push(message),
            _ => {}
        }
    }

    /// What was found since this was last asked, if anything.
    pub fn part(&mut self) -> Option<Found> {
        let Found { tests, problems, .. } = &self.found;
        let is_empty = tests.is_empty() && problems.is_empty();
        (!is_empty).then(|| self.rest())
    }

    /// The same where nothing more comes.
    pub fn rest(&mut self) -> Found {
        std::mem::replace(&mut self.found, Found::new(Vec::new()))
    }

    pub fn notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// Nothing more will be found: files that were not loaded are problems, and `complaint` is what was said meanwhile.
    pub fn complete(&mut self, complaint: &str) {
        for unit in std::mem::take(&mut self.planned).into_iter().filter(|unit| !self.collected.contains(unit)) {
            let message = "the process that loaded the file ended before all of it was loaded";
            self.found.problems.push(problem(unit, message.to_owned(), complaint.to_owned()));
        }
    }

    /// Whether not a single file of several was loaded: then more is wrong than the files.
    pub fn is_vain(&self) -> bool {
        self.collected.is_empty() && !self.planned.is_empty()
    }
}

fn test(discovered: Discovered, units: &HashMap<String, Unit>) -> Test {
    let Discovered { id, unit, file, line, name, mut tags, skipped } = discovered;
    let of_unit = units.get(&unit);
    tags.push(WHOLE.to_owned());
    tags.extend(of_unit.map(|unit| unit.tags.iter().cloned()).into_iter().flatten());
    Test {
        id,
        unit: Some(unit),
        classname: Some(file.clone()),
        file: Some(file),
        line,
        name: Some(name),
        tags,
        skipped,
        stage: of_unit.map_or(0, |unit| unit.stage),
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
["n", {"notice": {"message": "careful"}}]
["n", {"planned": {"units": [{"unit": "a.test.ts", "stage": 2, "tags": ["lock:vitest"]}, {"unit": "[p] b.test.ts", "stage": 0, "tags": []}]}}]
["n", {"test": {"id": "a.test.ts > s > t", "unit": "a.test.ts", "file": "a.test.ts", "line": 3, "name": "s > t", "tags": ["slow"], "skipped": true}}]
["n", {"collected": {"unit": "a.test.ts"}}]
"#;
    const BROKEN: &str = r#"["n", {"problem": {"id": "[p] b.test.ts", "message": "m", "details": "d"}}]
["n", {"collected": {"unit": "[p] b.test.ts"}}]
"#;
    const END: &str = r#"["n", {"found": {}}]
["n", {"exit": {"code": 0, "finished": true, "failed": false}}]"#;

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
        let settings = offload_plugin::settings::parse("{}").expect("settings");
        read(&settings, &context(), &finished(journal)).map(|(found, _)| found)
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
            tags: ["slow", "unit:whole", "lock:vitest"].map(Into::into).to_vec(),
            skipped: true,
            stage: 2,
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
    fn notices_are_handed_on() {
        let settings = offload_plugin::settings::parse("{}").expect("settings");
        let (_, notices) = read(&settings, &context(), &finished(&format!("{WHOLE}{END}"))).expect("found");
        assert_eq!(notices, ["careful"]);
    }

    #[test]
    fn no_files_are_no_failure() {
        let nothing = r#"["n", {"planned": {"units": []}}]
["n", {"found": {}}]"#;
        assert_eq!(discovered(nothing).expect("found"), Found::new(Vec::new()));
    }

    #[track_caller]
    fn check_failure(journal: &str, code: &str, expected: &str) {
        let failure = discovered(journal).expect_err("a failure");
        assert_eq!((failure.code.as_str(), failure.message.as_str()), (code, expected));
    }

    #[test]
    fn a_discovery_without_an_end_fails() {
        for journal in ["", WHOLE, &format!("{}{END}", WHOLE.lines().nth(2).unwrap_or_default().to_owned() + "\n")] {
            check_failure(journal, "discovery-failed", "no tests could be discovered: reason");
        }
        let unusable = r#"["n", {"unusable": {"code": "vitest-too-old", "message": "m", "help": "h"}}]"#;
        check_failure(unusable, "vitest-too-old", "m");
    }
}
