//! The elements of a JUnit file that are open while it is read, and the case that grows in them.

use std::borrow::Cow;
use std::rc::Rc;

use quick_xml::events::BytesStart;

use super::report::{Case, CaseStatus, Rerun};
use super::text;

/// An open element, as far as reading needs to know it.
pub(super) enum Element {
    Suite(Suite),
    Case,
    /// `<failure>`, `<error>` or `<skipped>`, of a case or of a suite.
    Problem(Problem),
    /// An attempt of a case beside the one that counts.
    Rerun(Box<Rerun>),
    /// The output of a case, or of an attempt of it.
    Stdout,
    Stderr,
    Properties,
    Property {
        name: String,
        value: Option<String>,
    },
    /// Markup in the text of another element: what it says belongs to that text.
    Inline,
    /// What is not told on, with everything in it: a suite's own output, unknown elements.
    Ignored,
}

/// `<testsuites>` or `<testsuite>`, with what the suites around it lend it.
#[derive(Clone, Default)]
pub(super) struct Suite {
    pub(super) name: Option<Rc<str>>,
    pub(super) file: Option<String>,
}

pub(super) struct Problem {
    status: CaseStatus,
    kind: Option<String>,
    message: Option<String>,
}

impl Suite {
    pub(super) fn read(start: &BytesStart<'_>, outer: Option<&Self>) -> Self {
        let mut suite = Self { name: None, file: outer.and_then(|outer| outer.file.clone()) };
        each_attribute(start, |key, value| match key {
            "name" => suite.name = Some(value.into()),
            "file" | "filepath" if !value.is_empty() => suite.file = Some(value.into_owned()),
            _ => {}
        });
        suite
    }

    pub(super) fn case(&self) -> Case {
        Case { suite: self.name.clone(), file: self.file.clone(), ..Case::default() }
    }
}

impl Element {
    /// What `start` opens inside of `self`.
    pub(super) fn child(&self, start: &BytesStart<'_>) -> Self {
        let name = start.local_name();
        match (self, name.as_ref()) {
            (Self::Suite(outer), "testsuite" | "testsuites") => Self::Suite(Suite::read(start, Some(outer))),
            (Self::Suite(_), "testcase") => Self::Case,
            (Self::Suite(_), "failure" | "error") | (Self::Case, "failure" | "error" | "skipped") => {
                Self::Problem(Problem::read(name.as_ref(), start))
            }
            (Self::Case, "flakyFailure" | "rerunFailure") => rerun(CaseStatus::Failed, start),
            (Self::Case, "flakyError" | "rerunError") => rerun(CaseStatus::Error, start),
            (Self::Case | Self::Rerun(_), "system-out") => Self::Stdout,
            (Self::Case | Self::Rerun(_), "system-err") => Self::Stderr,
            (Self::Case, "properties") => Self::Properties,
            (Self::Properties, "property") => property(start),
            (parent, _) if parent.keeps_text() => Self::Inline,
            _ => Self::Ignored,
        }
    }

    /// Whether the text in this element, and in what lies in it, means something. Of such elements one is open at a time, but
    /// for an attempt, which has its output in it.
    pub(super) fn keeps_text(&self) -> bool {
        matches!(
            self,
            Self::Problem(_) | Self::Rerun(_) | Self::Stdout | Self::Stderr | Self::Property { .. } | Self::Inline
        )
    }
}

impl Problem {
    fn read(name: &str, start: &BytesStart<'_>) -> Self {
        let status = match name {
            "failure" => CaseStatus::Failed,
            "error" => CaseStatus::Error,
            _ => CaseStatus::Skipped,
        };
        let mut problem = Self { status, kind: None, message: None };
        each_attribute(start, |key, value| match key {
            "message" => problem.message = Some(value.into_owned()),
            "type" if !value.is_empty() => problem.kind = Some(value.into_owned()),
            _ => {}
        });
        problem
    }

    /// Makes the case as bad as this problem is, and has it say why.
    pub(super) fn add_to(self, case: &mut Case, text: &str) {
        if self.status > case.status || case.kind.is_none() {
            case.kind = self.kind;
        }
        case.status = case.status.max(self.status);
        text::append(&mut case.message, self.message.as_deref().unwrap_or_default());
        text::append(&mut case.details, text);
    }
}

fn rerun(status: CaseStatus, start: &BytesStart<'_>) -> Element {
    let mut rerun = Rerun { status, ..Rerun::default() };
    each_attribute(start, |key, value| match key {
        "message" => text::append(&mut rerun.message, &value),
        "type" if !value.is_empty() => rerun.kind = Some(value.into_owned()),
        "time" => rerun.time = text::seconds(&value),
        _ => {}
    });
    Element::Rerun(Box::new(rerun))
}

/// Takes over the attributes of `<testcase>`.
pub(super) fn read_case(case: &mut Case, start: &BytesStart<'_>) {
    each_attribute(start, |key, value| match key {
        "name" => case.name = value.into_owned(),
        "classname" | "class" if !value.is_empty() => case.classname = Some(value.into_owned()),
        "file" if !value.is_empty() => case.file = Some(value.into_owned()),
        "time" => case.time = text::seconds(&value),
        "status" | "result" => case.status = case.status.max(status_of_word(&value)),
        _ => {}
    });
}

/// GoogleTest, CTest and some others say by a word in the case's tag what the rest say by an element in it.
fn status_of_word(word: &str) -> CaseStatus {
    match word.to_ascii_lowercase().as_str() {
        "notrun" | "disabled" | "skipped" | "suppressed" => CaseStatus::Skipped,
        "fail" | "failed" | "failure" => CaseStatus::Failed,
        "error" => CaseStatus::Error,
        _ => CaseStatus::Passed,
    }
}

fn property(start: &BytesStart<'_>) -> Element {
    let (mut name, mut value) = (String::new(), None);
    each_attribute(start, |key, found| match key {
        "name" => name = found.into_owned(),
        "value" => value = Some(found.into_owned()),
        _ => {}
    });
    Element::Property { name, value }
}

/// Takes the attributes that can be read, each by its name and what stands for it; one that is not well-formed ends the list.
fn each_attribute(start: &BytesStart<'_>, mut take: impl FnMut(&str, Cow<'_, str>)) {
    let mut attributes = start.attributes();
    attributes.with_checks(false);
    for attribute in attributes.map_while(Result::ok) {
        take(attribute.key.local_name().as_ref(), text::unescape(&attribute.value));
    }
}
