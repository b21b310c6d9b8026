//! Quoting words for POSIX shells, and reading back what was quoted.
//!
//! The rules are those of POSIX.1-2024, Shell Command Language, 2.2 "Quoting".

use std::fmt;

/// Words that a shell takes as syntax when they come first in a command.
const RESERVED: [&str; 17] = [
    "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in", "select", "then",
    "time", "until", "while",
];

/// One word that every POSIX shell reads back as exactly `word`, wherever in a command it stands. Words that mean
/// themselves stay as they are, so that what is logged can be read.
///
/// No argument of a process can hold NUL: the caller must have refused it.
pub fn quote(word: &str) -> String {
    if is_plain(word) {
        return word.to_owned();
    }
    // Between single quotes everything is literal but the single quote itself, which therefore stands outside of them.
    let mut quoted = String::with_capacity(word.len() + 2);
    quoted.push('\'');
    for character in word.chars() {
        match character {
            '\'' => quoted.push_str(r"'\''"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// The words as one command line: each quoted, with a space between them.
pub fn join<I>(words: I) -> String
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    words.into_iter().map(|word| quote(word.as_ref())).collect::<Vec<_>>().join(" ")
}

/// The words of a command line: split at blanks and newlines, with quotes and backslashes resolved as a shell does.
/// Nothing is expanded, and operators, comments and globs are ordinary text.
///
/// # Errors
/// A quote that is never closed, or a backslash with nothing behind it.
pub fn split(line: &str) -> Result<Vec<String>, SplitError> {
    let mut words = Vec::new();
    // Absent between words: quotes begin a word even if there is nothing in them.
    let mut word: Option<String> = None;
    let mut rest = line.char_indices();
    while let Some((at, character)) = rest.next() {
        match character {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' => read_single_quoted(&mut rest, word.get_or_insert_default(), at)?,
            '"' => read_double_quoted(&mut rest, word.get_or_insert_default(), at)?,
            '\\' => match rest.next() {
                None => return Err(SplitError::TrailingBackslash),
                // A line that goes on in the next one.
                Some((_, '\n')) => {}
                Some((_, escaped)) => word.get_or_insert_default().push(escaped),
            },
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Why a command line could not be split into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitError {
    /// A quote that is never closed: which one, and at which byte of the line it stands.
    UnclosedQuote { quote: char, at: usize },
    /// The line ends in a backslash that escapes nothing.
    TrailingBackslash,
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnclosedQuote { quote, at } => write!(f, "the {quote} at byte {at} is never closed"),
            Self::TrailingBackslash => f.write_str("it ends in a backslash with nothing behind it"),
        }
    }
}

impl std::error::Error for SplitError {}

fn is_plain(word: &str) -> bool {
    // `name=value` would be an assignment, but `--name=value` is an argument wherever it stands.
    let assigns = word.contains('=') && !word.starts_with('-');
    !word.is_empty()
        && !assigns
        && !RESERVED.contains(&word)
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-+=.,/:@%".contains(&byte))
}

fn read_single_quoted(
    rest: &mut std::str::CharIndices<'_>,
    word: &mut String,
    opened_at: usize,
) -> Result<(), SplitError> {
    for (_, character) in rest {
        match character {
            '\'' => return Ok(()),
            other => word.push(other),
        }
    }
    Err(SplitError::UnclosedQuote { quote: '\'', at: opened_at })
}

fn read_double_quoted(
    rest: &mut std::str::CharIndices<'_>,
    word: &mut String,
    opened_at: usize,
) -> Result<(), SplitError> {
    while let Some((_, character)) = rest.next() {
        match character {
            '"' => return Ok(()),
            '\\' => match rest.next() {
                Some((_, '\n')) => {}
                Some((_, escaped @ ('$' | '`' | '"' | '\\'))) => word.push(escaped),
                Some((_, other)) => word.extend(['\\', other]),
                None => break,
            },
            other => word.push(other),
        }
    }
    Err(SplitError::UnclosedQuote { quote: '"', at: opened_at })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check_quote(word: &str, expected: &str) {
        assert_eq!(quote(word), expected);
    }

    #[track_caller]
    fn check_split(line: &str, expected: &[&str]) {
        assert_eq!(split(line).expect("the line can be split"), expected);
    }

    #[track_caller]
    fn check_split_fails(line: &str, expected: SplitError) {
        assert_eq!(split(line), Err(expected));
    }

    /// What a real shell makes of a command line, as the words that it hands to a program.
    fn words_of_sh(line: &str) -> Vec<String> {
        let script = format!("set -- {line}\nfor word do printf '%s\\0' \"$word\"; done");
        let output = Command::new("sh").args(["-c", &script]).output().expect("sh starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("sh passes UTF-8 on");
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    #[test]
    fn quotes_only_what_needs_it() {
        check_quote("tests/test_a.py::test_b", "tests/test_a.py::test_b");
        check_quote("--name=value", "--name=value");
        check_quote("", "''");
        check_quote("a b", "'a b'");
        check_quote("it's", r"'it'\''s'");
        check_quote("$HOME", "'$HOME'");
        check_quote("`id`", "'`id`'");
        check_quote("{a,b}", "'{a,b}'");
        check_quote("~", "'~'");
        check_quote("#", "'#'");
        check_quote("NAME=value", "'NAME=value'");
        check_quote("if", "'if'");
        check_quote("a\nb", "'a\nb'");
        check_quote("é", "'é'");
    }

    #[test]
    fn joins_words() {
        assert_eq!(join(["echo", "a b", ""]), "echo 'a b' ''");
        assert_eq!(join(Vec::<String>::new()), "");
    }

    #[test]
    fn splits_like_a_shell_that_expands_nothing() {
        check_split("", &[]);
        check_split(" \t\n ", &[]);
        check_split("uv run  python", &["uv", "run", "python"]);
        check_split(r#"a'b c'"d e"f"#, &["ab cd ef"]);
        check_split("'' \"\"", &["", ""]);
        check_split(r"a\ b \'", &["a b", "'"]);
        check_split("a\\\nb", &["ab"]);
        check_split(r#""\$HOME \n \" \\""#, &[r#"$HOME \n " \"#]);
        check_split(r"'\n'", &[r"\n"]);
        check_split("$HOME *.rs # | ;", &["$HOME", "*.rs", "#", "|", ";"]);
    }

    #[test]
    fn tells_what_is_left_open() {
        check_split_fails("a 'b", SplitError::UnclosedQuote { quote: '\'', at: 2 });
        check_split_fails("\"b\\", SplitError::UnclosedQuote { quote: '"', at: 0 });
        check_split_fails("a\\", SplitError::TrailingBackslash);
    }

    proptest! {
        #[test]
        fn what_was_joined_splits_into_the_same_words(words in prop::collection::vec(any::<String>(), 0..6)) {
            prop_assert_eq!(split(&join(&words)), Ok(words));
        }

        #[test]
        fn splitting_never_panics(line in "[a '\"\\\\\n$é]{0,24}") {
            let _ = split(&line);
        }
    }

    proptest! {
        // Each case starts a shell.
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_shell_reads_back_what_was_quoted(
            words in prop::collection::vec("[^\0]{0,12}|[-a$`'\"\\\\!*?~{}()\\[\\]#&;|<>=\n\t ]{0,12}", 1..5)
        ) {
            prop_assert_eq!(words_of_sh(&join(&words)), words);
        }
    }
}
