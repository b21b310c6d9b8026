//! The command that runs a batch.

use std::collections::BTreeSet;

use offload_plugin::framework::RunPlan;
use offload_plugin::shell;
use offload_plugin::types::{Command, Context, Failure};

use crate::known::Known;
use crate::name;
use crate::settings::Settings;

/// Go builds below a directory that it cannot remove if it is killed: that must lie where everything is removed in the end.
const PREPARE: &str = r#"if [ -z "$GOTMPDIR" ]; then
mkdir -p "$1" && export GOTMPDIR="$1"; trap 'rm -rf "$1"' EXIT; fi
code=0"#;

/// Commands that run these tests of packages, one package after the other: of the tests that run when all is ended there must
/// be few.
///
/// # Errors
/// `go` is no command.
pub fn plan(settings: &Settings, context: &Context, packages: &[(&str, Vec<&str>)]) -> Result<RunPlan, Failure> {
    let known = context.memo.as_deref().and_then(|memo| serde_json::from_str::<Known>(memo).ok());
    let mut script = PREPARE.to_owned();
    for command in known.unwrap_or_default().commands(packages) {
        let names: BTreeSet<_> = command.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let run = format!("-run={}", name::pattern(names));
        // One package at a time, where more than one is meant; all of it was built when the tests were found.
        let options: &[&str] = if command.len() > 1 { &["-p=1", &run] } else { &[&run] };
        let packages: Vec<_> = command.iter().map(|(package, _)| (*package).to_owned()).collect();
        let argv = settings.test_command(options, &packages)?;
        script.push_str(&format!("\n{} || code=$?", shell::join(argv)));
    }
    script.push_str("\nexit $code");
    let directory = format!("{}go-build", context.scratch);
    Ok(RunPlan::new(Command::script(&script, [directory.as_str()])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_package_runs_its_own_tests() {
        let settings: Settings =
            offload_plugin::settings::parse(r#"{"go": "echo", "extra_args": ["it's"]}"#).expect("good");
        let scratch = std::env::temp_dir().join(format!("offload-go {}-", std::process::id()));
        let scratch = scratch.to_string_lossy().into_owned();
        let context = Context { scratch, nonce: String::new(), attempt: 1, memo: None };
        let packages = [("m/a", vec!["TestA", "TestB"]), ("m/b", vec!["TestA"])];
        let printed = |context: &Context| {
            let plan = plan(&settings, context, &packages).expect("a plan");
            let (program, arguments) = plan.command.argv.split_first().expect("a command");
            let output = std::process::Command::new(program).args(arguments).output().expect("sh starts");
            assert!(output.status.success());
            assert!(!std::path::Path::new(&format!("{}go-build", context.scratch)).exists());
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        assert_eq!(
            printed(&context),
            "test -json -count=1 -timeout=0 -run=^(TestA|TestB)$ m/a it's\n\
             test -json -count=1 -timeout=0 -run=^(TestA)$ m/b it's\n"
        );
        let memo = Some(r#"{"m/a": ["TestA", "TestB"], "m/b": ["TestA", "TestC"]}"#.to_owned());
        assert_eq!(
            printed(&Context { memo, ..context }),
            "test -json -count=1 -timeout=0 -p=1 -run=^(TestA|TestB)$ m/a m/b it's\n"
        );
    }

    #[test]
    fn one_that_fails_makes_all_fail_and_ends_none() {
        let settings: Settings =
            offload_plugin::settings::parse(r#"{"go": "sh -c 'echo ran; exit 3'"}"#).expect("good");
        let context = Context { scratch: "/nowhere/".to_owned(), nonce: String::new(), attempt: 1, memo: None };
        let plan = plan(&settings, &context, &[("a", vec!["TestA"]), ("b", vec!["TestA"])]).expect("a plan");
        let (program, arguments) = plan.command.argv.split_first().expect("a command");
        let output =
            std::process::Command::new(program).args(arguments).env("GOTMPDIR", "/tmp").output().expect("sh starts");
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), &b"ran\nran\n"[..]));
    }
}
