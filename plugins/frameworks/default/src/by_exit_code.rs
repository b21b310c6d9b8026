//! Tests whose command's exit code says how they went.

use std::collections::HashMap;

use offload_plugin::excerpt;
use offload_plugin::types::{Outcome, Test};

use crate::bindings::exports::offload::plugin::framework::FinishedRun;

/// What is kept of a test's output.
const OUTPUT_LIMIT: usize = 64 << 10;

/// A shell says by 128 + n that signal n killed a command. There is no signal above 64, and programs that exit with -1 show
/// as 255.
const KILLED: std::ops::RangeInclusive<i32> = 129..=192;

/// The outcomes that the record of a batch tells of: see the script in `running` for its form. Tests that had not begun
/// have none.
pub fn outcomes(tests: &[Test], run: &FinishedRun, record: &str) -> Vec<Outcome> {
    let contents = run.files.iter().find(|file| file.path == record).and_then(|file| file.contents.as_deref());
    let record = String::from_utf8_lossy(contents.unwrap_or_default());
    let mut courses: HashMap<usize, Course> = HashMap::new();
    // A line that is not ended was cut off in the middle.
    for line in record.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        note(line, &mut courses);
    }
    let mut outcomes: Vec<_> = tests
        .iter()
        .enumerate()
        .filter_map(|(index, test)| courses.get(&index).map(|course| course.outcome(&test.id)))
        .collect();
    if let ([_], [outcome]) = (tests, outcomes.as_mut_slice()) {
        // Nobody else can have written this.
        outcome.stdout = output(&run.output.stdout);
        outcome.stderr = output(&run.output.stderr);
    }
    outcomes
}

/// What the record tells of one test.
#[derive(Default)]
struct Course {
    began_at: Option<f64>,
    ended: Option<(f64, i32)>,
}

impl Course {
    fn outcome(&self, id: &str) -> Outcome {
        let Some((ended_at, code)) = self.ended else {
            return Outcome::new(id, "running");
        };
        let mut outcome = match code {
            0 => Outcome::new(id, "passed"),
            126 => Outcome::new(id, "error").with_message("exit code 126: the command cannot be executed"),
            127 => Outcome::new(id, "error").with_message("exit code 127: the command was not found"),
            // That its process died is for the host to say: it knows whether anybody killed it on purpose.
            code if KILLED.contains(&code) => {
                Outcome::new(id, "running").with_message(format!("killed by signal {}", code - 128))
            }
            code => Outcome::new(id, "failed").with_message(format!("exit code {code}")),
        };
        // The clock may have been set in between.
        outcome.duration = self.began_at.map_or(0.0, |began_at| (ended_at - began_at).max(0.0));
        outcome
    }
}

fn note(line: &str, courses: &mut HashMap<usize, Course>) {
    let words: Vec<_> = line.split(' ').collect();
    match *words.as_slice() {
        ["begin", index, time] => {
            if let Ok(index) = index.parse() {
                courses.entry(index).or_default().began_at = clock(time);
            }
        }
        ["end", index, time, code] => {
            if let (Ok(index), Ok(code)) = (index.parse(), code.parse()) {
                let course: &mut Course = courses.entry(index).or_default();
                // Without a time that can be read, no time has passed.
                let ended_at = clock(time).or(course.began_at).unwrap_or_default();
                course.ended = Some((ended_at, code));
            }
        }
        _ => {}
    }
}

/// Seconds of `date +%s.%N`, also where `%N` is unknown to it and stays a letter.
fn clock(time: &str) -> Option<f64> {
    time.parse().ok().or_else(|| time.split_once('.')?.0.parse().ok())
}

fn output(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    (!text.is_empty()).then(|| excerpt::head_and_tail(&text, OUTPUT_LIMIT).into_owned())
}

#[cfg(test)]
mod tests {
    use offload_plugin::types::{Captured, Exit};

    use super::*;
    use crate::bindings::exports::offload::plugin::framework::ResultFile;

    fn judged(ids: &[&str], record: Option<&str>) -> Vec<Outcome> {
        let tests: Vec<_> = ids.iter().map(|id| Test::new(*id)).collect();
        let run = FinishedRun {
            output: Captured { exit: Exit::Code(0), stdout: b"said".to_vec(), stderr: Vec::new() },
            files: vec![ResultFile {
                path: "exits".to_owned(),
                contents: record.map(|record| record.as_bytes().to_vec()),
            }],
        };
        outcomes(&tests, &run, "exits")
    }

    #[track_caller]
    fn check(record: &str, expected: &[(&str, &str, f64, &str)]) {
        let outcomes = judged(&["a", "b", "c"], Some(record));
        let seen: Vec<_> = outcomes
            .iter()
            .map(|outcome| {
                let message = outcome.message.as_deref().unwrap_or_default();
                (outcome.id.as_str(), outcome.status.as_str(), outcome.duration, message)
            })
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn tells_codes_apart() {
        check(
            "begin 0 1.5\nend 0 2.0 0\nbegin 1 2.0\nend 1 3.0 1\nbegin 2 3.0\nend 2 3.0 127\n",
            &[
                ("a", "passed", 0.5, ""),
                ("b", "failed", 1.0, "exit code 1"),
                ("c", "error", 0.0, "exit code 127: the command was not found"),
            ],
        );
        check("begin 1 1.0\nend 1 1.0 139\n", &[("b", "running", 0.0, "killed by signal 11")]);
        check("begin 1 1.0\nend 1 1.0 255\n", &[("b", "failed", 0.0, "exit code 255")]);
    }

    #[test]
    fn keeps_what_was_done_before_the_end() {
        check("begin 0 1.0\nend 0 2.0 0\nbegin 1 2.0\n", &[("a", "passed", 1.0, ""), ("b", "running", 0.0, "")]);
        check("begin 0 1.0\nend 0 2.0 1", &[("a", "running", 0.0, "")]);
        check("", &[]);
    }

    #[test]
    fn bears_odd_clocks() {
        check(
            "begin 0 5.N\nend 0 7.N 0\nbegin 1 9.0\nend 1 8.0 0\n",
            &[("a", "passed", 2.0, ""), ("b", "passed", 0.0, "")],
        );
    }

    #[test]
    fn output_belongs_to_a_test_that_ran_alone() {
        let record = "begin 0 1.0\nend 0 1.0 1\n";
        assert_eq!(judged(&["a"], Some(record))[0].stdout.as_deref(), Some("said"));
        assert_eq!(judged(&["a", "b"], Some(record))[0].stdout, None);
        assert!(judged(&["a"], None).is_empty());
    }
}
