//! Paths that are not UTF-8: they work, or are refused by name.

use std::path::Path;

use offload_tests::{Finished, Project};

/// Runs offload by a line of shell, in which `$offload` is it.
fn by_shell(project: &Project, line: &str) -> Finished {
    let program = offload_tests::offload();
    let line = format!("offload='{}'; {line}", program.display());
    offload_tests::Invocation::of(project, Path::new("sh"), &["-c", &line]).finish()
}

fn project(provider: &str) -> Project {
    Project::new().config(&format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n[provider]\ntype = \"local\"\n{provider}\n[groups.custom]\ntype = \"default\"\n\
         discover_command = \"echo one; echo two\"\nrun_command = \"ls | grep -q bright {{tests}} || test {{tests}}\"\n"
    ))
}

/// Makes `../caf\xe9`, a copy of the project.
const CAFE: &str = "cafe=$(printf '../caf\\351'); cp -R . \"$cafe\"";

#[test]
fn a_project_in_a_directory_that_is_not_utf_8() {
    for command in ["run", "collect", "validate"] {
        let done = by_shell(&project(""), &format!("{CAFE}; cd \"$cafe\" && exec \"$offload\" {command}")).exits(3);
        let done = done.says("UTF-8").says("caf\\xE9").says("rename");
        assert!(!done.said().contains("defect"), "{}", done.said());
    }
}

#[test]
fn a_configuration_in_a_directory_that_is_not_utf_8() {
    by_shell(&project(""), &format!("{CAFE}; exec \"$offload\" run -c \"$cafe/offload.toml\"")).exits(3).says("UTF-8");
}

#[test]
fn a_configuration_whose_name_is_not_utf_8_is_read() {
    let line = "odd=$(printf 'caf\\351.toml'); cp offload.toml \"$odd\"; exec \"$offload\" run -c \"$odd\"";
    let done = by_shell(&project(""), line).exits(0);
    assert_eq!(done.results().count("passed"), 2);
}

#[test]
fn a_temporary_directory_that_is_not_utf_8() {
    let line = "TMPDIR=$(printf '%s/../caf\\351' \"$PWD\"); export TMPDIR; mkdir \"$TMPDIR\"; exec \"$offload\" run";
    by_shell(&project(""), line).exits(3).says("UTF-8").says("TMPDIR");
}

/// What is in the environment beside that may be anything.
#[test]
fn variables_that_are_not_utf_8_are_left_alone() {
    let line = "ODD=$(printf 'caf\\351'); HOME=$PWD/$ODD PATH=$PATH:/$ODD; export ODD HOME PATH; exec \"$offload\" run";
    let done = by_shell(&project(""), line).exits(0);
    assert_eq!(done.results().count("passed"), 2);
}

/// Files of the project are copied whatever they are called.
#[test]
fn files_whose_names_are_not_utf_8_are_copied() {
    let project = Project::new().config(
        "[offload]\nmax_parallel = 1\nretry_count = 0\n[provider]\ntype = \"local\"\nisolation = \"copy\"\n\
         [report]\nartifacts = [\"*.png\"]\n[groups.custom]\ntype = \"default\"\ndiscover_command = \"echo one\"\n\
         run_command = \"cat \\\"$(printf 'caf\\\\351.txt')\\\" {tests}; touch kept.png \\\"$(printf 'caf\\\\351.png')\\\"\"\n",
    );
    let line = "echo bright >\"$(printf 'caf\\351.txt')\"; echo text >one; exec \"$offload\" run";
    let done = by_shell(&project, line).exits(0);
    let log = std::fs::read_dir(done.output_dir.join("logs")).expect("logs").flatten();
    let printed: Vec<_> = log.filter_map(|entry| std::fs::read_to_string(entry.path()).ok()).collect();
    assert!(printed.iter().any(|text| text == "bright\ntext\n"), "{printed:?}");
    // Artifacts have names that are text; the others are told.
    assert!(done.output_dir.join("artifacts/local-1/kept.png").is_file());
    done.says("names are not UTF-8");
}
