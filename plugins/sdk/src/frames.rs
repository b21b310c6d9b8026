//! Records among output: what a worker says on the standard output that its tests print to as well. A record is a line as in a
//! [journal](crate::journal), and brings an empty line along in front, in case that somebody else left a line unfinished. One
//! that is too long to be written at once comes in pieces: lines `{"piece": text}` in a row, then `{"whole": {}}`.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::journal;

/// Text that goes on for so long without an end of line is no record.
const LONGEST_TEXT: usize = 64 << 10;

/// One thing that was said.
#[derive(Debug, PartialEq)]
pub enum Frame<R> {
    Record(R),
    /// What is no record, as it was printed.
    Output(Vec<u8>),
}

/// Tells records from output, however both are cut.
pub struct Frames<R> {
    nonce: String,
    /// The unfinished last line.
    rest: Vec<u8>,
    after_empty: bool,
    pieces: String,
    records: PhantomData<R>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Piece(String),
    Whole {},
}

impl<R: DeserializeOwned> Frames<R> {
    /// Only lines with this nonce are records.
    pub fn new(nonce: &str) -> Self {
        let (rest, pieces) = (Vec::new(), String::new());
        Self { nonce: nonce.to_owned(), rest, after_empty: false, pieces, records: PhantomData }
    }

    /// What the next bytes say.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Frame<R>> {
        let mut frames = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let is_whole = piece.ends_with(b"\n");
            if is_whole && self.rest.is_empty() {
                self.line(piece, &mut frames);
                continue;
            }
            self.rest.extend_from_slice(piece);
            if is_whole || (self.rest.len() > LONGEST_TEXT && !self.rest.starts_with(b"[")) {
                let line = std::mem::take(&mut self.rest);
                self.line(&line, &mut frames);
            }
        }
        frames
    }

    /// The output that is left when nothing more comes: the last line may have been cut off.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.rest);
        if std::mem::take(&mut self.after_empty) {
            rest.insert(0, b'\n');
        }
        rest
    }

    fn line(&mut self, line: &[u8], frames: &mut Vec<Frame<R>>) {
        let after_empty = std::mem::take(&mut self.after_empty);
        if line == b"\n" && !after_empty {
            self.after_empty = true;
            return;
        }
        if let Some(record) = journal::record(line, &self.nonce) {
            return frames.push(Frame::Record(record));
        }
        match journal::record(line, &self.nonce) {
            Some(Part::Piece(piece)) => self.pieces.push_str(&piece),
            Some(Part::Whole {}) => {
                let text = std::mem::take(&mut self.pieces);
                frames.extend(journal::record(text.as_bytes(), &self.nonce).map(Frame::Record));
            }
            None if after_empty => frames.push(Frame::Output([b"\n", line].concat())),
            None => frames.push(Frame::Output(line.to_vec())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Record {
        Started { id: String },
    }

    const SAID: &str = "printed before\n
[\"n\", {\"started\": {\"id\": \"a\"}}]
[\"other\", {\"started\": {\"id\": \"b\"}}]
some dots..
[\"n\", {\"piece\": \"[\\\"n\\\", {\\\"started\\\": {\\\"id\\\":\"}]
more dots
[\"n\", {\"piece\": \" \\\"c\\\"}}]\"}]
[\"n\", {\"whole\": {}}]


an empty line before
[\"n\", {\"started\": {\"i";

    #[test]
    fn records_are_told_from_output_wherever_they_are_cut() {
        for size in [1, 7, 4096] {
            let mut frames = Frames::<Record>::new("n");
            let read: Vec<_> = SAID.as_bytes().chunks(size).flat_map(|bytes| frames.read(bytes)).collect();
            let told = |frame: &Frame<Record>| match frame {
                Frame::Record(Record::Started { id }) => format!("started {id}"),
                Frame::Output(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            };
            let told: Vec<_> = read.iter().map(told).collect();
            assert_eq!(
                told,
                [
                    "printed before\n",
                    "started a",
                    "[\"other\", {\"started\": {\"id\": \"b\"}}]\n",
                    "some dots..\n",
                    "more dots\n",
                    "started c",
                    "\n\n",
                    "an empty line before\n",
                ]
            );
            assert_eq!(frames.rest(), b"[\"n\", {\"started\": {\"i");
        }
    }

    #[test]
    fn text_without_an_end_is_not_kept() {
        let mut frames = Frames::<Record>::new("n");
        let read: usize = (0..100).map(|_| frames.read(&[b'x'; 4096]).len()).sum();
        assert!(read > 3 && frames.rest.len() <= LONGEST_TEXT, "{read}");
    }
}
