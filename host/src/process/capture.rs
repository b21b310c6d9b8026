//! Output kept within bounds: its beginning and its end.

use std::collections::VecDeque;

/// The first and the last bytes of a stream, however long it was.
#[derive(Debug)]
pub struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    limit: usize,
    omitted: u64,
}

impl Capture {
    /// How much of each end a plugin is given to see.
    const DEFAULT_LIMIT: usize = 1 << 20;

    /// Keeps at most `limit` bytes of each end.
    pub fn new(limit: usize) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), limit, omitted: 0 }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        let (first, rest) = bytes.split_at(bytes.len().min(self.limit - self.head.len()));
        self.head.extend_from_slice(first);
        let rest = if rest.len() > self.limit {
            self.omitted += (rest.len() - self.limit) as u64;
            &rest[rest.len() - self.limit..]
        } else {
            rest
        };
        let surplus = (self.tail.len() + rest.len()).saturating_sub(self.limit);
        self.tail.drain(..surplus);
        self.omitted += surplus as u64;
        self.tail.extend(rest);
    }

    /// The bytes, with a line in the middle that says how many are missing.
    pub fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.head;
        if self.omitted > 0 {
            bytes.extend_from_slice(format!("\n[{} bytes omitted]\n", self.omitted).as_bytes());
        }
        bytes.extend(self.tail);
        bytes
    }
}

impl Default for Capture {
    fn default() -> Self {
        Self::new(Self::DEFAULT_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Capture;

    proptest! {
        #[test]
        fn keeps_both_ends(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let limit = 32;
            let whole = chunks.concat();
            let mut capture = Capture::new(limit);
            chunks.iter().for_each(|chunk| capture.push(chunk));
            let kept = capture.into_bytes();
            if whole.len() <= 2 * limit {
                prop_assert_eq!(kept, whole);
            } else {
                prop_assert!(kept.starts_with(&whole[..limit]));
                prop_assert!(kept.ends_with(&whole[whole.len() - limit..]));
                let note = format!("[{} bytes omitted]", whole.len() - 2 * limit);
                prop_assert!(String::from_utf8_lossy(&kept).contains(&note));
            }
        }
    }
}
