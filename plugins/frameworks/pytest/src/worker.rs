//! A warm pytest process: what it is told, and what it says on its standard output.

use offload_plugin::frames::{Frame, Frames};
use offload_plugin::types::{Exit, Test};
use serde::Serialize;

use crate::discovery::{self, Finding};
use crate::ending::Ending;
use crate::journal::Record;
use crate::results;
use crate::{Event, UnitListing};

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Order<'a> {
    Greet(&'a str),
    Assign(Vec<Assigned<'a>>),
    Withdraw(&'a [String]),
    Finish {},
}

#[derive(Serialize)]
struct Assigned<'a> {
    id: &'a str,
    unit: Option<&'a str>,
}

/// The first line that a worker reads: the nonce by which its records are known.
pub fn greeting(nonce: &str) -> Vec<u8> {
    line(&Order::Greet(nonce))
}

/// The line that hands these tests over.
pub fn assign(tests: &[Test]) -> Vec<u8> {
    let tests = tests.iter().map(|test| Assigned { id: &test.id, unit: test.unit.as_deref() });
    line(&Order::Assign(tests.collect()))
}

/// The line that asks for these tests back.
pub fn withdraw(tests: &[String]) -> Vec<u8> {
    line(&Order::Withdraw(tests))
}

/// The line that asks it to come to its end.
pub fn finish() -> Vec<u8> {
    line(&Order::Finish {})
}

fn line(order: &Order<'_>) -> Vec<u8> {
    let mut line = serde_json::to_vec(order).expect("strings are JSON");
    line.push(b'\n');
    line
}

/// Listens to one worker.
pub struct Listener {
    frames: Frames<Record>,
    finding: Finding,
    /// Whether it was started to discover, and whether it has told everything.
    discovers: bool,
    has_found: bool,
    notices: Vec<String>,
    ending: Ending,
}

impl Listener {
    /// To one that was started to discover, or not.
    pub fn new(nonce: &str, discovers: bool) -> Self {
        Self {
            frames: Frames::new(nonce),
            finding: Finding::default(),
            discovers,
            has_found: false,
            notices: Vec::new(),
            ending: Ending::default(),
        }
    }

    /// Reads bytes of its standard output, cut anywhere.
    pub fn hear(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for frame in self.frames.read(bytes) {
            match frame {
                Frame::Record(record) => self.record(record, &mut events),
                Frame::Output(bytes) => events.push(Event::Output(bytes)),
            }
        }
        let found = std::mem::take(&mut self.finding).found;
        if !(found.tests.is_empty() && found.problems.is_empty() && found.deselected.is_empty()) {
            events.push(Event::Part(found));
        }
        events
    }

    /// What a person should know, since this was last asked.
    pub fn notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// Reads bytes of its standard error, which belong to no test.
    pub fn hear_errors(&mut self, bytes: Vec<u8>) -> Vec<Event> {
        self.ending.hear_errors(&bytes);
        vec![Event::Output(bytes)]
    }

    /// It has ended: the last line may have been cut off, and how it ended may be what no test explains.
    pub fn ended(&mut self, exit: Exit) -> Vec<Event> {
        let rest = self.frames.rest();
        let mut events = if rest.is_empty() { Vec::new() } else { vec![Event::Output(rest)] };
        events.extend(self.ending.judge(exit).map(Event::Finished));
        self.notices.extend(self.ending.notice(exit));
        events
    }

    fn record(&mut self, record: Record, events: &mut Vec<Event>) {
        self.ending.saw(&record);
        match record {
            Record::Ready {} => events.push(Event::Ready),
            Record::Started { id, at: _ } => events.push(Event::Started(id)),
            Record::Finished(finished) => events.push(Event::Finished(results::over(finished))),
            Record::Unit { file, ids } => {
                let tests = ids.into_iter().map(|id| discovery::test(id, file.clone())).collect();
                events.push(Event::Unit(UnitListing { unit: file, tests }));
            }
            Record::Returned { ids } => events.push(Event::Returned(ids)),
            Record::Notice { message } => self.notices.push(message),
            Record::Unusable { message, .. } => events.push(Event::Output(format!("{message}\n").into_bytes())),
            Record::Exit { warnings, .. } => events.extend((warnings > 0).then_some(Event::Warnings(warnings))),
            Record::Session(session) if self.has_found || !self.discovers => {
                events.push(Event::Finished(results::session(session)));
            }
            Record::Ending { .. } | Record::Gone {} => {}
            found => {
                self.finding.take(found);
                if self.finding.is_complete {
                    self.has_found = true;
                    events.push(Event::Found(std::mem::take(&mut self.finding).found));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(id: &str, unit: Option<&str>) -> Test {
        Test { unit: unit.map(Into::into), ..Test::new(id) }
    }

    #[test]
    fn orders_are_lines() {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        assert_eq!(
            text(assign(&[test("a.py::b[\n]", Some("a.py")), test("c", None)])),
            "{\"assign\":[{\"id\":\"a.py::b[\\n]\",\"unit\":\"a.py\"},{\"id\":\"c\",\"unit\":null}]}\n"
        );
        assert_eq!(text(withdraw(&["a".into()])), "{\"withdraw\":[\"a\"]}\n");
        assert_eq!(text(finish()), "{\"finish\":{}}\n");
        assert_eq!(text(greeting("n")), "{\"greet\":\"n\"}\n");
    }

    const SAID: &str = "printed before\n
[\"n\", {\"ready\": {}}]
[\"n\", {\"test\": {\"id\": \"a.py::b\", \"file\": \"a.py\", \"line\": 1, \"tags\": []}}]
[\"n\", {\"deselected\": {\"id\": \"a.py::d\"}}]
[\"n\", {\"collected\": {\"max_failures\": 2}}]
[\"other\", {\"started\": {\"id\": \"a.py::b\", \"at\": 0.5}}]
[\"n\", {\"started\": {\"id\": \"a.py::b\", \"at\": 0.5}}]
[\"n\", {\"finished\": {\"id\": \"a.py::b\", \"at\": 1.5, \"status\": \"passed\", \"duration\": 1.0}}]
[\"n\", {\"unit\": {\"file\": \"a.py\", \"ids\": [\"a.py::b\"]}}]
[\"n\", {\"piece\": \"[\\\"n\\\", {\\\"returned\\\": {\\\"ids\\\": [\"}]
some dots..
[\"n\", {\"piece\": \"\\\"a.py::c\\\"]}}]\"}]
[\"n\", {\"whole\": {}}]


an empty line before
[\"n\", {\"exit\": {\"sta";

    #[test]
    fn warnings_are_told_at_the_end() {
        let mut listener = Listener::new("n", true);
        assert_eq!(told(&listener.hear(b"[\"n\", {\"exit\": {\"status\": 0, \"warnings\": 3}}]\n")), ["3 warnings"]);
        assert!(listener.hear(b"[\"n\", {\"exit\": {\"status\": 0, \"warnings\": 0}}]\n").is_empty());
    }

    #[test]
    fn notices_are_told_once() {
        let mut listener = Listener::new("n", true);
        assert!(listener.hear(b"[\"n\", {\"notice\": {\"message\": \"careful\"}}]\n").is_empty());
        assert_eq!(listener.notices(), ["careful"]);
        assert!(listener.notices().is_empty());
    }

    fn told(events: &[Event]) -> Vec<String> {
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        let told = |event: &Event| match event {
            Event::Ready => "ready".to_owned(),
            Event::Found(found) => {
                format!("found {} and {:?}, {:?}", found.tests[0].id, found.deselected, found.max_failures)
            }
            Event::Part(found) => format!("found {}", found.tests.len()),
            Event::Started(id) => format!("started {id}"),
            Event::Finished(outcome) => format!("{} {} {}", outcome.id, outcome.status, outcome.duration),
            Event::Unit(listing) => format!("{} holds {}", listing.unit, listing.tests[0].id),
            Event::Returned(ids) => format!("returned {ids:?}"),
            Event::Warnings(count) => format!("{count} warnings"),
            Event::Output(bytes) => format!("output {:?}", text(bytes)),
        };
        events.iter().map(told).collect()
    }

    /// The parts of what was found as one.
    fn together(events: Vec<Event>) -> Vec<Event> {
        let mut whole = Finding::default().found;
        let mut told = Vec::new();
        for event in events {
            match event {
                Event::Part(part) => {
                    whole.tests.extend(part.tests);
                    whole.deselected.extend(part.deselected);
                }
                Event::Found(part) => {
                    whole.tests.extend(part.tests);
                    whole.deselected.extend(part.deselected);
                    whole.max_failures = part.max_failures;
                    told.push(Event::Found(std::mem::replace(&mut whole, Finding::default().found)));
                }
                other => told.push(other),
            }
        }
        told
    }

    #[test]
    fn frames_are_told_from_output_wherever_they_are_cut() {
        for size in [1, 7, 4096] {
            let mut listener = Listener::new("n", true);
            let mut events: Vec<_> = SAID.as_bytes().chunks(size).flat_map(|bytes| listener.hear(bytes)).collect();
            events.extend(listener.ended(Exit::Code(0)));
            assert_eq!(
                told(&together(events)),
                [
                    "output \"printed before\\n\"",
                    "ready",
                    "found a.py::b and [\"a.py::d\"], Some(2)",
                    "output \"[\\\"other\\\", {\\\"started\\\": {\\\"id\\\": \\\"a.py::b\\\", \\\"at\\\": 0.5}}]\\n\"",
                    "started a.py::b",
                    "a.py::b passed 1",
                    "a.py holds a.py::b",
                    "output \"some dots..\\n\"",
                    "returned [\"a.py::c\"]",
                    "output \"\\n\\n\"",
                    "output \"an empty line before\\n\"",
                    "output \"[\\\"n\\\", {\\\"exit\\\": {\\\"sta\"",
                ]
            );
        }
    }
}
