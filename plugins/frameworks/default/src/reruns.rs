//! Attempts that the tool made besides the one that counts: what failed and then passed is flaky.

use std::borrow::BorrowMut;
use std::collections::HashMap;
use std::rc::Rc;

use offload_plugin::junit::{Case, CaseStatus, Rerun};

use crate::folding::is_bad;

/// The failed attempts of a test as cases, attempt by attempt: the first of each of its cases, the second, and so on. Takes
/// them out of the cases.
pub fn by_attempt(cases: &mut [impl BorrowMut<Case>]) -> Vec<Vec<Case>> {
    let mut attempts: Vec<Vec<Case>> = Vec::new();
    for case in cases {
        let case = case.borrow_mut();
        for (number, rerun) in std::mem::take(&mut case.reruns).into_iter().enumerate() {
            if attempts.len() == number {
                attempts.push(Vec::new());
            }
            attempts[number].push(as_case(case, rerun));
        }
    }
    attempts
}

/// Some tools that run a failed test again write a case for each time, such as Gradle and gotestsum. Where the command takes
/// that for a success (ask only then), cases that failed are attempts of the last one of their name, if that passed.
pub fn join_repeated(cases: &mut Vec<Case>) {
    if !cases.iter().any(is_bad) {
        return;
    }
    let last: HashMap<_, _> = cases.iter().enumerate().map(|(position, case)| (key(case), position)).collect();
    let mut joined: HashMap<usize, usize> = HashMap::new();
    for (position, case) in cases.iter().enumerate().filter(|(_, case)| is_bad(case)) {
        let last = last[&key(case)];
        if cases[last].status == CaseStatus::Passed {
            joined.insert(position, last);
        }
    }
    let mut kept: Vec<Option<Case>> = std::mem::take(cases).into_iter().map(Some).collect();
    for position in 0..kept.len() {
        let Some(case) = joined.get(&position).and_then(|_| kept[position].take()) else { continue };
        if let Some(counts) = &mut kept[joined[&position]] {
            counts.reruns.extend(as_reruns(case));
        }
    }
    cases.extend(kept.into_iter().flatten());
}

fn key(case: &Case) -> (Option<Rc<str>>, Option<String>, String, Option<String>) {
    (case.suite.clone(), case.classname.clone(), case.name.clone(), case.file.clone())
}

fn as_case(of: &Case, rerun: Rerun) -> Case {
    let Rerun { status, time, kind, message, details, stdout, stderr } = rerun;
    Case {
        suite: of.suite.clone(),
        classname: of.classname.clone(),
        name: of.name.clone(),
        file: of.file.clone(),
        time,
        status,
        kind,
        message,
        details,
        stdout,
        stderr,
        ..Case::default()
    }
}

/// The attempts that a case has, and the one that it is.
fn as_reruns(case: Case) -> impl Iterator<Item = Rerun> {
    let Case { status, time, kind, message, details, stdout, stderr, reruns, .. } = case;
    reruns.into_iter().chain([Rerun { status, time, kind, message, details, stdout, stderr }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, status: CaseStatus) -> Case {
        Case { name: name.to_owned(), status, ..Case::default() }
    }

    fn rerun(message: &str) -> Rerun {
        Rerun { status: CaseStatus::Failed, message: Some(message.to_owned()), ..Rerun::default() }
    }

    #[test]
    fn attempts_of_several_cases_are_attempts_of_their_test() {
        let one = Case { reruns: vec![rerun("1"), rerun("2")], ..case("one", CaseStatus::Passed) };
        let three = Case { reruns: vec![rerun("3")], ..case("three", CaseStatus::Passed) };
        let mut cases = [one, case("two", CaseStatus::Failed), three];
        let attempts = by_attempt(&mut cases);
        let said: Vec<Vec<_>> = attempts
            .iter()
            .map(|cases| cases.iter().map(|case| (case.name.as_str(), case.message.as_deref())).collect())
            .collect();
        assert_eq!(said, [vec![("one", Some("1")), ("three", Some("3"))], vec![("one", Some("2"))]]);
        assert!(by_attempt(&mut cases).is_empty(), "they are told once");
    }

    #[track_caller]
    fn check_joined(cases: &[(&str, CaseStatus)], expected: &[(&str, usize)]) {
        let mut cases: Vec<_> = cases.iter().map(|(name, status)| case(name, *status)).collect();
        join_repeated(&mut cases);
        let joined: Vec<_> = cases.iter().map(|case| (case.name.as_str(), case.reruns.len())).collect();
        assert_eq!(joined, expected);
    }

    #[test]
    fn cases_of_one_name_are_attempts_if_the_last_one_passed() {
        use CaseStatus::{Error, Failed, Passed, Skipped};
        check_joined(&[("a", Failed), ("b", Passed), ("a", Error), ("a", Passed)], &[("b", 0), ("a", 2)]);
        check_joined(&[("a", Failed), ("a", Failed)], &[("a", 0), ("a", 0)]);
        check_joined(&[("a", Failed), ("a", Skipped)], &[("a", 0), ("a", 0)]);
        check_joined(&[("a", Passed), ("a", Failed)], &[("a", 0), ("a", 0)]);
        check_joined(&[("a", Passed), ("a", Passed)], &[("a", 0), ("a", 0)]);
        check_joined(&[], &[]);
    }
}
