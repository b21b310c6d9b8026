//! What scripts print, read back.

/// The items at the positions, counted from 0, that a script printed a line each: how one says which of its arguments it
/// means, whatever characters they are made of.
pub fn at_positions(printed: &[u8], items: &[String]) -> Vec<String> {
    String::from_utf8_lossy(printed)
        .lines()
        .filter_map(|position| items.get(position.parse::<usize>().ok()?).cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_become_what_they_stand_for() {
        let items = ["a", "b\nc", "d"].map(str::to_owned);
        assert_eq!(at_positions(b"1\n2\n", &items), ["b\nc", "d"]);
        assert!(at_positions(b"", &items).is_empty());
        assert!(at_positions(b"3\nx\n", &items).is_empty());
    }
}
