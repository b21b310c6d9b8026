//! A test whose command's exit code says how it went.

use offload_plugin::excerpt;
use offload_plugin::framework::FinishedRun;
use offload_plugin::types::{Exit, Outcome, Test};

/// What is kept of a test's output.
const OUTPUT_LIMIT: usize = 64 << 10;

/// A shell says by 128 + n that signal n killed a command. There is no signal above 64, and programs that exit with -1 show
/// as 255.
const KILLED: std::ops::RangeInclusive<i32> = 129..=192;

/// The outcome of a test that had the command for itself. `record` is the file in which the script of `running` noted when
/// the test began and ended.
pub fn outcome(test: &Test, run: &FinishedRun, record: &str) -> Outcome {
    let contents = run.contents(record);
    let mut outcome = match run.output.exit {
        Exit::Code(0) => Outcome::new(&test.id, "passed"),
        Exit::Code(126) => {
            Outcome::new(&test.id, "error").with_message("exit code 126: the command cannot be executed")
        }
        Exit::Code(127) => Outcome::new(&test.id, "error").with_message("exit code 127: the command was not found"),
        // That its process died is for the host to say: it knows whether anybody killed it on purpose.
        Exit::Code(code) if KILLED.contains(&code) => Outcome::new(&test.id, "running"),
        Exit::Signal(_) => Outcome::new(&test.id, "running"),
        Exit::Code(code) => Outcome::new(&test.id, "failed").with_message(format!("exit code {code}")),
    };
    outcome.duration = seconds(&String::from_utf8_lossy(contents.unwrap_or_default()));
    outcome.stdout = text(&run.output.stdout);
    outcome.stderr = text(&run.output.stderr);
    outcome
}

/// The time between the two that the record has, a line each; 0 where it cannot be told.
fn seconds(record: &str) -> f64 {
    let mut times = record.lines().map_while(clock);
    match (times.next(), times.next()) {
        // The clock may have been set in between.
        (Some(began), Some(ended)) => (ended - began).max(0.0),
        _ => 0.0,
    }
}

/// Seconds of `date +%s.%N`, also where `%N` is unknown to it and stays a letter.
fn clock(time: &str) -> Option<f64> {
    time.parse().ok().or_else(|| time.split_once('.')?.0.parse().ok())
}

fn text(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    (!text.is_empty()).then(|| excerpt::head_and_tail(&text, OUTPUT_LIMIT).into_owned())
}

#[cfg(test)]
mod tests {
    use offload_plugin::types::Captured;

    use super::*;
    use offload_plugin::framework::ResultFile;

    #[track_caller]
    fn check(exit: Exit, expected_status: &str, expected_message: Option<&str>) {
        let run = FinishedRun {
            output: Captured { exit, stdout: b"said".to_vec(), stderr: Vec::new() },
            files: vec![ResultFile { path: "times".to_owned(), contents: Some(b"1.5\n2.0\n".to_vec()) }],
        };
        let outcome = outcome(&Test::new("a"), &run, "times");
        assert_eq!((outcome.status.as_str(), outcome.message.as_deref()), (expected_status, expected_message));
        assert_eq!(outcome.duration, 0.5);
        assert_eq!((outcome.stdout.as_deref(), outcome.stderr), (Some("said"), None));
    }

    #[test]
    fn tells_codes_apart() {
        check(Exit::Code(0), "passed", None);
        check(Exit::Code(1), "failed", Some("exit code 1"));
        check(Exit::Code(255), "failed", Some("exit code 255"));
        check(Exit::Code(126), "error", Some("exit code 126: the command cannot be executed"));
        check(Exit::Code(127), "error", Some("exit code 127: the command was not found"));
        check(Exit::Code(139), "running", None);
        check(Exit::Signal(9), "running", None);
    }

    #[test]
    fn bears_odd_clocks() {
        assert_eq!(seconds("5.N\n7.N\n"), 2.0);
        assert_eq!(seconds("9.0\n8.0\n"), 0.0);
        assert_eq!(seconds("9.0\n"), 0.0);
        assert_eq!(seconds(""), 0.0);
    }
}
