//! Expressions by which nextest runs exactly the tests that it is told.

use std::fmt::Write;

use crate::name::TestName;

/// One expression for each binary that has tests among `names`; nextest runs what any of them matches.
pub fn expressions(names: &[TestName<'_>]) -> Vec<String> {
    let mut binaries: Vec<(&str, Vec<String>)> = Vec::new();
    for test in names {
        let matcher = format!("test(={})", escape(test.name));
        // Tests of one binary mostly follow each other.
        match binaries.iter_mut().rev().find(|(binary_id, _)| *binary_id == test.binary_id) {
            Some((_, matchers)) => matchers.push(matcher),
            None => binaries.push((test.binary_id, vec![matcher])),
        }
    }
    binaries
        .into_iter()
        .map(|(binary_id, matchers)| format!("binary_id(={}) & ({})", escape(binary_id), matchers.join(" | ")))
        .collect()
}

/// Text that can mean nothing but itself in an expression.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || "_:-".contains(character) {
            escaped.push(character);
        } else {
            let _ = write!(escaped, "\\u{{{:x}}}", u32::from(character));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ids: &[&str], expected: &[&str]) {
        let names: Vec<_> = ids.iter().map(|id| TestName::of_id(id).expect("it is an id")).collect();
        assert_eq!(expressions(&names), expected);
    }

    #[test]
    fn groups_tests_by_binary() {
        check(
            &["p a::b", "p::it c", "p d"],
            &["binary_id(=p) & (test(=a::b) | test(=d))", "binary_id(=p::it) & (test(=c))"],
        );
        check(&[], &[]);
    }

    #[test]
    fn escapes_what_could_mean_something() {
        check(
            &["p::bin/x a (b),\\c/", "p::bin/x é"],
            &[r"binary_id(=p::bin\u{2f}x) & (test(=a\u{20}\u{28}b\u{29}\u{2c}\u{5c}c\u{2f}) | test(=\u{e9}))"],
        );
    }
}
