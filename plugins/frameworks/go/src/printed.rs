//! What was printed, of which only so much is kept.

/// How much is kept of each end.
const KEPT: usize = 32 << 10;

/// Text of any length, of which the beginning and the end are kept.
#[derive(Debug, Default)]
pub struct Printed {
    head: String,
    /// Up to twice as much as is kept, so that dropping its beginning is rare.
    tail: String,
    /// Bytes left out between the two.
    dropped: usize,
}

impl Printed {
    pub fn push(&mut self, text: &str) {
        // Once something is in the tail, the head is at its end.
        let room = if self.tail.is_empty() { KEPT.saturating_sub(self.head.len()) } else { 0 };
        let (head, rest) = text.split_at(text.floor_char_boundary(room));
        self.head.push_str(head);
        self.tail.push_str(rest);
        if self.tail.len() > 2 * KEPT {
            let too_much = self.tail.ceil_char_boundary(self.tail.len() - KEPT);
            self.tail.drain(..too_much);
            self.dropped += too_much;
        }
    }

    /// All of it, with a line that says how much is missing where something is.
    pub fn text(&self) -> String {
        match self.dropped {
            0 => format!("{}{}", self.head, self.tail),
            dropped => format!("{}\n[… {dropped} bytes left out …]\n{}", self.head, self.tail),
        }
    }

    /// The last line if it is whole, with what precedes it cut off.
    pub fn last_line(&self) -> Option<&str> {
        let last = if self.tail.is_empty() { &self.head } else { &self.tail };
        let line = last.strip_suffix('\n')?;
        Some(line.rsplit_once('\n').map_or(line, |(_, line)| line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_both_ends() {
        let mut printed = Printed::default();
        printed.push("begin é\n");
        for _ in 0..(10 * KEPT / 16) {
            printed.push("ééééééé\n\n");
        }
        printed.push("the end\n");
        let text = printed.text();
        assert!(text.starts_with("begin é\nééééééé"), "{}", &text[..40]);
        assert!(text.ends_with("é\n\nthe end\n") && text.contains(" bytes left out …]\n"));
        assert!(text.len() < 4 * KEPT);
        assert_eq!(printed.last_line(), Some("the end"));
    }

    #[test]
    fn keeps_what_is_short_as_it_is() {
        let mut printed = Printed::default();
        assert_eq!(printed.last_line(), None);
        printed.push("one\ntwo");
        assert_eq!((printed.text().as_str(), printed.last_line()), ("one\ntwo", None));
        printed.push(" three\n");
        assert_eq!(printed.last_line(), Some("two three"));
    }
}
