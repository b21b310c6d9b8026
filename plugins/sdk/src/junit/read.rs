//! Reads a JUnit file from its beginning as far as it makes sense.

use std::fmt;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::elements::{Element, Suite, read_case};
use super::encoding::decode;
use super::report::{Case, Report};
use super::text;

/// Files larger than this are refused.
pub const MAX_BYTES: usize = 256 << 20;

/// How deep elements may lie in each other: suites nest, but not like this.
pub const MAX_DEPTH: usize = 100;

/// Why nothing at all can be learnt from a file: a fragment that fits behind "the file".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(String);

impl Unreadable {
    pub(super) fn new(reason: String) -> Self {
        Self(reason)
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

/// The cases of a JUnit file: `<testsuites>` or `<testsuite>`, suites nested as they like, counts and attributes missing or
/// not, in UTF-8, UTF-16 or the encoding that it declares. Bytes that are none of its characters become U+FFFD. Document types are passed over: entities other than XML's own five
/// stay as they are written.
///
/// # Errors
/// A file that is empty, too large, in an encoding that is not known, or something else than JUnit XML. One that begins well and breaks later is no error:
/// see [`Report::truncated`].
pub fn read(bytes: &[u8]) -> Result<Report, Unreadable> {
    if bytes.len() > MAX_BYTES {
        return Err(Unreadable(format!("has {} bytes, more than the {MAX_BYTES} that are read", bytes.len())));
    }
    let text = decode(bytes)?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(Unreadable("is empty".to_owned()));
    }
    let mut reading = Reading::default();
    let mut xml = Reader::from_str(text);
    xml.config_mut().expand_empty_elements = true;
    xml.config_mut().allow_dangling_amp = true;
    loop {
        let step = match xml.read_event() {
            Ok(Event::Start(start)) => reading.start(&start),
            Ok(Event::End(_)) => {
                reading.end();
                Ok(())
            }
            Ok(Event::Text(piece)) => reading.text(&piece.xml10_content()),
            Ok(Event::CData(piece)) => reading.text(&piece.xml10_content()),
            Ok(Event::GeneralRef(reference)) => reading.reference(&reference),
            Ok(Event::Eof) => break,
            Ok(_) => Ok(()),
            Err(broken) => Err(broken.to_string()),
        };
        if let Err(reason) = step {
            let reason = format!("{reason} (at byte {})", xml.buffer_position());
            return reading.broken_off(reason);
        }
    }
    reading.ended()
}

#[derive(Default)]
struct Reading {
    report: Report,
    /// From the outermost open element to the innermost.
    open: Vec<Element>,
    case: Case,
    /// What the innermost element that keeps text has of it so far: one place for all of them, one after the other.
    text: String,
    found_root: bool,
}

impl Reading {
    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        if self.open.len() == MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} elements lie in each other"));
        }
        let element = match self.open.last() {
            Some(parent) => parent.child(start),
            None => match start.local_name().as_ref() {
                "testsuites" | "testsuite" => Element::Suite(Suite::read(start, None)),
                other => return Err(format!("has <{other}> where <testsuites> or <testsuite> is expected")),
            },
        };
        self.found_root = true;
        if let (Element::Case, Some(Element::Suite(suite))) = (&element, self.open.last()) {
            self.case = suite.case();
            read_case(&mut self.case, start);
        }
        if !matches!(element, Element::Inline) {
            if let Some(Element::Rerun(rerun)) = self.open.last_mut() {
                // What it says before the output that follows.
                text::append(&mut rerun.details, self.text.trim_end());
            }
            self.text.clear();
        }
        self.open.push(element);
        Ok(())
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Element::Case) => self.report.cases.push(std::mem::take(&mut self.case)),
            Some(Element::Problem(problem)) => match self.open.last() {
                Some(Element::Suite(suite)) => {
                    // The suite itself broke. Nobody else would tell, so that it counts as a case of the suite's name.
                    let mut case = suite.case();
                    case.name = suite.name.as_deref().unwrap_or_default().to_owned();
                    problem.add_to(&mut case, &self.text);
                    self.report.cases.push(case);
                }
                _ => problem.add_to(&mut self.case, &self.text),
            },
            Some(Element::Rerun(mut rerun)) => {
                text::append(&mut rerun.details, self.text.trim_end());
                self.case.reruns.push(*rerun);
            }
            Some(Element::Stdout) => match self.open.last_mut() {
                Some(Element::Rerun(rerun)) => take(&mut rerun.stdout, &mut self.text),
                _ => text::append(&mut self.case.stdout, &self.text),
            },
            Some(Element::Stderr) => match self.open.last_mut() {
                Some(Element::Rerun(rerun)) => take(&mut rerun.stderr, &mut self.text),
                _ => text::append(&mut self.case.stderr, &self.text),
            },
            Some(Element::Property { name, value }) => {
                self.case.properties.push((name, value.unwrap_or_else(|| self.text.clone())));
            }
            Some(Element::Suite(_) | Element::Properties | Element::Inline | Element::Ignored) | None => {}
        }
    }

    fn text(&mut self, piece: &str) -> Result<(), String> {
        if self.open.is_empty() && !piece.trim().is_empty() {
            return Err("has text where an element is expected".to_owned());
        }
        if self.open.last().is_some_and(Element::keeps_text) {
            self.text.push_str(piece);
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), String> {
        match self.open.last() {
            None => return self.text(&format!("&{};", &**reference)),
            Some(element) if element.keeps_text() => text::push_reference(&mut self.text, reference),
            Some(_) => {}
        }
        Ok(())
    }

    fn ended(self) -> Result<Report, Unreadable> {
        if self.found_root && self.open.is_empty() {
            return Ok(self.report);
        }
        let reason = if self.found_root { "ends before its last element is closed" } else { "holds no element" };
        self.broken_off(reason.to_owned())
    }

    fn broken_off(mut self, reason: String) -> Result<Report, Unreadable> {
        if !self.found_root {
            return Err(Unreadable(format!("is not JUnit XML: {reason}")));
        }
        self.report.truncated = Some(reason);
        Ok(self.report)
    }
}

/// Has the output of an attempt end where the text around it goes on.
fn take(output: &mut Option<String>, text: &mut String) {
    text::append(output, text);
    text.clear();
}
