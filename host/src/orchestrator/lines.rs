//! Cuts streams into lines.

use crate::model::Stream;

/// A line longer than this is told in pieces.
const LONGEST: usize = 8 << 10;

/// The unfinished last line of each stream.
#[derive(Debug, Default)]
pub(super) struct Lines {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Lines {
    /// Takes bytes cut anywhere and gives every line that they complete, without its end.
    pub(super) fn push(&mut self, stream: Stream, bytes: &[u8]) -> Vec<String> {
        let rest = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        let mut complete = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            rest.extend_from_slice(piece);
            if piece.ends_with(b"\n") || rest.len() > LONGEST {
                complete.push(text(rest));
                rest.clear();
            }
        }
        complete
    }

    /// What came after the last line's end.
    pub(super) fn finish(self) -> impl Iterator<Item = (Stream, String)> {
        [(Stream::Stdout, self.stdout), (Stream::Stderr, self.stderr)]
            .into_iter()
            .filter(|(_, rest)| !rest.is_empty())
            .map(|(stream, rest)| (stream, text(&rest)))
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_what_was_cut_and_keeps_streams_apart() {
        let mut lines = Lines::default();
        let mut told: Vec<_> = [(Stream::Stdout, "a\nb"), (Stream::Stderr, "x"), (Stream::Stdout, "c\r\n\nd")]
            .into_iter()
            .flat_map(|(stream, bytes)| lines.push(stream, bytes.as_bytes()))
            .collect();
        told.extend(lines.finish().map(|(_, line)| line));
        assert_eq!(told, ["a", "bc", "", "d", "x"]);
    }
}
