//! Where a command's output goes.

use std::fs::File;
use std::path::PathBuf;

use tokio::sync::mpsc;

use crate::foreign_file;
use crate::limits;
use crate::model::{Failure, Mask, Masked, Stream};
use crate::process::Output;

/// How much of a stream is shown when there is nothing else to show: the stacks of a process with many threads.
const TAIL: usize = 16 << 10;

/// What is told of output as it comes.
pub(super) type Tap = mpsc::Sender<(Stream, Vec<u8>)>;

/// Where the streams of a command are written as a whole.
#[derive(Clone, Debug)]
pub(super) struct Logs {
    /// Their paths without `.stdout` and `.stderr`.
    pub(super) stem: PathBuf,
    pub(super) mask: Mask,
}

impl Logs {
    /// Output that is kept in part, and written to the log as a whole.
    pub(super) fn captured(&self, stream: Stream, tap: Option<Tap>) -> Result<Output, Failure> {
        Ok(Output { log: Some(Box::new(self.create(stream)?)), tap, ..Output::default() })
    }

    /// The log of one stream.
    pub(super) fn create(&self, stream: Stream) -> Result<Masked<File>, Failure> {
        let mut path = self.stem.as_os_str().to_owned();
        path.push(".");
        path.push(stream.name());
        let path = PathBuf::from(path);
        let file = foreign_file::create(&path, true).map_err(|error| {
            let message = format!("cannot write the log {}: {error}", path.display());
            limits::explain(Failure::new("unwritable-log", message).with_help("make room, or change `output_dir`"))
        })?;
        Ok(self.mask.writer(file))
    }
}

/// The end of what a command wrote to each stream: where its process died, that is all that is known of why.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LastOutput {
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl LastOutput {
    pub(super) fn new(stdout: &[u8], stderr: &[u8]) -> Self {
        Self { stdout: tail(stdout), stderr: tail(stderr) }
    }

    /// Leaves out of standard output what a framework reads there: records of JSON, each on a line.
    pub(super) fn without_records(mut self) -> Self {
        let is_record = |line: &str| line.starts_with('{') && line.ends_with('}');
        let kept: Vec<_> = self.stdout.lines().filter(|line| !is_record(line)).collect();
        self.stdout = kept.join("\n").trim().to_owned();
        self
    }
}

/// The end of what is written to a stream, while it is written.
#[derive(Debug, Default)]
pub(super) struct Recent(Vec<u8>);

impl Recent {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        if self.0.len() > 2 * TAIL {
            self.0.drain(..self.0.len() - TAIL);
        }
    }

    /// What was written until now is of no more interest.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The last lines, each whole if it fits: a secret that was cut could not be masked any more.
fn tail(bytes: &[u8]) -> String {
    let mut tail = &bytes[bytes.len().saturating_sub(TAIL)..];
    if tail.len() < bytes.len()
        && let Some(end) = tail.iter().position(|byte| *byte == b'\n')
    {
        tail = &tail[end + 1..];
    }
    String::from_utf8_lossy(tail).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_whole() {
        let long = format!("{}secret\nlast\n", "x".repeat(TAIL));
        assert_eq!(tail(long.as_bytes()), "last");
        assert_eq!(tail(b" first\nlast \n"), "first\nlast");
        let one_line = "x".repeat(2 * TAIL);
        assert_eq!(tail(one_line.as_bytes()).len(), TAIL);
    }

    #[test]
    fn what_was_written_last_is_kept_within_bounds() {
        let mut recent = Recent::default();
        for number in 0..TAIL {
            recent.push(format!("{number}\n").as_bytes());
        }
        assert!(recent.bytes().len() <= 2 * TAIL && recent.bytes().ends_with(format!("{}\n", TAIL - 1).as_bytes()));
        recent.clear();
        assert!(recent.bytes().is_empty());
    }

    #[test]
    fn records_are_no_output() {
        let output = LastOutput::new(b"{\"type\": \"test\"}\npanicked\n{not\n", b"");
        assert_eq!(output.without_records().stdout, "panicked\n{not");
    }
}
