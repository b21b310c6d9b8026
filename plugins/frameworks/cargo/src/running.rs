//! The command that runs a batch.

use offload_plugin::framework::RunPlan;
use offload_plugin::types::{Command, Context};

use crate::built::Built;
use crate::filterset;
use crate::name::TestName;
use crate::settings::Settings;

/// Early ends and parallel tests are offload's own business: a test's results must be its own, and of the tests that were
/// running when the command was ended there must be only one. How each attempt ended is read from what is shown of it.
const OPTIONS: [&str; 16] = [
    "--message-format",
    "libtest-json-plus",
    "--message-format-version",
    "0.1",
    "--no-fail-fast",
    "--status-level",
    "pass",
    "--final-status-level",
    "none",
    "--failure-output",
    "immediate",
    "--test-threads",
    "1",
    "--no-tests",
    "pass",
    "--no-input-handler",
];

/// Runs what was built where that is here, and builds elsewhere. What was built comes on standard input with the
/// configuration, which is used in both cases; the options that only building needs come as one word, a line each.
const SCRIPT: &str = r#"place=$1 built=$2 packages=$3 config=$4 options=$5; shift 5
sed -n -e "1w $built" -e "2{/./w $packages" -e "}" -e "3,\$w $config"
if [ -s "$config" ]; then set -- "$@" --config-file "$config"; fi
if [ "$(pwd -P)" = "$place" ]; then
if [ -s "$packages" ]; then set -- "$@" --cargo-metadata "$packages"; fi
exec "$@" --binaries-metadata "$built"; fi
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
        Some(built) => {
            let words = settings.build_options().join("\n");
            let files =
                ["binaries.json", "packages.json", "nextest.toml"].map(|name| format!("{}{name}", context.scratch));
            let script = ["sh", "-c", SCRIPT, "sh", &built.place, &files[0], &files[1], &files[2], &words];
            argv.splice(0..0, script.map(str::to_owned));
            built.lines().into_bytes()
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
    fn words(place: &str, more: Option<[&str; 2]>, directory: &std::path::Path) -> Vec<String> {
        let [packages, config] = [0, 1].map(|index| more.map(|more| more[index].to_owned()));
        let built = Built { place: place.to_owned(), binaries: "{1}".to_owned(), packages, config };
        let memo = serde_json::to_string(&built);
        let mut plan = plan(&settings(), &context(memo.ok().as_deref()), Vec::new());
        for (argument, name) in [(5, "binaries"), (6, "packages"), (7, "config")] {
            plan.command.argv[argument] = directory.join(name).to_string_lossy().into_owned();
        }
        // A program that prints its arguments stands in for cargo.
        plan.command.argv[9] = "printf".to_owned();
        plan.command.argv[10] = "%s\n".to_owned();
        let stdin = directory.join("stdin");
        std::fs::write(&stdin, &plan.stdin).expect("a file can be written");
        let (program, arguments) = plan.command.argv.split_first().expect("a command");
        let output = std::process::Command::new(program)
            .args(arguments)
            .current_dir(directory)
            .stdin(std::fs::File::open(&stdin).expect("the file is there"))
            .output()
            .expect("sh starts");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_was_built_is_run_where_it_was_built_and_nowhere_else() {
        let directory = std::env::temp_dir().join(format!("offload-running {}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory can be made");
        let directory = directory.canonicalize().expect("the directory is there");
        let place = directory.to_string_lossy().into_owned();
        let with_binaries_only = words(&place, None, &directory);
        let here = words(&place, Some(["{2}", "a = 1\nb = 2\n"]), &directory);
        let read = |name| std::fs::read_to_string(directory.join(name)).expect("the file was written");
        let written = [read("binaries"), read("packages"), read("config")];
        let elsewhere = words("/somewhere/else", Some(["{2}", "a = 1\n"]), &directory);
        std::fs::remove_dir_all(&directory).expect("the directory can be removed");
        let file = |name| directory.join(name).to_string_lossy().into_owned();
        assert_eq!(
            here[here.len() - 6..],
            [
                "--config-file".to_owned(),
                file("config"),
                "--cargo-metadata".to_owned(),
                file("packages"),
                "--binaries-metadata".to_owned(),
                file("binaries")
            ]
        );
        assert_eq!(written, ["{1}\n", "{2}\n", "a = 1\nb = 2\n"]);
        assert!(!here.contains(&"--package".to_owned()), "{here:?}");
        assert_eq!(with_binaries_only.len(), here.len() - 4, "{with_binaries_only:?}");
        assert_eq!(elsewhere[elsewhere.len() - 6..][..2], ["--config-file".to_owned(), file("config")]);
        assert_eq!(elsewhere[elsewhere.len() - 4..], ["--package", "p*", "--features", "a b"]);
    }
}
