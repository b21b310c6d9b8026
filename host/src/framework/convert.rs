//! Between the contract's words and ours.

use std::path::PathBuf;

use super::observation::Reported;
use crate::model::{Discovered, GroupName, Outcome, Problem, Status, Test, TestId};
use crate::plugin::contract;
use crate::process::Command;

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
        stage: test.stage,
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
        stage: test.stage,
    }
}

pub(super) fn found(group: &GroupName, found: contract::Found) -> Discovered {
    Discovered {
        tests: found.tests.into_iter().map(|found| test(group, found)).collect(),
        problems: found.problems.into_iter().map(|outcome| problem(group, outcome)).collect(),
        max_failures: found.max_failures,
        deselected: found.deselected.into_iter().map(TestId::new).collect(),
    }
}

/// Something that could not be collected is spoken of like a test.
fn problem(group: &GroupName, outcome: contract::Outcome) -> Problem {
    let id = outcome.id.clone();
    let outcome = match reported(outcome).1 {
        Reported::Ended(outcome) | Reported::Rerun(outcome) | Reported::Session(outcome) => *outcome,
        Reported::Running { .. } => Outcome::new(Status::Error, "could not be collected"),
    };
    Problem { test: Test::nameless(group.clone(), id), outcome }
}

pub(super) fn reported(outcome: contract::Outcome) -> (TestId, Reported) {
    let id = TestId::new(outcome.id);
    let duration = if outcome.duration.is_finite() { outcome.duration.max(0.0) } else { 0.0 };
    let said = outcome.status.as_str();
    let report: fn(Box<Outcome>) -> Reported = match said {
        "running" => return (id, Reported::Running { seconds: duration }),
        "rerun" => Reported::Rerun,
        "session-failed" => Reported::Session,
        _ => Reported::Ended,
    };
    let status = match said {
        "rerun" => Status::Failed,
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
    (id, report(Box::new(outcome)))
}

pub(super) fn command(command: contract::Command) -> Command {
    let contract::Command { argv, env, cwd } = command;
    Command { argv, env, cwd: cwd.map(PathBuf::from), ..Command::default() }
}
