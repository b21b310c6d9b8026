//! Lines of a stream that comes in pieces cut anywhere.

/// test2json cuts what tests print into pieces of some kilobytes, so no line of it is longer. What is, is no event.
const LONGEST: usize = 1 << 20;

/// Puts lines together.
#[derive(Default)]
pub struct Lines {
    unfinished: Vec<u8>,
    is_too_long: bool,
}

impl Lines {
    /// The lines that these bytes complete, without their ends.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let Some(end) = piece.strip_suffix(b"\n") else {
                self.add(piece);
                continue;
            };
            self.add(end);
            let Self { unfinished, is_too_long } = std::mem::take(self);
            if !is_too_long {
                lines.push(String::from_utf8_lossy(&unfinished).into_owned());
            }
        }
        lines
    }

    fn add(&mut self, bytes: &[u8]) {
        self.is_too_long |= self.unfinished.len() + bytes.len() > LONGEST;
        if self.is_too_long {
            self.unfinished.clear();
        } else {
            self.unfinished.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cut_gives_the_same_lines() {
        let text = "a\nbé\n\n{\"c\": 1}\nrest";
        for cut in 0..=text.len() {
            let mut lines = Lines::default();
            let mut seen = lines.push(&text.as_bytes()[..cut]);
            seen.extend(lines.push(&text.as_bytes()[cut..]));
            assert_eq!(seen, ["a", "bé", "", "{\"c\": 1}"]);
        }
    }

    #[test]
    fn passes_over_what_is_too_long() {
        let mut lines = Lines::default();
        for _ in 0..3 {
            assert!(lines.push(&vec![b'x'; LONGEST]).is_empty());
        }
        assert_eq!(lines.push(b"end\nnext\n"), ["next"]);
    }
}
