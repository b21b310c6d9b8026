//! `results.json`, schema 1.

use std::io::{self, Write};

use serde::{
    Serialize, Serializer,
    ser::{Error, SerializeSeq},
};
use serde_json::ser::Formatter;

use super::{Record, Results, ShardRecord, Texts, Try};
use crate::model::{AttemptNumber, ExitCode, GroupName, RunId, Status, Summary, Test, TestId, Verdict};

const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    run_id: Option<&'a RunId>,
    exit_code: Option<ExitCode>,
    summary: Summary,
    /// RFC 3339, UTC.
    started: Option<&'a str>,
    /// Seconds by the clock on the wall.
    duration: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<&'a ShardRecord>,
    tests: Tests<'a>,
}

#[derive(Serialize)]
struct TestEntry<'a> {
    id: &'a TestId,
    group: &'a GroupName,
    verdict: Verdict,
    /// Seconds that the deciding, which is the last, attempt took; 0 for a test that has not run.
    duration: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    attempts: Vec<AttemptEntry<'a>>,
}

#[derive(Serialize)]
struct AttemptEntry<'a> {
    number: AttemptNumber,
    sandbox: Option<&'a str>,
    status: Status,
    duration: f64,
    message: Option<String>,
    /// The end of what was printed, where the test's process died or was ended: nothing else tells why.
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<&'a str>,
}

impl Results {
    /// Writes test by test: the document is never in memory as a whole.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let document = Document {
            schema: SCHEMA,
            run_id: self.run.as_ref().map(|run| &run.id),
            exit_code: self.end.map(|end| end.exit_code),
            summary: self.summary(),
            started: self.run.as_ref().map(|run| run.started.as_str()),
            duration: self.end.map(|end| end.seconds),
            warnings: Some(self.warnings).filter(|count| *count > 0),
            shard: self.shard.as_ref(),
            tests: Tests(self),
        };
        document.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, OneTestALine::default()))?;
        out.write_all(b"\n")
    }
}

struct Tests<'a>(&'a Results);

impl Serialize for Tests<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tests = self.0.tests();
        let mut list = serializer.serialize_seq(Some(tests.len()))?;
        for (test, record) in tests {
            list.serialize_element(&self.entry(test, record).map_err(S::Error::custom)?)?;
        }
        list.end()
    }
}

impl<'a> Tests<'a> {
    fn entry(&self, test: &'a Test, record: &'a Record) -> io::Result<TestEntry<'a>> {
        Ok(TestEntry {
            id: &test.id,
            group: &test.group,
            verdict: record.verdict(),
            duration: record.deciding().map_or(0.0, |attempt| attempt.duration),
            file: test.file.as_deref(),
            attempts: record.attempts.iter().map(|attempt| self.attempt(attempt)).collect::<io::Result<_>>()?,
        })
    }

    fn attempt(&self, attempt: &'a Try) -> io::Result<AttemptEntry<'a>> {
        let Texts { message, stdout, stderr, .. } = self.0.texts(attempt)?;
        let last = |output: Option<String>| output.filter(|_| died(attempt.status));
        Ok(AttemptEntry {
            number: attempt.number,
            sandbox: attempt.sandbox.as_deref(),
            status: attempt.status,
            duration: attempt.duration,
            message,
            stdout: last(stdout),
            stderr: last(stderr),
            log: attempt.log.as_deref(),
        })
    }
}

fn died(status: Status) -> bool {
    matches!(status, Status::Crashed | Status::TimedOut)
}

/// Compact JSON in which each element of the outermost list has a line, for those who read it with `grep` and `head`.
#[derive(Default)]
struct OneTestALine {
    depth: usize,
}

impl Formatter for OneTestALine {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(if self.depth == 0 { b"\n]" } else { b"]" })
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        if self.depth == 1 { writer.write_all(b"\n") } else { Ok(()) }
    }
}
