//! Failures for when vitest did not get as far as its tests.

use offload_plugin::types::{Captured, Exit, Failure};

use crate::settings::Settings;

/// npx, where the package is missing, and shells, where the program is.
const COMMAND_NOT_FOUND: i32 = 127;

/// A failure that quotes the end of what vitest said.
pub fn failure(code: &str, what: &str, output: &Captured, settings: &Settings) -> Failure {
    let said = output.complaint();
    let is_missing =
        said.contains("npx canceled due to missing packages") || said.contains("could not determine executable");
    if is_missing || output.exit == Exit::Code(COMMAND_NOT_FOUND) {
        let message = format!("`{}` was not found where the command ran: {said}", settings.command);
        return Failure::new("vitest-missing", message)
            .with_help("install the packages of the project, or set `command` of the group to what runs vitest");
    }
    Failure::new(code, format!("{what}: {said}")).with_help(format!("see what `{}` says", settings.by_hand()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(exit: i32, stderr: &str, code: &str, message: &str) {
        let settings = offload_plugin::settings::parse("{}").expect("settings");
        let output = Captured { exit: Exit::Code(exit), stdout: Vec::new(), stderr: stderr.into() };
        let failure = failure("other", "no tests", &output, &settings);
        assert_eq!((failure.code.as_str(), failure.message.as_str()), (code, message));
    }

    #[test]
    fn knows_common_trouble() {
        let missing = "npm error npx canceled due to missing packages and no YES option: [\"vitest@5\"]";
        check(
            1,
            missing,
            "vitest-missing",
            &format!("`npx --no-install vitest` was not found where the command ran: {missing}"),
        );
        check(
            127,
            "",
            "vitest-missing",
            "`npx --no-install vitest` was not found where the command ran: exit code 127",
        );
        check(1, "failed to load config\n", "other", "no tests: failed to load config");
    }
}
