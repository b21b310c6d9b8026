//! A warm vitest: what it is told, and what it says on its standard output.

use std::collections::HashSet;

use offload_plugin::frames::{Frame, Frames};
use offload_plugin::observer::Event;
use offload_plugin::types::{Exit, Outcome, Test};
use serde::Serialize;

use crate::discovery::Finding;
use crate::journal::{End, Record};
use crate::{results, session};

/// How much is kept of what vitest said last.
const KEPT_BYTES: usize = 8 << 10;

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Order<'a> {
    Assign(Vec<Assigned<'a>>),
    Withdraw(&'a [String]),
    Finish {},
}

/// Tests of one file, in order.
#[derive(Serialize)]
struct Assigned<'a> {
    unit: &'a str,
    ids: Vec<&'a str>,
}

fn line(order: &Order<'_>) -> Vec<u8> {
    let mut line = serde_json::to_vec(order).expect("strings are JSON");
    line.push(b'\n');
    line
}

/// Speaks with one worker.
pub struct Conversation {
    frames: Frames<Record>,
    finding: Finding,
    /// What it was handed and has not told the end of.
    pending: HashSet<String>,
    /// The end of what it wrote to its standard error.
    stderr: Vec<u8>,
    is_finishing: bool,
    /// How many records it has said, and of how many it is known that they are said again.
    said: usize,
    repeated: usize,
    /// Whether it ends because a process of tests did.
    is_gone: bool,
    has_failed: bool,
    end: Option<End>,
}

impl Conversation {
    pub fn new(nonce: &str) -> Self {
        Self {
            frames: Frames::new(nonce),
            finding: Finding::default(),
            pending: HashSet::new(),
            stderr: Vec::new(),
            is_finishing: false,
            said: 0,
            repeated: 0,
            is_gone: false,
            has_failed: false,
            end: None,
        }
    }

    /// The line that hands these tests over.
    pub fn assign(&mut self, tests: &[Test]) -> Vec<u8> {
        self.pending.extend(tests.iter().map(|test| test.id.clone()));
        let mut assigned: Vec<Assigned<'_>> = Vec::new();
        for test in tests {
            let unit = test.unit.as_deref().unwrap_or_default();
            match assigned.last_mut().filter(|last| last.unit == unit) {
                Some(last) => last.ids.push(&test.id),
                None => assigned.push(Assigned { unit, ids: vec![&test.id] }),
            }
        }
        line(&Order::Assign(assigned))
    }

    /// The line that asks for these tests back.
    pub fn withdraw(tests: &[String]) -> Vec<u8> {
        line(&Order::Withdraw(tests))
    }

    /// The line that asks it to come to its end.
    pub fn finish(&mut self) -> Vec<u8> {
        self.is_finishing = true;
        line(&Order::Finish {})
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
        events.extend(self.finding.part().map(Event::Part));
        events
    }

    /// Reads bytes of its standard error.
    pub fn overhear(&mut self, bytes: Vec<u8>) -> Vec<Event> {
        self.stderr.extend_from_slice(&bytes);
        self.stderr.drain(..self.stderr.len().saturating_sub(KEPT_BYTES));
        vec![Event::Output(bytes)]
    }

    /// What a person should know, since this was last asked.
    pub fn notices(&mut self) -> Vec<String> {
        self.finding.notices()
    }

    fn record(&mut self, record: Record, events: &mut Vec<Event>) {
        if self.repeated > 0 {
            self.repeated -= 1;
            return;
        }
        self.said += 1;
        match record {
            Record::Again {} => self.repeated = self.said - 1,
            Record::Ready {} => events.push(Event::Ready),
            Record::Found {} => {
                self.finding.complete(&String::from_utf8_lossy(&self.stderr));
                events.push(Event::Found(self.finding.rest()));
            }
            Record::Started { id, at: _ } => events.push(Event::Started(id)),
            Record::Finished(finished) => {
                let outcome = results::over(finished);
                if outcome.status != "rerun" {
                    self.pending.remove(&outcome.id);
                }
                events.push(Event::Finished(outcome));
            }
            Record::Returned { ids } => {
                self.pending.retain(|id| !ids.contains(id));
                events.push(Event::Returned(ids));
            }
            Record::Stray(stray) => self.fail(session::stray(stray), events),
            Record::Gone {} => self.is_gone = true,
            Record::Exit(end) => self.end = Some(end),
            Record::Unusable { message, .. } => events.push(Event::Output(format!("{message}\n").into_bytes())),
            other => self.finding.take(other),
        }
    }

    fn fail(&mut self, outcome: Outcome, events: &mut Vec<Event>) {
        self.has_failed = true;
        events.push(Event::Finished(outcome));
    }

    /// The process has ended: what is left to say. Whatever it owes is handed out again, and says enough.
    pub fn ended(&mut self, exit: Exit) -> Vec<Event> {
        let rest = self.frames.rest();
        let mut events = if rest.is_empty() { Vec::new() } else { vec![Event::Output(rest)] };
        let is_explained = self.is_gone || self.has_failed || !self.pending.is_empty() || !self.is_finishing;
        match self.end {
            _ if is_explained => {}
            Some(End { code, .. }) if code != 0 => events.push(Event::Finished(session::exit_code(code, &self.stderr))),
            Some(End { finished: true, .. }) => {}
            _ => events.push(Event::Finished(session::cut_short(exit, &self.stderr))),
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(id: &str, unit: &str) -> Test {
        Test { unit: Some(unit.into()), ..Test::new(id) }
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).expect("UTF-8")
    }

    /// One that was handed `a > x` and was told to finish.
    fn finishing() -> Conversation {
        let mut conversation = Conversation::new("n");
        conversation.assign(&[test("a > x", "a")]);
        conversation.finish();
        conversation
    }

    const OVER: &[u8] =
        b"[\"n\",{\"finished\":{\"id\":\"a > x\",\"at\":1.5,\"status\":\"passed\",\"duration\":1.0}}]\n";
    const RERUN: &[u8] =
        b"[\"n\",{\"finished\":{\"id\":\"a > x\",\"at\":1.5,\"status\":\"rerun\",\"duration\":0.0}}]\n";

    fn end(code: i32, finished: bool) -> Vec<u8> {
        format!("[\"n\",{{\"exit\":{{\"code\":{code},\"finished\":{finished},\"failed\":false}}}}]\n").into_bytes()
    }

    #[test]
    fn orders_are_lines_of_files() {
        let mut conversation = Conversation::new("n");
        let tests = [test("a > x\n", "a"), test("a > y", "a"), test("b > x", "b"), test("a > z", "a")];
        assert_eq!(
            text(conversation.assign(&tests)),
            "{\"assign\":[{\"unit\":\"a\",\"ids\":[\"a > x\\n\",\"a > y\"]},{\"unit\":\"b\",\"ids\":[\"b > x\"]},\
             {\"unit\":\"a\",\"ids\":[\"a > z\"]}]}\n"
        );
        assert_eq!(text(Conversation::withdraw(&["b > x".into()])), "{\"withdraw\":[\"b > x\"]}\n");
        assert_eq!(text(conversation.finish()), "{\"finish\":{}}\n");
    }

    #[test]
    fn what_it_finds_comes_in_parts() {
        let mut conversation = Conversation::new("n");
        let planned = b"[\"n\",{\"planned\":{\"units\":[{\"unit\":\"a\",\"stage\":0,\"tags\":[]},{\"unit\":\"b\",\"stage\":0,\"tags\":[]}]}}]\n";
        assert!(conversation.hear(planned).is_empty());
        let events = conversation.hear(
            b"[\"n\",{\"test\":{\"id\":\"a > x\",\"unit\":\"a\",\"file\":\"a\",\"line\":1,\"name\":\"x\",\"tags\":[],\"skipped\":false}}]\n\
              [\"n\",{\"collected\":{\"unit\":\"a\"}}]\n",
        );
        assert!(matches!(&events[..], [Event::Part(part)] if part.tests[0].tags == ["unit:whole"]), "{events:?}");
        let events = conversation.hear(b"[\"n\",{\"found\":{}}]\n");
        // The other file was not loaded.
        assert!(matches!(&events[..], [Event::Found(rest)] if rest.problems[0].id == "b"), "{events:?}");
    }

    /// What is said of the session in the end, if anything.
    #[track_caller]
    fn check_end(said: &[&[u8]], exit: Exit, expected: Option<&str>) {
        let mut conversation = finishing();
        said.iter().for_each(|bytes| drop(conversation.hear(bytes)));
        let events = conversation.ended(exit);
        let messages: Vec<_> = events
            .iter()
            .map(|event| match event {
                Event::Finished(outcome) if outcome.status == "session-failed" => outcome.message.as_deref(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(messages, expected.into_iter().map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn a_bad_end_is_told_unless_tests_tell_it() {
        check_end(&[OVER, &end(0, true)], Exit::Code(0), None);
        let set = "vitest ended with exit code 3, which no test accounts for";
        check_end(&[OVER, &end(3, true)], Exit::Code(3), Some(set));
        let killed = "vitest was ended by signal 9 after its tests, before it was done";
        check_end(&[OVER], Exit::Signal(9), Some(killed));
        let left = "vitest ended with exit code 0 after its tests, before it was done";
        check_end(&[OVER, &end(0, false)], Exit::Code(0), Some(left));
        // A test that is not over is handed out again.
        check_end(&[], Exit::Signal(9), None);
        check_end(&[RERUN], Exit::Signal(9), None);
        check_end(&[b"[\"n\",{\"gone\":{}}]\n", &end(1, false)], Exit::Code(1), None);
    }

    #[test]
    fn one_that_was_not_told_to_finish_owes_nothing() {
        let mut conversation = Conversation::new("n");
        conversation.assign(&[test("a > x", "a")]);
        conversation.hear(OVER);
        assert!(conversation.ended(Exit::Signal(9)).is_empty());
    }

    #[test]
    fn what_is_said_again_is_heard_once() {
        let mut conversation = Conversation::new("n");
        conversation.assign(&[test("a > x", "a"), test("a > y", "a")]);
        let started = |id: &str| format!("[\"n\",{{\"started\":{{\"id\":\"{id}\",\"at\":1.0}}}}]\n").into_bytes();
        let journal = [&started("a > x")[..], OVER, &started("a > y")].concat();
        assert_eq!(conversation.hear(&started("a > x")).len(), 1);
        // The next record was cut off.
        conversation.hear(&OVER[..20]);
        let events = conversation.hear(&[b"\n[\"n\",{\"again\":{}}]\n", &journal[..]].concat());
        let heard: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::Started(id) => Some(format!("started {id}")),
                Event::Finished(outcome) => Some(format!("{} {}", outcome.id, outcome.status)),
                _ => None,
            })
            .collect();
        assert_eq!(heard, ["a > x passed", "started a > y"]);
    }

    #[test]
    fn stray_errors_are_told_at_once() {
        let mut conversation = finishing();
        let stray =
            b"[\"n\",{\"stray\":{\"what\":\"unhandled error\",\"message\":\"m\",\"details\":\"d\",\"file\":\"a\"}}]\n";
        let events = conversation.hear(stray);
        assert!(matches!(&events[..], [Event::Finished(outcome)] if outcome.status == "session-failed"), "{events:?}");
        conversation.hear(OVER);
        conversation.hear(&end(1, true));
        assert!(conversation.ended(Exit::Code(1)).is_empty());
    }
}
