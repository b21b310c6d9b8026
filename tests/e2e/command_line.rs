//! Commands and options.

use offload_tests::{Finished, Project};

const TWO_TESTS: &str = "def test_one():\n    print('said by one')\n\ndef test_two():\n    pass\n";

fn project() -> Project {
    Project::pytest().file("test_it.py", TWO_TESTS)
}

/// The same with its configuration in `other.toml`, and pytest told to let go of what tests print.
fn elsewhere() -> Project {
    let project = Project::pytest_with("", "extra_args = [\"-s\"]").file("test_it.py", TWO_TESTS);
    std::fs::rename(project.path().join("offload.toml"), project.path().join("other.toml")).expect("a rename");
    project
}

#[test]
fn all_passed_is_0() {
    let done = project().run(&[]).exits(0);
    assert_eq!(done.results().count("passed"), 2);
}

#[test]
fn config_and_verbose_before_the_command() {
    let project = elsewhere();
    project.offload(&["-c", "other.toml", "-v", "run"]).finish().exits(0).says("said by one");
    project.offload(&["--config", "other.toml", "--verbose", "run"]).finish().exits(0).says("said by one");
}

#[test]
fn config_and_verbose_after_the_command() {
    let project = elsewhere();
    project.offload(&["run", "-c", "other.toml", "-v"]).finish().exits(0).says("said by one");
    project.offload(&["validate", "-v", "-c", "other.toml"]).finish().exits(0);
    project.offload(&["collect", "-c", "other.toml"]).finish().exits(0).says("test_one");
}

#[test]
fn collect_only_runs_nothing() {
    let done = project().run(&["--collect-only"]).exits(0);
    assert_eq!(lines(&done), ["test_it.py::test_one", "test_it.py::test_two"]);
    assert!(!done.has_report("results.json"));
}

#[test]
fn collect_prints_an_id_a_line() {
    let project = project();
    let text = project.offload(&["collect"]).finish().exits(0);
    assert_eq!(lines(&text), ["test_it.py::test_one", "test_it.py::test_two"]);
    let same = project.offload(&["collect", "--format", "text"]).finish().exits(0);
    assert_eq!(text.stdout, same.stdout);
}

#[test]
fn collect_prints_json() {
    let done = project().offload(&["collect", "--format", "json"]).finish().exits(0);
    let json: serde_json::Value = serde_json::from_str(&done.stdout).expect("standard output is JSON and nothing else");
    let text = json.to_string();
    assert!(text.contains("test_it.py::test_one") && text.contains("test_it.py::test_two"), "{text}");
}

#[test]
fn parallel_overrides_the_configuration() {
    let done = Project::pytest_with("max_parallel = 1", "")
        .file(
            "test_it.py",
            "import time, pytest\n@pytest.mark.parametrize('n', range(8))\ndef test_it(n):\n    time.sleep(0.3)\n",
        )
        .run(&["-p", "3"])
        .exits(0);
    let started = done.events_of("run-started");
    assert_eq!(started[0]["max_parallel"], 3);
    assert!(done.events_of("sandbox-up").len() > 1, "more than one sandbox came up");
}

#[test]
fn validate_accepts_and_says_so() {
    let done = project().offload(&["validate"]).finish().exits(0);
    assert!(!done.said().trim().is_empty());
}

#[test]
fn usage_errors_are_3() {
    let project = project();
    for arguments in [
        &["fly"][..],
        &[],
        &["run", "--no-such-option"],
        &["run", "-p"],
        &["run", "-p", "0"],
        &["run", "-p", "many"],
        &["run", "--env", "no-equals-sign"],
        &["run", "--copy-dir", "no-colon"],
        &["collect", "--format", "yaml"],
        &["init", "--provider", "moon", "--framework", "pytest"],
    ] {
        let done = project.offload(arguments).finish().exits(3);
        assert!(!done.stderr.trim().is_empty(), "{arguments:?} is explained");
    }
}

#[test]
fn help_and_version_are_0() {
    let project = project();
    for command in ["run", "collect", "validate", "init"] {
        project.offload(&["--help"]).finish().exits(0).says(command);
        project.offload(&[command, "--help"]).finish().exits(0).says("Usage");
    }
    project.offload(&["--version"]).finish().exits(0).says("offload ");
}

#[test]
fn a_missing_configuration_is_explained() {
    let done = Project::new().run(&[]).exits(3).says("offload.toml").says("offload init");
    assert!(done.stdout.is_empty());
}

#[test]
fn python_may_be_a_command_with_arguments() {
    let python = offload_tests::python();
    Project::new()
        .config(&format!(
            "[provider]\ntype = \"local\"\n[groups.g]\ntype = \"pytest\"\npython = \"env GREETING=hello {}\"\n",
            python.display()
        ))
        .file("test_it.py", "import os\ndef test_it():\n    assert os.environ['GREETING'] == 'hello'\n")
        .run(&[])
        .exits(0);
}

fn lines(done: &Finished) -> Vec<&str> {
    done.stdout.lines().collect()
}
