//! What the discover command is, and the tests that it printed.

use std::collections::HashSet;

use offload_plugin::excerpt;
use offload_plugin::framework::{FinishedRun, RunPlan};
use offload_plugin::types::{Command, Context, Exit, Failure, Found, Test};

use crate::place;
use crate::settings::Settings;

/// What is kept of a failed command's last words, on each of its streams.
const LAST_WORDS: usize = 4096;

/// The list goes through a file, since only so much of standard output is kept. The command is an argument, so that
/// nothing in it can end this script early.
const SCRIPT: &str = r#"exec sh -c "$1" >"$2""#;

/// The tests that are absolute paths are told relative to the directory, which therefore has to be known.
pub fn plan(settings: &Settings, context: &Context) -> RunPlan {
    let [ids, place] = ["ids", "place"].map(|name| format!("{}{name}", context.scratch));
    let script = format!("{} >\"$3\"; {SCRIPT}", place::PRINT_PLACE);
    let command = Command::script(&script, [settings.discover_command.as_str(), &ids, &place]);
    RunPlan { result_files: vec![ids, place], ..RunPlan::new(command) }
}

/// The tests in the command's output; with `paths`, those that are one of them or lie in it.
///
/// # Errors
/// A command that failed, or output that is no list of ids.
pub fn read(run: &FinishedRun, paths: &[String]) -> Result<Found, Failure> {
    let printed = run.files.first().and_then(|file| file.contents.as_deref());
    let ended = match run.output.exit {
        Exit::Code(0) => None,
        Exit::Code(code) => Some(format!("exited with code {code}")),
        Exit::Signal(signal) => Some(format!("was killed by signal {signal}")),
    };
    if let Some(ended) = ended {
        return Err(failed(&ended, &run.output.stderr, printed.unwrap_or_default()));
    }
    let printed = printed
        .ok_or_else(|| Failure::new("discovery-failed", "the file with the output of `discover_command` is gone"))?;
    let place = run.files.get(1).and_then(|file| file.contents.as_deref()).unwrap_or_default();
    let mut seen = HashSet::new();
    let tests = ids(printed)?
        .into_iter()
        .map(|id| test(id, place))
        .filter(|test| is_selected(&test.id, paths))
        .filter(|test| seen.insert(test.id.clone()))
        .collect();
    Ok(Found::new(tests))
}

/// What is to be said where no test was printed and there are words that may tell why.
pub fn why_nothing(found: &Found, run: &FinishedRun) -> Option<String> {
    let said = excerpt::last_lines(&run.output.stderr, LAST_WORDS);
    (found.tests.is_empty() && !said.is_empty()).then(|| format!("`discover_command` gave no test, and said:\n{said}"))
}

/// The test of an id that was printed in the directory `place`.
fn test(id: String, place: &[u8]) -> Test {
    match place::below(&id, place) {
        Some(path) => Test { tags: vec![place::TAG.to_owned()], ..Test::new(path) },
        None => Test::new(id),
    }
}

fn failed(ended: &str, stderr: &[u8], printed: &[u8]) -> Failure {
    let said = excerpt::last_words(printed, stderr, LAST_WORDS);
    let message = if said.is_empty() {
        format!("`discover_command` {ended} and said nothing")
    } else {
        format!("`discover_command` {ended}:\n{said}")
    };
    Failure::new("discovery-failed", message)
        .with_help("run the command in the group's working directory and see to it that it exits with 0")
}

fn ids(printed: &[u8]) -> Result<Vec<String>, Failure> {
    let printed = printed.strip_prefix(b"\xef\xbb\xbf").unwrap_or(printed);
    if let Some(bad_line) = printed.split(|byte| *byte == b'\n').position(|line| std::str::from_utf8(line).is_err()) {
        return Err(bad_list(format!("line {} is not UTF-8", bad_line + 1)));
    }
    // Just seen to be UTF-8, line by line.
    let text = String::from_utf8_lossy(printed);
    if begins_like_json(&text) { ids_of_json(&text) } else { ids_of_lines(&text) }
}

/// An id may begin with a bracket as well, but hardly with a bracket and a double quote.
fn begins_like_json(text: &str) -> bool {
    text.trim_start()
        .strip_prefix('[')
        .map(str::trim_start)
        .is_some_and(|inside| inside.starts_with('"') || inside.trim_end() == "]")
}

fn ids_of_json(text: &str) -> Result<Vec<String>, Failure> {
    let ids: Vec<String> = serde_json::from_str(text)
        .map_err(|error| bad_list(format!("it begins like a JSON array of strings and is none: {error}")))?;
    for (number, id) in (1..).zip(&ids) {
        if id.is_empty() || id.contains('\0') {
            return Err(bad_list(format!("string {number} of the JSON array is empty or has a NUL character")));
        }
    }
    Ok(ids)
}

fn ids_of_lines(text: &str) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::new();
    for (number, line) in (1..).zip(text.split('\n')) {
        let id = line.strip_suffix('\r').unwrap_or(line);
        if id.contains('\0') {
            return Err(bad_list(format!("line {number} has a NUL character")));
        }
        if !id.trim().is_empty() {
            ids.push(id.to_owned());
        }
    }
    Ok(ids)
}

fn bad_list(reason: String) -> Failure {
    Failure::new("discovery-failed", format!("the output of `discover_command` is no list of tests: {reason}"))
        .with_help("print one id a line, or a JSON array of strings")
}

fn is_selected(id: &str, paths: &[String]) -> bool {
    let id = id.strip_prefix("./").unwrap_or(id);
    paths.is_empty()
        || paths.iter().any(|path| {
            let path = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/');
            path.is_empty()
                || path == "."
                || id
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with("::"))
        })
}

#[cfg(test)]
mod tests {
    use offload_plugin::types::Captured;

    use super::*;
    use offload_plugin::framework::ResultFile;

    fn run(exit: Exit, stderr: &str, printed: &[u8]) -> FinishedRun {
        FinishedRun {
            output: Captured { exit, stdout: Vec::new(), stderr: stderr.as_bytes().to_vec() },
            files: [("ids", printed), ("place", b"/home/me/shop\0/shop\0")]
                .map(|(path, contents)| ResultFile { path: path.to_owned(), contents: Some(contents.to_vec()) })
                .to_vec(),
        }
    }

    #[track_caller]
    fn check(printed: &str, paths: &[&str], expected: &[&str]) {
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        let found = read(&run(Exit::Code(0), "a warning", printed.as_bytes()), &paths).expect("discovery works");
        assert_eq!(found.tests.iter().map(|test| test.id.as_str()).collect::<Vec<_>>(), expected);
    }

    #[track_caller]
    fn check_fails(run: &FinishedRun, expected: &str) {
        let failure = read(run, &[]).expect_err("discovery fails");
        assert_eq!(failure.code, "discovery-failed");
        assert_eq!(failure.message, expected);
    }

    #[test]
    fn reads_lines_as_they_are() {
        check("a\n b \r\n\n \t\nc", &[], &["a", " b ", "c"]);
        check("a\nb\na\n", &[], &["a", "b"]);
        check("", &[], &[]);
        check("[slow] test\n[1]\n", &[], &["[slow] test", "[1]"]);
    }

    #[test]
    fn reads_a_json_array() {
        check(r#"["a", "b\nc", "\u00e9"]"#, &[], &["a", "b\nc", "é"]);
        check(" [\n  \"a\"\n]\n", &[], &["a"]);
        check("[]\n", &[], &[]);
    }

    #[test]
    fn absolute_paths_become_relative() {
        let printed = r#"["/home/me/shop/a.js", "/shop/b c.js", "/elsewhere/d.js", "e.js", "/home/me/shop/e.js"]"#;
        check(printed, &[], &["a.js", "b c.js", "/elsewhere/d.js", "e.js"]);
        check(printed, &["a.js"], &["a.js"]);
        let found = read(&run(Exit::Code(0), "", printed.as_bytes()), &[]).expect("discovery works");
        let marked: Vec<_> = found.tests.iter().map(place::is_path).collect();
        assert_eq!(marked, [true, true, false, false]);
    }

    #[test]
    fn keeps_what_lies_in_the_paths() {
        check("src/a.js\nsrc/ab.js\nlib/a.js\n./src/c.js", &["src"], &["src/a.js", "src/ab.js", "./src/c.js"]);
        check("src/a.js\nsrc/a.jsx\nsrc/a.js::x", &["./src/a.js"], &["src/a.js", "src/a.js::x"]);
        check("a\nb", &["."], &["a", "b"]);
        check("a\nb", &["c/"], &[]);
    }

    #[test]
    fn says_why_there_may_be_no_test() {
        let said = |stderr: &str, printed: &[u8]| {
            let run = run(Exit::Code(0), stderr, printed);
            why_nothing(&read(&run, &[]).expect("discovery works"), &run)
        };
        assert_eq!(said("no match\n", b"\n").as_deref(), Some("`discover_command` gave no test, and said:\nno match"));
        assert_eq!(said("a warning", b"a"), None);
        assert_eq!(said("", b""), None);
    }

    #[test]
    fn says_why_there_is_no_list() {
        check_fails(
            &run(Exit::Code(127), "sh: jest: not found\n", b""),
            "`discover_command` exited with code 127:\nsh: jest: not found",
        );
        check_fails(
            &run(Exit::Code(1), "", b"No tests found"),
            "`discover_command` exited with code 1:\nNo tests found",
        );
        check_fails(
            &run(Exit::Code(1), "a warning", b"No tests found"),
            "`discover_command` exited with code 1:\nstandard error:\na warning\nstandard output:\nNo tests found",
        );
        check_fails(&run(Exit::Signal(9), "", b""), "`discover_command` was killed by signal 9 and said nothing");
        check_fails(
            &run(Exit::Code(0), "", b"a\nb\xff\n"),
            "the output of `discover_command` is no list of tests: line 2 is not UTF-8",
        );
        check_fails(
            &run(Exit::Code(0), "", b"a\nb\0\n"),
            "the output of `discover_command` is no list of tests: line 2 has a NUL character",
        );
        check_fails(
            &run(Exit::Code(0), "", b"[\"a\", 1]"),
            "the output of `discover_command` is no list of tests: it begins like a JSON array of strings and is none: \
             invalid type: integer `1`, expected a string at line 1 column 7",
        );
        check_fails(
            &run(Exit::Code(0), "", br#"["a", ""]"#),
            "the output of `discover_command` is no list of tests: string 2 of the JSON array is empty or has a NUL \
             character",
        );
    }
}
