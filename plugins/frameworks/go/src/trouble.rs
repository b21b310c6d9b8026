//! Why go itself failed.

use offload_plugin::types::{Captured, Exit, Failure};

const COMMAND_NOT_FOUND: i32 = 127;

/// What to tell of a command that ended without having found or begun a test. `code` is for what is no missing program.
pub fn explain(output: &Captured, code: &str) -> Failure {
    let said = output.report();
    match output.exit {
        Exit::Code(COMMAND_NOT_FOUND) => Failure::new("go-missing", format!("go was not found{said}"))
            .with_help("install Go, or say with `go` in the group which command it is where the tests run"),
        Exit::Code(exit) => Failure::new(code, format!("go test exited with code {exit}{said}"))
            .with_help("run `go test` in the group's working directory"),
        Exit::Signal(signal) => Failure::new(code, format!("go test was killed by signal {signal}{said}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(exit: Exit, stderr: &str, expected_code: &str, expected_message: &str) {
        let output = Captured { exit, stdout: Vec::new(), stderr: stderr.as_bytes().to_vec() };
        let failure = explain(&output, "other");
        assert_eq!((failure.code.as_str(), failure.message.as_str()), (expected_code, expected_message));
    }

    #[test]
    fn knows_common_trouble() {
        check(Exit::Code(127), "sh: go: not found\n", "go-missing", "go was not found:\nsh: go: not found");
        check(
            Exit::Code(1),
            "go: go.mod file not found",
            "other",
            "go test exited with code 1:\ngo: go.mod file not found",
        );
        check(Exit::Signal(6), "", "other", "go test was killed by signal 6 and said nothing");
    }
}
