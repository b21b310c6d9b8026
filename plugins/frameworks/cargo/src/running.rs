//! The command that runs a batch.

use offload_plugin::types::Command;

use crate::bindings::exports::offload::plugin::framework::RunPlan;
use crate::filterset;
use crate::name::TestName;
use crate::settings::Settings;

/// Retries, early ends and parallel tests are offload's own business: a test's results must be its own, and of the tests
/// that were running when the command was ended there must be only one.
const OPTIONS: [&str; 12] = [
    "--message-format",
    "libtest-json-plus",
    "--message-format-version",
    "0.1",
    "--no-fail-fast",
    "--retries",
    "0",
    "--test-threads",
    "1",
    "--no-tests",
    "pass",
    "--no-input-handler",
];

pub fn plan(settings: &Settings, tests: Vec<TestName<'_>>) -> RunPlan {
    let mut argv = ["cargo", "nextest", "run"].map(str::to_owned).to_vec();
    argv.extend(settings.selection());
    argv.extend(OPTIONS.map(str::to_owned));
    for expression in filterset::expressions(&tests) {
        argv.extend(["-E".to_owned(), expression]);
    }
    let env = vec![("NEXTEST_EXPERIMENTAL_LIBTEST_JSON".to_owned(), "1".to_owned())];
    RunPlan { command: Command { argv, env, cwd: None }, stdin: Vec::new(), result_files: Vec::new() }
}
