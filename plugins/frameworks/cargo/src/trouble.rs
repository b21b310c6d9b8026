//! Why cargo or nextest itself failed.

use offload_plugin::types::{Captured, Exit, Failure};

/// nextest passes on what cargo exits with when it cannot build.
const BUILD_FAILED: i32 = 101;

/// A set-up script of nextest's configuration failed, so that no test was run.
pub const SET_UP_FAILED: i32 = 105;

const COMMAND_NOT_FOUND: i32 = 127;

/// What to tell of a command that ended without having run a test. `code` is for what is neither a failed build nor a
/// missing program.
pub fn explain(output: &Captured, code: &str) -> Failure {
    let stderr = String::from_utf8_lossy(&output.stderr);
    if stderr.contains("no such command: `nextest`") {
        return Failure::new("nextest-missing", "cargo-nextest is not installed where the command ran")
            .with_help("cargo install cargo-nextest --locked");
    }
    let said = output.report();
    match output.exit {
        Exit::Code(COMMAND_NOT_FOUND) => Failure::new("cargo-missing", format!("cargo was not found{said}"))
            .with_help("install Rust with rustup, or put cargo into the PATH of the place where the command runs"),
        Exit::Code(BUILD_FAILED) => Failure::new("build-failed", format!("the tests could not be built{said}"))
            .with_help("run `cargo nextest list` in the group's working directory"),
        Exit::Code(SET_UP_FAILED) => {
            let script = failed_script(&stderr)
                .map_or("a set-up script".to_owned(), |name| format!("the set-up script `{name}`"));
            let how = how_script_failed(&stderr).unwrap_or("failed");
            // What it said has lines of its own, so that the first can stand alone.
            let said = said.strip_prefix(':').unwrap_or(&said);
            Failure::new("set-up-failed", format!("{script} of nextest's configuration {how}{said}"))
                .with_help("correct the script, or what it is configured to do in .config/nextest.toml")
        }
        Exit::Code(exit) => Failure::new(code, format!("cargo nextest exited with code {exit}{said}")),
        Exit::Signal(signal) => Failure::new(code, format!("cargo nextest was killed by signal {signal}{said}")),
    }
}

/// What nextest says of it: `    (script failed with exit code 3)`.
fn how_script_failed(stderr: &str) -> Option<&str> {
    stderr.lines().rev().find_map(|line| line.trim().strip_prefix("(script ")?.strip_suffix(')'))
}

/// The name of the set-up script that nextest says has failed: `  SETUP FAIL [   0.101s] (1/2) db: sh set-up.sh`.
fn failed_script(stderr: &str) -> Option<&str> {
    const FINE: [&str; 4] = ["PASS", "LEAK", "SLOW", ""];
    let failed = stderr.lines().rev().filter_map(|line| line.trim_start().strip_prefix("SETUP ")?.split_once('['));
    let failed = failed.filter(|(status, _)| !FINE.contains(&status.trim()));
    let (_, rest) = failed.filter_map(|(_, rest)| rest.split_once("] ")).next()?;
    let rest = rest.strip_prefix('(').and_then(|rest| rest.split_once(") ")).map_or(rest, |(_, rest)| rest);
    rest.split_once(": ").map(|(name, _)| name.trim())
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
        check(
            Exit::Code(101),
            "error: no such command: `nextest`\n\nhelp: …",
            "nextest-missing",
            "cargo-nextest is not installed where the command ran",
        );
        check(Exit::Code(127), "", "cargo-missing", "cargo was not found and said nothing");
        check(Exit::Code(101), "error[E0308]\n", "build-failed", "the tests could not be built:\nerror[E0308]");
        check(
            Exit::Code(105),
            "SETUP [ 1/2] db: sh\nSETUP PASS [ 0.1s] first: sh\nSETUP FAIL [ 0.1s] (1/1) db: sh\n  (script timed out)",
            "set-up-failed",
            "the set-up script `db` of nextest's configuration timed out\nSETUP [ 1/2] db: sh\nSETUP PASS [ 0.1s] first: sh\n\
             SETUP FAIL [ 0.1s] (1/1) db: sh\n  (script timed out)",
        );
        check(Exit::Code(102), "no manifest", "other", "cargo nextest exited with code 102:\nno manifest");
        check(Exit::Signal(6), "", "other", "cargo nextest was killed by signal 6 and said nothing");
    }
}
