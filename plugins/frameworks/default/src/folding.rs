//! Makes one outcome of all cases that belong to a test.

use std::borrow::{Borrow, BorrowMut};

use offload_plugin::excerpt;
use offload_plugin::junit::{Case, CaseStatus};
use offload_plugin::types::Outcome;

use crate::reruns;

/// What is kept of the text of all cases, and of what they printed.
const TEXT_LIMIT: usize = 64 << 10;

/// What is kept of a message, which is one line.
const MESSAGE_LIMIT: usize = 500;

/// The outcome of the test `id`, to which at least one case belongs: the worst of them. A test of which some cases were
/// skipped has run. What comes before it are the attempts that failed and that the tool itself did not let count. Takes out of the
/// cases what they printed, which may be much.
pub fn fold(id: &str, cases: &mut [impl BorrowMut<Case>]) -> Vec<Outcome> {
    let of = cases.len();
    let reruns = reruns::by_attempt(cases).into_iter().map(|mut failed| Outcome {
        // What it says to the host whatever its cases are.
        status: "rerun".to_owned(),
        ..fold_attempt(id, &mut failed, of)
    });
    let mut outcomes: Vec<_> = reruns.collect();
    outcomes.push(fold_attempt(id, cases, of));
    outcomes
}

/// The outcome of one attempt of a test that has `of` cases.
fn fold_attempt(id: &str, cases: &mut [impl BorrowMut<Case>], of: usize) -> Outcome {
    let mut outcome = judged(id, cases, of);
    outcome.stdout = text(cases.iter_mut().filter_map(|case| case.borrow_mut().stdout.take()));
    outcome.stderr = text(cases.iter_mut().filter_map(|case| case.borrow_mut().stderr.take()));
    outcome.properties = cases.iter_mut().flat_map(|case| std::mem::take(&mut case.borrow_mut().properties)).collect();
    // Of several cases none speaks for the test: it keeps its id for a name.
    if let ([case], 1) = (&mut *cases, of) {
        let case = case.borrow_mut();
        outcome.name = Some(std::mem::take(&mut case.name));
        outcome.classname = case.classname.take();
    }
    // The file that all cases are in.
    if let Some((first, rest)) = cases.split_first_mut() {
        let file = &mut first.borrow_mut().file;
        if rest.iter().all(|case| case.borrow().file == *file) {
            outcome.file = file.take();
        }
    }
    outcome
}

/// What became of the test, and why.
fn judged(id: &str, cases: &[impl Borrow<Case>], of: usize) -> Outcome {
    let all = || cases.iter().map(Borrow::borrow);
    let worst = all().max_by_key(|case| severity(case)).map_or(CaseStatus::Passed, |case| case.status);
    let telling = || all().filter(move |case| case.status == worst || is_bad(case));
    let known_to_fail = worst == CaseStatus::Skipped && telling().all(is_expected_failure);
    let mut outcome = Outcome::new(id, if known_to_fail { "xfailed" } else { word(worst) });
    // A sum that begins with 0.0 and not, as sums of floats do, with -0.0.
    outcome.duration = all().filter_map(|case| case.time).fold(0.0, |sum, time| sum + time);
    if worst != CaseStatus::Passed {
        let telling: Vec<_> = telling().collect();
        outcome.message = message(id, &telling, of);
        outcome.details = details(&telling);
    }
    outcome
}

pub fn is_bad(case: &Case) -> bool {
    matches!(case.status, CaseStatus::Failed | CaseStatus::Error)
}

fn severity(case: &Case) -> u8 {
    match case.status {
        CaseStatus::Skipped => 0,
        CaseStatus::Passed => 1,
        CaseStatus::Failed => 2,
        CaseStatus::Error => 3,
    }
}

fn word(status: CaseStatus) -> &'static str {
    match status {
        CaseStatus::Passed => "passed",
        CaseStatus::Skipped => "skipped",
        CaseStatus::Failed => "failed",
        CaseStatus::Error => "error",
    }
}

fn is_expected_failure(case: &Case) -> bool {
    case.kind.as_deref() == Some("pytest.xfail")
}

/// What the first telling case says, with its name where the test has others, and how many more there are.
fn message(id: &str, telling: &[&Case], of: usize) -> Option<String> {
    let first = telling.first()?;
    let said = first.message.as_deref().or(first.details.as_deref()).unwrap_or_default();
    let said = said.lines().map(str::trim).find(|line| !line.is_empty()).or(first.kind.as_deref()).unwrap_or_default();
    let mut message = if of > 1 && first.name != id {
        let joint = if said.is_empty() { "" } else { ": " };
        format!("{}{joint}{said}", first.name.replace('\n', " "))
    } else {
        said.to_owned()
    };
    message.truncate(message.floor_char_boundary(MESSAGE_LIMIT));
    if telling.len() > 1 {
        message = format!("{message} (and {} more of {of} cases)", telling.len() - 1);
    }
    (!message.is_empty()).then_some(message)
}

fn details(telling: &[&Case]) -> Option<String> {
    let named = telling.len() > 1;
    let parts = telling.iter().filter_map(|case| {
        // Many tools repeat the message at the head of the text; the others have it there alone.
        let details = case.details.as_deref().or(case.message.as_deref().filter(|said| said.contains('\n')))?;
        Some(if named { format!("{}:\n{details}", case.name) } else { details.to_owned() })
    });
    text(parts)
}

/// The parts as one text, shortened where that is too long.
fn text(parts: impl Iterator<Item = String>) -> Option<String> {
    let whole = parts.reduce(|before, part| before + "\n" + &part)?;
    if whole.len() > TEXT_LIMIT {
        return Some(excerpt::head_and_tail(&whole, TEXT_LIMIT).into_owned());
    }
    (!whole.is_empty()).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, status: CaseStatus, message: &str) -> Case {
        let message = (!message.is_empty()).then(|| message.to_owned());
        Case { name: name.to_owned(), status, message, time: Some(0.5), ..Case::default() }
    }

    fn folded(cases: &[Case]) -> Outcome {
        fold("a.js", &mut cases.to_vec()).pop().expect("one counts")
    }

    #[track_caller]
    fn check(cases: &[Case], expected_status: &str, expected_message: Option<&str>) {
        let outcome = folded(cases);
        assert_eq!(outcome.status, expected_status);
        assert_eq!(outcome.message.as_deref(), expected_message);
        assert_eq!(outcome.duration, 0.5 * cases.len() as f64);
    }

    #[test]
    fn the_worst_case_decides() {
        use CaseStatus::{Error, Failed, Passed, Skipped};
        check(&[case("one", Passed, "")], "passed", None);
        check(&[case("one", Passed, ""), case("two", Skipped, "not now")], "passed", None);
        check(
            &[case("one", Skipped, "not now"), case("two", Skipped, "")],
            "skipped",
            Some("one: not now (and 1 more of 2 cases)"),
        );
        check(&[case("a.js", Skipped, "not now")], "skipped", Some("not now"));
        check(&[case("one", Passed, ""), case("two", Failed, "1 != 2\nmore")], "failed", Some("two: 1 != 2"));
        check(
            &[case("one", Failed, "x"), case("two", Error, "y"), case("three", Passed, "")],
            "error",
            Some("one: x (and 1 more of 3 cases)"),
        );
    }

    #[test]
    fn a_test_of_one_case_is_called_as_its_case() {
        let titled = |name: &str| Case {
            classname: Some("Cart".to_owned()),
            file: Some("a.js".to_owned()),
            ..case(name, CaseStatus::Passed, "")
        };
        let (adds, removes) = (titled("adds"), titled("removes"));
        let one = folded(std::slice::from_ref(&adds));
        assert_eq!([one.name.as_deref(), one.classname.as_deref()], [Some("adds"), Some("Cart")]);
        let two = folded(&[adds.clone(), removes.clone()]);
        assert_eq!([two.name, two.classname, two.file], [None, None, Some("a.js".to_owned())]);
        let elsewhere = Case { file: None, ..removes };
        assert_eq!(folded(&[adds, elsewhere]).file, None);
    }

    #[test]
    fn an_expected_failure_is_no_skip() {
        let expected = Case { kind: Some("pytest.xfail".to_owned()), ..case("one", CaseStatus::Skipped, "known") };
        check(std::slice::from_ref(&expected), "xfailed", Some("known"));
        check(&[expected, case("one", CaseStatus::Skipped, "")], "skipped", Some("one: known (and 1 more of 2 cases)"));
    }

    #[test]
    fn tells_what_every_bad_case_said() {
        let mut first = case("one", CaseStatus::Failed, "m");
        first.details = Some("first trace".to_owned());
        first.stdout = Some("out".to_owned());
        let second = case("two", CaseStatus::Failed, "several\nlines");
        let outcome = folded(&[first, second]);
        assert_eq!(outcome.details.as_deref(), Some("one:\nfirst trace\ntwo:\nseveral\nlines"));
        assert_eq!(outcome.stdout.as_deref(), Some("out"));
    }
}
