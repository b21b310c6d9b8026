//! What the README of a new project tells its reader to do. `offload plugin new` prints the same, so that there is one home
//! for it.

/// The lines of the first block of code in this language.
pub(super) fn block<'a>(readme: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}");
    readme.lines().skip_while(|line| *line != opening).skip(1).take_while(|line| *line != "```").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_block_of_a_language_is_found() {
        let readme = "# It\n\n```text\nno\n```\n\n```bash\none\n\ntwo\n```\n\n```bash\nthree\n```\n";
        assert_eq!(block(readme, "bash"), ["one", "", "two"]);
        assert!(block(readme, "toml").is_empty());
    }
}
