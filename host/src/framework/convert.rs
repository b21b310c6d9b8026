//! Between the contract's words and ours.

use super::run::Reported;
use crate::model::{GroupName, Outcome, Problem, Status, Test, TestId};
use crate::plugin::contract;
use crate::process::{Captured, Exit};

pub(super) fn test(group: &GroupName, test: contract::Test) -> Test {
    Test {
        group: group.clone(),
        id: TestId::new(test.id),
        unit: test.unit,
        file: test.file,
        line: test.line,
        name: test.name,
        classname: test.classname,
        tags: test.tags,
        skipped: test.skipped,
    }
}

pub(super) fn to_contract(test: &Test) -> contract::Test {
    contract::Test {
        id: test.id.to_string(),
        unit: test.unit.clone(),
        file: test.file.clone(),
        line: test.line,
        name: test.name.clone(),
        classname: test.classname.clone(),
        tags: test.tags.clone(),
        skipped: test.skipped,
    }
}

/// Something that could not be collected is spoken of like a test.
pub(super) fn problem(group: &GroupName, outcome: contract::Outcome) -> Problem {
    let id = outcome.id.clone();
    let outcome = match reported(outcome).1 {
        Reported::Ended(outcome) => *outcome,
        Reported::Running { .. } => Outcome::new(Status::Error, "could not be collected"),
    };
    Problem { test: nameless(group, &id), outcome }
}

/// A test of which no more is known than how it is called.
pub(crate) fn nameless(group: &GroupName, id: &str) -> Test {
    Test {
        group: group.clone(),
        id: TestId::new(id),
        unit: None,
        file: None,
        line: None,
        name: None,
        classname: None,
        tags: Vec::new(),
        skipped: false,
    }
}

pub(super) fn reported(outcome: contract::Outcome) -> (TestId, Reported) {
    let id = TestId::new(outcome.id);
    let duration = if outcome.duration.is_finite() { outcome.duration.max(0.0) } else { 0.0 };
    let status = match outcome.status.as_str() {
        "running" => return (id, Reported::Running { seconds: duration }),
        "passed" => Status::Passed,
        "failed" => Status::Failed,
        "skipped" => Status::Skipped,
        "xfailed" => Status::XFailed,
        "xpassed" => Status::XPassed,
        _ => Status::Error,
    };
    let outcome = Outcome {
        status,
        duration,
        message: outcome.message,
        details: outcome.details,
        stdout: outcome.stdout,
        stderr: outcome.stderr,
        properties: outcome.properties,
        name: outcome.name,
        classname: outcome.classname,
        file: outcome.file,
    };
    (id, Reported::Ended(Box::new(outcome)))
}

pub(super) fn exit(exit: Exit) -> contract::Exit {
    match exit {
        Exit::Code(code) => contract::Exit::Code(code),
        Exit::Signal(signal) => contract::Exit::Signal(signal),
    }
}

pub(super) fn captured(captured: Captured) -> contract::Captured {
    contract::Captured { exit: exit(captured.exit), stdout: captured.stdout, stderr: captured.stderr }
}
