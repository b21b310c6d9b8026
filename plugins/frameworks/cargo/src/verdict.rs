//! One line of what nextest reports while tests run.
//!
//! It writes JSON but for the name of the test, which it does not escape: `"name":"p::it$say "hi""`. So the name is cut out
//! by what stands around it, and only the rest is read as JSON.

use serde::Deserialize;

use crate::lines::Line;

/// What a line says of one test.
#[derive(Debug, PartialEq)]
pub struct Report {
    /// As nextest's events have it: `package::target$name`.
    pub name: String,
    pub said: Said,
}

#[derive(Debug, PartialEq)]
pub enum Said {
    Started,
    Ended {
        passed: bool,
        seconds: f64,
        /// What a failed test printed, standard output and standard error together.
        output: String,
        /// Why nextest ended it.
        reason: Option<String>,
    },
}

const BEFORE_EVENT: &str = r#"{"type":"test","event":""#;
const BEFORE_NAME: &str = r#"","name":""#;
const AFTER_NAME: &str = r#"","exec_time":"#;

/// The longest thing in a JSON string that must not be cut in the middle: two `\uXXXX` that make one character.
const LONGEST_ESCAPE: usize = 12;

/// Absent for lines that report on suites, on ignored tests, and for those that nextest did not write.
pub fn read(line: &Line) -> Option<Report> {
    let (head, tail) = match line {
        Line::Whole(line) => (line.as_str(), None),
        Line::Ends { head, tail, dropped } => (head.as_str(), Some((tail.as_str(), *dropped))),
    };
    // A set-up script's output may stand before it, if that has no line of its own.
    let (_, event) = head.split_once(BEFORE_EVENT)?;
    let (event, rest) = event.split_once(BEFORE_NAME)?;
    let passed = match event {
        "started" => {
            return Some(Report { name: rest.strip_suffix(r#""}"#)?.to_owned(), said: Said::Started });
        }
        "ok" => true,
        "failed" => false,
        _ => return None,
    };
    let (name, rest) = rest.split_once(AFTER_NAME)?;
    let rest = format!(r#"{{"exec_time":{rest}"#);
    let ending = match tail {
        None => serde_json::from_str(&rest).unwrap_or_default(),
        Some((tail, dropped)) => mend(&rest, tail, dropped),
    };
    let Ending { exec_time, stdout, reason } = ending;
    Some(Report { name: name.to_owned(), said: Said::Ended { passed, seconds: exec_time, output: stdout, reason } })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Ending {
    exec_time: f64,
    stdout: String,
    reason: Option<String>,
}

/// Reads an object whose long string has lost its middle.
fn mend(head: &str, tail: &str, dropped: usize) -> Ending {
    let mut ending: Ending = (0..=LONGEST_ESCAPE)
        .filter_map(|cut| head.get(..head.len().checked_sub(cut)?))
        .find_map(|head| serde_json::from_str(&format!("{head}\"}}")).ok())
        .unwrap_or_default();
    let last: Ending = (0..=LONGEST_ESCAPE)
        .filter_map(|cut| tail.get(cut..))
        .find_map(|tail| serde_json::from_str(&format!("{{\"stdout\":\"{tail}")).ok())
        .unwrap_or_default();
    ending.stdout = format!("{}\n[… {dropped} bytes left out …]\n{}", ending.stdout, last.stdout);
    ending.reason = ending.reason.or(last.reason);
    ending
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(passed: bool, seconds: f64, output: &str) -> Said {
        Said::Ended { passed, seconds, output: output.to_owned(), reason: None }
    }

    #[track_caller]
    fn check(line: &str, expected: Option<(&str, Said)>) {
        let expected = expected.map(|(name, said)| Report { name: name.to_owned(), said });
        assert_eq!(read(&Line::Whole(line.to_owned())), expected);
    }

    #[test]
    fn reads_what_begins_and_ends() {
        check(r#"{"type":"test","event":"started","name":"p::it$a"}"#, Some(("p::it$a", Said::Started)));
        check(r#"set up{"type":"test","event":"started","name":"p::it$a"}"#, Some(("p::it$a", Said::Started)));
        check(
            r#"{"type":"test","event":"ok","name":"p::it$a","exec_time":0.25}"#,
            Some(("p::it$a", ended(true, 0.25, ""))),
        );
        check(
            r#"{"type":"test","event":"failed","name":"p::it$a","exec_time":1,"stdout":"\"name\":\"x\"\n\u001b[31m"}"#,
            Some(("p::it$a", ended(false, 1.0, "\"name\":\"x\"\n\u{1b}[31m"))),
        );
        check(
            r#"{"type":"test","event":"failed","name":"p::it$a","exec_time":1.5,"reason":"time limit exceeded"}"#,
            Some((
                "p::it$a",
                Said::Ended {
                    passed: false,
                    seconds: 1.5,
                    output: String::new(),
                    reason: Some("time limit exceeded".to_owned()),
                },
            )),
        );
    }

    #[test]
    fn bears_names_that_are_not_escaped() {
        check(r#"{"type":"test","event":"started","name":"p::it$a "b"\s"}"#, Some((r#"p::it$a "b"\s"#, Said::Started)));
        check(
            r#"{"type":"test","event":"ok","name":"p::it$a "b"\s","exec_time":0.5}"#,
            Some((r#"p::it$a "b"\s"#, ended(true, 0.5, ""))),
        );
    }

    #[test]
    fn passes_over_all_else() {
        check("", None);
        check("warning: something", None);
        check(r#"{"type":"suite","event":"ok","passed":2,"exec_time":0.1}"#, None);
        check(r#"{"type":"test","event":"ignored","name":"p::it$a"}"#, None);
        check(r#"{"type":"test","event":"started","name":"p::it$a"#, None);
    }

    #[test]
    fn mends_a_line_that_lost_its_middle() {
        let whole = format!(
            r#"{{"type":"test","event":"failed","name":"p::it$a","exec_time":2.0,"stdout":"{}"}}"#,
            r"\ud83d\ude00\n".repeat(20)
        );
        // Wherever the cuts are, also in the middle of an escape.
        for shift in 0..14 {
            let (head, tail) = (&whole[..100 + shift], &whole[whole.len() - 100 - shift..]);
            let line = Line::Ends { head: head.to_owned(), tail: tail.to_owned(), dropped: 7 };
            let Some(Report { name, said: Said::Ended { seconds, output, .. } }) = read(&line) else {
                panic!("{head} … {tail}")
            };
            assert_eq!((name.as_str(), seconds), ("p::it$a", 2.0));
            let (first, last) = output.split_once("\n[… 7 bytes left out …]\n").expect("the gap is shown");
            assert!(first.starts_with('😀'), "{first}");
            assert!(last.ends_with("😀\n"), "{last}");
        }
    }
}
