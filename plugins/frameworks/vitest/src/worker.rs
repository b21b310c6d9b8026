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
        match record {
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
