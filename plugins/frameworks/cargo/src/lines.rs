//! Lines of a stream that comes in pieces cut anywhere.

/// How much is kept of each end of a line that is too long.
const KEPT: usize = 256 << 10;

/// Puts lines together. A line may be of any length, since it holds all that a test printed; of a very long one only the
/// beginning and the end are kept.
#[derive(Default)]
pub struct Lines {
    head: Vec<u8>,
    /// What follows the head; up to twice as much as is kept, so that dropping its beginning is rare.
    tail: Vec<u8>,
    /// Bytes left out between the two.
    dropped: usize,
}

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Whole(String),
    /// The two ends of a line that was too long to be kept.
    Ends {
        head: String,
        tail: String,
        dropped: usize,
    },
}

impl Lines {
    /// The lines that these bytes complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(end) => {
                    self.add(end);
                    lines.push(std::mem::take(self).into_line());
                }
                None => self.add(piece),
            }
        }
        lines
    }

    fn add(&mut self, bytes: &[u8]) {
        let (head, rest) = bytes.split_at(bytes.len().min(KEPT - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend_from_slice(rest);
        if self.tail.len() > 2 * KEPT {
            let too_much = self.tail.len() - KEPT;
            self.tail.drain(..too_much);
            self.dropped += too_much;
        }
    }

    fn into_line(self) -> Line {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if self.dropped == 0 {
            return Line::Whole(text(&[self.head, self.tail].concat()));
        }
        Line::Ends { head: text(&self.head), tail: text(&self.tail), dropped: self.dropped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(line: &str) -> Line {
        Line::Whole(line.to_owned())
    }

    #[test]
    fn puts_pieces_together() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"on"), []);
        assert_eq!(lines.push(b"e\ntwo\n\nth"), [whole("one"), whole("two"), whole("")]);
        assert_eq!(lines.push(b"ree \xc3"), []);
        assert_eq!(lines.push(b"\xa9\n"), [whole("three é")]);
    }

    #[test]
    fn any_cut_gives_the_same_lines() {
        let text = "a\nbé\n\n{\"c\": 1}\n";
        for cut in 0..=text.len() {
            let mut lines = Lines::default();
            let mut seen = lines.push(&text.as_bytes()[..cut]);
            seen.extend(lines.push(&text.as_bytes()[cut..]));
            assert_eq!(seen, [whole("a"), whole("bé"), whole(""), whole("{\"c\": 1}")]);
        }
    }

    #[test]
    fn keeps_the_ends_of_a_long_line() {
        let mut lines = Lines::default();
        let length = 10 * KEPT;
        for _ in 0..10 {
            assert_eq!(lines.push(&vec![b'x'; KEPT]), []);
        }
        let line = lines.push(b"end\n").pop().expect("the line is whole");
        let Line::Ends { head, tail, dropped } = line else { panic!("the line is too long to be kept") };
        assert_eq!(head.len() + tail.len() + dropped, length + 3);
        assert!(tail.ends_with("xend") && tail.len() <= 2 * KEPT + 3);
        assert_eq!(lines.push(b"next\n"), [whole("next")]);
    }
}
