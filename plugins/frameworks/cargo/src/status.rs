//! What nextest writes on standard error while tests run: for each attempt a line that says how it ended, and the output
//! of one that failed. Its events on standard output name neither signals nor leaks, and nothing of attempts that were
//! repeated.
//!
//! A test can print lines that look like these. They only explain a result: which result it is, the events say.

use std::collections::HashMap;

use offload_plugin::excerpt;

use crate::lines::{Line, Lines};

/// What is kept of what one attempt printed.
const TEXT_LIMIT: usize = 64 << 10;

/// Lines about tests that are still running, about what precedes them, and about tests that are listed once more in the end.
const NO_ENDING: [&str; 8] = ["SLOW", "TERMINATING", "TRMNTG", "DELAY", "START", "SETUP", "FLAKY", "FLKY-FL"];

/// How one attempt ended.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Attempt {
    /// Counts from 1.
    pub number: u32,
    /// As nextest says it: "FAIL", "SIGABRT", "LEAK-FAIL".
    pub word: String,
    pub seconds: f64,
    /// What it printed, standard output and standard error together, where nextest shows that.
    pub text: String,
    /// The sentence that nextest adds where there was no panic: "test failed with exit code 7".
    pub how: Option<String>,
    /// Whether nothing more belongs to it.
    pub is_whole: bool,
}

impl Attempt {
    /// Why it failed or what is wrong with it, beside what it said itself.
    pub fn reason(&self) -> Option<String> {
        let word = self.word.as_str();
        match word {
            "LEAK-FAIL" | "LKFAIL" => Some(
                "it passed but leaked handles, which fails it (LEAK-FAIL): a process that it left behind kept its output \
                 open for longer than `leak-timeout`"
                    .to_owned(),
            ),
            "TIMEOUT" | "TMT" => Some("nextest ended it: time limit exceeded (`slow-timeout`)".to_owned()),
            "XFAIL" => Some("it could not be executed".to_owned()),
            _ if word.starts_with("SIG") => Some(format!("its process was ended by {word}")),
            _ if word.starts_with("ABORT") => Some(format!("its process was aborted ({word})")),
            _ => self.how.clone(),
        }
    }

    /// What to add to the reason that the test itself gave.
    pub fn addition(&self) -> Option<String> {
        match self.word.as_str() {
            "FAIL + LEAK" | "FL+LK" => Some("leaked handles".to_owned()),
            word if word.starts_with("SIG") || word.starts_with("ABORT") => Some(word.to_owned()),
            _ => None,
        }
    }

    /// Whether it passed although processes that it left behind kept its output open.
    pub fn is_leaky_success(&self) -> bool {
        ["LEAK", "SLOW + LEAK"].contains(&self.word.as_str())
    }
}

/// What was said of the tests of one command, by their ids.
#[derive(Default)]
pub struct Statuses {
    lines: Lines,
    attempts: HashMap<String, Vec<Attempt>>,
    /// The test whose last attempt the lines belong to.
    open: Option<String>,
}

impl Statuses {
    /// Takes in the next bytes. Lines about tests that are not `known` are passed over.
    pub fn push(&mut self, bytes: &[u8], known: impl Fn(&str) -> bool) {
        for line in self.lines.push(bytes) {
            let Line::Whole(line) = line else { continue };
            match header(&line) {
                Some((attempt, id)) => {
                    self.close();
                    if known(id) {
                        self.attempts.entry(id.to_owned()).or_default().push(attempt);
                        self.open = Some(id.to_owned());
                    }
                }
                None => self.add(&line),
            }
        }
    }

    /// The attempt of that number of a test; of several that claim to be it the last.
    pub fn attempt(&self, id: &str, number: u32) -> Option<&Attempt> {
        self.attempts.get(id)?.iter().rfind(|attempt| attempt.number == number)
    }

    /// The tests that passed but leaked, in alphabetical order.
    pub fn leaky(&self) -> Vec<&str> {
        let is_leaky = |attempts: &&Vec<Attempt>| attempts.iter().any(Attempt::is_leaky_success);
        let mut leaky: Vec<_> =
            self.attempts.iter().filter(|(_, attempts)| is_leaky(attempts)).map(|(id, _)| id.as_str()).collect();
        leaky.sort_unstable();
        leaky
    }

    fn add(&mut self, line: &str) {
        let Some(attempt) = self.open.as_ref().and_then(|id| self.attempts.get_mut(id)?.last_mut()) else { return };
        let Some(text) = line.strip_prefix("    ").or_else(|| line.is_empty().then_some("")) else {
            // The heading of what it printed is indented by less.
            if !line.starts_with("  ") {
                self.close();
            }
            return;
        };
        if attempt.text.len() > 2 * TEXT_LIMIT {
            attempt.text = excerpt::head_and_tail(&attempt.text, TEXT_LIMIT).into_owned();
        }
        if text.is_empty() {
            attempt.text.push('\n');
            return;
        }
        // What is followed by more was printed by the test.
        if let Some(printed) = attempt.how.take() {
            attempt.text.push_str(&format!("({printed})\n"));
        }
        match text.strip_prefix('(').and_then(|how| how.strip_suffix(')')).filter(|how| how.starts_with("test ")) {
            Some(how) => attempt.how = Some(how.to_owned()),
            None => {
                attempt.text.push_str(text);
                attempt.text.push('\n');
            }
        }
    }

    fn close(&mut self) {
        let Some(id) = self.open.take() else { return };
        if let Some(attempt) = self.attempts.get_mut(&id).and_then(|attempts| attempts.last_mut()) {
            attempt.is_whole = true;
        }
    }
}

/// What the test itself printed, without what its harness prints around that.
pub fn own_output<'a>(text: &'a str, name: &str) -> &'a str {
    let text = text.split_once("running 1 test\n").map_or(text, |(_, text)| text);
    let end = format!("test {name} ... FAILED\n");
    text.split_once(&end).map_or(text, |(text, _)| text)
}

/// A line that says how an attempt ended: `  TRY 2 FAIL [   0.005s] (1/2) my-crate tests::works`.
fn header(line: &str) -> Option<(Attempt, &str)> {
    let (status, rest) = line.split_once(" [")?;
    let (time, rest) = rest.split_once("] ")?;
    let seconds = time.trim().strip_suffix('s')?.parse().ok()?;
    let rest = rest.trim_start();
    // Before 0.9.98 nothing is counted here.
    let id = rest.strip_prefix('(').and_then(|rest| rest.split_once(") ")).map_or(rest, |(_, id)| id);
    let status = status.trim_start();
    let (number, word) = match status.strip_prefix("TRY ").and_then(|rest| rest.split_once(' ')) {
        Some((number, word)) => (number.parse().ok()?, word),
        None => (1, status),
    };
    let is_ending = !word.is_empty()
        && word.starts_with(|first: char| first.is_ascii_uppercase())
        && !NO_ENDING.iter().any(|other| word.strip_prefix(other).is_some_and(|rest| !rest.starts_with(" +")));
    is_ending.then(|| (Attempt { number, word: word.to_owned(), seconds, ..Attempt::default() }, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<(u32, &str, &str)>) {
        let found = header(line);
        let found = found.as_ref().map(|(attempt, id)| (attempt.number, attempt.word.as_str(), *id));
        assert_eq!(found, expected);
    }

    #[test]
    fn endings_are_read() {
        check("        FAIL [   0.010s] ( 3/12) shop tests::exits", Some((1, "FAIL", "shop tests::exits")));
        check("     SIGSEGV [   0.014s] (10/12) shop::it a (b)", Some((1, "SIGSEGV", "shop::it a (b)")));
        check(" FAIL + LEAK [   0.422s] ( 8/12) p a", Some((1, "FAIL + LEAK", "p a")));
        check(" SLOW + LEAK [  30.000s] ( 8/12) p a", Some((1, "SLOW + LEAK", "p a")));
        check("  TRY 12 FAIL [   0.175s] (─────) p a", Some((12, "FAIL", "p a")));
        check("        PASS [   0.010s] p a", Some((1, "PASS", "p a")));
    }

    #[test]
    fn what_is_no_ending_is_passed_over() {
        for line in [
            "",
            "        SLOW [>  0.500s] (─────) p a",
            " TERMINATING [>  1.000s] (─────) p a",
            "   FLAKY 2/3 [   0.006s] ( 5/12) p a",
            "   DELAY 2/3 [   1.000s] p a",
            "  SETUP PASS [   0.008s] (1/1) db: sh -c true",
            "     Summary of what is [1] here",
            "FAIL p a",
        ] {
            check(line, None);
        }
    }

    fn said(text: &str) -> Statuses {
        let mut statuses = Statuses::default();
        // Cut anywhere.
        let (first, second) = text.as_bytes().split_at(text.len() / 2);
        statuses.push(first, |id| id.starts_with("p "));
        statuses.push(second, |id| id.starts_with("p "));
        statuses
    }

    #[test]
    fn attempts_have_what_was_printed() {
        let statuses = said(
            "  TRY 1 FAIL [   0.175s] (───) p a\n  output ───\n\n    running 1 test\n    one\n\n      two\n    test a ... FAILED\n\n\
             \x20   failures:\n\n  TRY 2 PASS [   0.5s] (1/2) p a\n        PASS [   0.1s] (1/2) q b\n    of q\n",
        );
        let first = statuses.attempt("p a", 1).expect("it is told");
        assert_eq!((first.word.as_str(), first.seconds, first.is_whole), ("FAIL", 0.175, true));
        assert_eq!(own_output(&first.text, "a"), "one\n\n  two\n");
        assert_eq!(statuses.attempt("p a", 2).map(|attempt| attempt.text.as_str()), Some(""));
        assert_eq!(statuses.attempt("q b", 1), None);
    }

    #[test]
    fn reasons_are_those_of_nextest() {
        let statuses = said(
            "        FAIL [   0.010s] (1/4) p exits\n  output ───\n\n    running 1 test\n\n    (test failed with exit code 7)\n\n\
             \x20    SIGABRT [   0.010s] (2/4) p aborts\n   LEAK-FAIL [   0.010s] (3/4) p leaks\n\
             \x20       LEAK [   0.010s] (4/4) p passes\n────────────\n    of nobody\n",
        );
        let reason = |id| statuses.attempt(id, 1).and_then(Attempt::reason).unwrap_or_default();
        assert_eq!(reason("p exits"), "test failed with exit code 7");
        assert_eq!(reason("p aborts"), "its process was ended by SIGABRT");
        assert!(reason("p leaks").contains("leaked handles"), "{}", reason("p leaks"));
        assert_eq!(statuses.leaky(), ["p passes"]);
        assert_eq!(statuses.attempt("p passes", 1).map(|attempt| attempt.text.as_str()), Some(""));
    }
}
