//! The command that runs a batch.

use offload_plugin::framework::RunPlan;
use offload_plugin::types::{Command, Context};

use crate::built::Built;
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

/// Runs what was built where that is here, and builds elsewhere. What was built comes on standard input,
/// the options that only building needs as one word, a line each.
const SCRIPT: &str = r#"place=$1 built=$2 options=$3; shift 3
if [ "$(pwd -P)" = "$place" ]; then cat >"$built"; exec "$@" --binaries-metadata "$built"; fi
set -f; IFS='
'; exec "$@" $options"#;

pub fn plan(settings: &Settings, context: &Context, tests: Vec<TestName<'_>>) -> RunPlan {
    let mut argv = ["cargo", "nextest", "run"].map(str::to_owned).to_vec();
    argv.extend(settings.run_options());
    argv.extend(OPTIONS.map(str::to_owned));
    for expression in filterset::expressions(&tests) {
        argv.extend(["-E".to_owned(), expression]);
    }
    let built = context.memo.as_deref().and_then(|memo| serde_json::from_str::<Built>(memo).ok());
    let stdin = match built {
        Some(Built { place, binaries }) => {
            let words = settings.build_options().join("\n");
            let file = format!("{}binaries.json", context.scratch);
            let script = ["sh", "-c", SCRIPT, "sh", &place, &file, &words].map(str::to_owned);
            argv.splice(0..0, script);
            binaries.into_bytes()
        }
        None => {
            argv.extend(settings.build_options());
            Vec::new()
        }
    };
    let env = vec![("NEXTEST_EXPERIMENTAL_LIBTEST_JSON".to_owned(), "1".to_owned())];
    RunPlan { command: Command { argv, env, cwd: None }, stdin, result_files: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(memo: Option<&str>) -> Context {
        Context { scratch: "/s/1-".to_owned(), nonce: String::new(), attempt: 1, memo: memo.map(str::to_owned) }
    }

    fn settings() -> Settings {
        offload_plugin::settings::parse(r#"{"package": "p*", "features": ["a b"]}"#).expect("the settings are good")
    }

    #[test]
    fn a_batch_builds_where_nothing_is_known_to_be_built() {
        for memo in [None, Some("of another version")] {
            let plan = plan(&settings(), &context(memo), Vec::new());
            assert_eq!(plan.command.argv[..3], ["cargo", "nextest", "run"]);
            assert_eq!(plan.command.argv[plan.command.argv.len() - 4..], ["--package", "p*", "--features", "a b"]);
            assert!(plan.stdin.is_empty());
        }
    }

    /// The words that a shell makes of the plan in this directory.
    fn words(place: &str, directory: &std::path::Path) -> Vec<String> {
        let memo = serde_json::to_string(&Built { place: place.to_owned(), binaries: "{}".to_owned() });
        let mut plan = plan(&settings(), &context(memo.ok().as_deref()), Vec::new());
        assert_eq!(plan.stdin, b"{}");
        let file = directory.join("built");
        plan.command.argv[5] = file.to_string_lossy().into_owned();
        // A program that prints its arguments stands in for cargo.
        plan.command.argv[7] = "printf".to_owned();
        plan.command.argv[8] = "%s\n".to_owned();
        let (program, arguments) = plan.command.argv.split_first().expect("a command");
        let output = std::process::Command::new(program)
            .args(arguments)
            .current_dir(directory)
            .stdin(std::process::Stdio::null())
            .output()
            .expect("sh starts");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_was_built_is_run_where_it_was_built_and_nowhere_else() {
        let directory = std::env::temp_dir().join(format!("offload-running-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory can be made");
        let place = directory.canonicalize().expect("the directory is there").to_string_lossy().into_owned();
        let here = words(&place, &directory);
        let elsewhere = words("/somewhere/else", &directory);
        std::fs::remove_dir_all(&directory).expect("the directory can be removed");
        assert_eq!(here[here.len() - 2], "--binaries-metadata", "{here:?}");
        assert!(!here.contains(&"--package".to_owned()), "{here:?}");
        assert_eq!(elsewhere[elsewhere.len() - 4..], ["--package", "p*", "--features", "a b"]);
    }
}
