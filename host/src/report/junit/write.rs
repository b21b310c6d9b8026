//! The document itself.

use std::io::{self, Write};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event as Xml},
};

use super::{
    case::{Case, Mark, Reruns, marked, micros},
    totals::{Totals, seconds},
    xml_text::{called, said},
};
use crate::{
    model::{GroupName, Test},
    report::results::{Names, Record, Results, Texts, Try},
};

const NOT_RUN: &str = "the run ended before this test had a result";

/// Writes test by test: the document is never in memory as a whole.
pub(in crate::report) fn write_junit(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let suites: Vec<(&GroupName, Totals)> =
        results.groups.iter().map(|group| (group, totals_of(results, group))).collect();
    let mut all = Totals::default();
    suites.iter().for_each(|(_, totals)| all += *totals);

    let mut document = Document { xml: Writer::new_with_indent(out, b' ', 2), results };
    document.xml.write_event(Xml::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = element("testsuites", [("name", "offload".to_owned())]);
    document.nested(with(root, all.attributes()), |document| {
        suites.iter().try_for_each(|(group, totals)| document.suite(group, totals))
    })?;
    document.xml.get_mut().write_all(b"\n")
}

fn totals_of(results: &Results, group: &GroupName) -> Totals {
    let mut totals = Totals::default();
    for (_, record) in in_group(results, group) {
        totals.add(&Case::of(record));
    }
    totals
}

fn in_group<'a>(results: &'a Results, group: &GroupName) -> impl Iterator<Item = (&'a Test, &'a Record)> {
    results.tests().filter(move |(test, _)| test.group == *group)
}

struct Document<'a> {
    xml: Writer<&'a mut dyn Write>,
    results: &'a Results,
}

impl Document<'_> {
    fn suite(&mut self, group: &GroupName, totals: &Totals) -> io::Result<()> {
        let start = with(element("testsuite", [("name", called(group.as_str()).into_owned())]), totals.attributes());
        let run = self.results.run.as_ref();
        let start = with(start, run.map(|run| ("timestamp", run.started.clone())));
        self.nested(start, |document| {
            if let Some(run) = run {
                document.properties(&[("run_id".to_owned(), run.id.to_string())])?;
            }
            in_group(document.results, group).try_for_each(|(test, record)| document.case(test, record))
        })
    }

    fn case(&mut self, test: &Test, record: &Record) -> io::Result<()> {
        let case = Case::of(record);
        let mut texts = match case.main {
            Some(attempt) => self.results.texts(attempt)?,
            None if case.mark == Mark::Error => Texts { message: Some(NOT_RUN.to_owned()), ..Texts::default() },
            None => Texts::default(),
        };
        let start = identity(test, &std::mem::take(&mut texts.names));
        let start = with(start, [("time", seconds(case.micros()))]);
        let silent = texts == Texts::default();
        if silent && case.mark == Mark::Passed && case.others.is_empty() {
            return self.xml.write_event(Xml::Empty(start));
        }
        self.nested(start, |document| {
            document.properties(&texts.properties)?;
            document.mark(&case, &texts)?;
            case.others.iter().try_for_each(|attempt| document.rerun(case.reruns, attempt))?;
            document.streams(&texts)
        })
    }

    fn mark(&mut self, case: &Case<'_>, texts: &Texts) -> io::Result<()> {
        let tag = match case.mark {
            Mark::Passed => return Ok(()),
            Mark::Failure => "failure",
            Mark::Error => "error",
            Mark::Skipped => "skipped",
        };
        let start = with(element(tag, message(texts)), case.kind.map(|kind| ("type", kind.to_owned())));
        self.text(start, texts.details.as_deref().unwrap_or_default())
    }

    /// Another failed attempt, in the elements of Surefire's schema.
    fn rerun(&mut self, reruns: Reruns, attempt: &Try) -> io::Result<()> {
        let (mark, kind) = marked(attempt.status);
        let tag = match (reruns, mark) {
            (Reruns::Flaky, Mark::Failure) => "flakyFailure",
            (Reruns::Flaky, _) => "flakyError",
            (Reruns::Rerun, Mark::Failure) => "rerunFailure",
            (Reruns::Rerun, _) => "rerunError",
        };
        let texts = self.results.texts(attempt)?;
        let start = with(element(tag, message(&texts)), kind.map(|kind| ("type", kind.to_owned())));
        let start = with(start, [("time", seconds(micros(attempt)))]);
        if [&texts.details, &texts.stdout, &texts.stderr].into_iter().flatten().all(|text| text.is_empty()) {
            return self.xml.write_event(Xml::Empty(start));
        }
        self.nested(start, |document| {
            if let Some(details) = &texts.details {
                document.text(BytesStart::new("stackTrace"), details)?;
            }
            document.streams(&texts)
        })
    }

    fn properties(&mut self, properties: &[(String, String)]) -> io::Result<()> {
        if properties.is_empty() {
            return Ok(());
        }
        self.nested(BytesStart::new("properties"), |document| {
            properties.iter().try_for_each(|(name, value)| {
                let start =
                    element("property", [("name", said(name).into_owned()), ("value", said(value).into_owned())]);
                document.xml.write_event(Xml::Empty(start))
            })
        })
    }

    fn streams(&mut self, texts: &Texts) -> io::Result<()> {
        for (tag, text) in [("system-out", &texts.stdout), ("system-err", &texts.stderr)] {
            if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
                self.text(BytesStart::new(tag), text)?;
            }
        }
        Ok(())
    }

    fn text(&mut self, start: BytesStart<'_>, text: &str) -> io::Result<()> {
        let text = said(text);
        if text.is_empty() {
            return self.xml.write_event(Xml::Empty(start));
        }
        let end = start.to_end().into_owned();
        self.xml.write_event(Xml::Start(start))?;
        self.xml.write_event(Xml::Text(BytesText::new(&text)))?;
        self.xml.write_event(Xml::End(end))
    }

    fn nested(&mut self, start: BytesStart<'_>, content: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        let end: BytesEnd<'static> = start.to_end().into_owned();
        self.xml.write_event(Xml::Start(start))?;
        content(self)?;
        self.xml.write_event(Xml::End(end))
    }
}

/// The tag of a testcase with what tells it from others: as the run called it, else as discovery did.
fn identity(test: &Test, names: &Names) -> BytesStart<'static> {
    let classname = names.classname.as_deref().or(test.classname.as_deref()).or(test.unit.as_deref());
    let classname = classname.unwrap_or(test.group.as_str());
    let name = names.name.as_deref().or(test.name.as_deref()).unwrap_or(test.id.as_str());
    let file = names.file.as_deref().or(test.file.as_deref());
    let start =
        element("testcase", [("classname", called(classname).into_owned()), ("name", called(name).into_owned())]);
    let start = with(start, file.map(|file| ("file", called(file).into_owned())));
    with(start, test.line.map(|line| ("line", line.to_string())))
}

fn message(texts: &Texts) -> Option<(&'static str, String)> {
    texts.message.as_deref().map(|message| ("message", said(message).into_owned()))
}

fn element(tag: &'static str, attributes: impl IntoIterator<Item = (&'static str, String)>) -> BytesStart<'static> {
    with(BytesStart::new(tag), attributes)
}

fn with(
    mut start: BytesStart<'static>,
    attributes: impl IntoIterator<Item = (&'static str, String)>,
) -> BytesStart<'static> {
    for (name, value) in attributes {
        start.push_attribute((name, value.as_str()));
    }
    start
}
