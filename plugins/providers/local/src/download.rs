//! Which of the wanted files were not there.

/// The remote paths at the positions that [`crate::script::copy_files`] printed.
pub fn missing(printed: &[u8], remotes: &[String]) -> Vec<String> {
    String::from_utf8_lossy(printed)
        .lines()
        .filter_map(|position| remotes.get(position.parse::<usize>().ok()?).cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_become_the_paths_that_were_asked_for() {
        let remotes = ["a", "b\nc", "d"].map(str::to_owned);
        assert_eq!(missing(b"1\n2\n", &remotes), ["b\nc", "d"]);
        assert!(missing(b"", &remotes).is_empty());
    }
}
