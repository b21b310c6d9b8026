//! `offload init`.

use offload_tests::{Containers, Project};

const FRAMEWORKS: [&str; 5] = ["pytest", "cargo", "vitest", "go", "default"];
const PROVIDERS: [&str; 6] = ["local", "default", "docker", "ssh", "slurm", "modal"];
/// Those that need nothing but this machine.
const AT_ONCE: [&str; 2] = ["local", "default"];

#[test]
fn every_pair_is_accepted_by_validate() {
    for provider in PROVIDERS {
        for framework in FRAMEWORKS {
            let project = Project::new();
            let arguments = ["init", "--provider", provider, "--framework", framework];
            project.offload(&arguments).finish().exits(0).says("offload.toml");
            project.offload(&["validate"]).finish().exits(0);
        }
    }
}

#[test]
fn refuses_to_overwrite() {
    let project = Project::new().file("offload.toml", "# mine\n");
    let arguments = ["init", "--provider", "local", "--framework", "pytest"];
    project.offload(&arguments).finish().exits(3).says("--force");
    assert_eq!(project.read("offload.toml"), "# mine\n");
    project.offload(&["init", "--provider", "local", "--framework", "pytest", "--force"]).finish().exits(0);
    assert_ne!(project.read("offload.toml"), "# mine\n");
}

/// What runs on this machine is given its cores; a cloud has more.
#[test]
fn as_many_sandboxes_as_this_machine_has_cores() {
    let cores = std::thread::available_parallelism().expect("the system tells").get();
    for (provider, expected) in [("local", cores), ("modal", 10)] {
        let project = Project::new();
        project.offload(&["init", "--provider", provider, "--framework", "pytest"]).finish().exits(0);
        let text = project.read("offload.toml");
        assert!(text.lines().any(|line| line.starts_with(&format!("max_parallel = {expected} "))), "{text}");
    }
}

/// As a user would: write it, have pytest in PATH, run.
#[test]
fn pytest_pairs_run_at_once() {
    for provider in AT_ONCE {
        let project = Project::new().file("tests/test_it.py", "def test_it():\n    pass\n");
        project.offload(&["init", "--provider", provider, "--framework", "pytest"]).finish().exits(0);
        let path = format!("{}:{}", offload_tests::python_bin().display(), std::env::var("PATH").expect("PATH is set"));
        let done = project.offload(&["run"]).env("PATH", path).finish().exits(0);
        assert_eq!(done.results().ids(), ["tests/test_it.py::test_it"], "{provider}");
    }
}

#[test]
fn cargo_pairs_run_at_once() {
    for provider in AT_ONCE {
        let project = Project::new()
            .file("Cargo.toml", "[package]\nname = \"small\"\nedition = \"2021\"\n\n[workspace]\n")
            .file("src/lib.rs", "#[test]\nfn works() {}\n");
        project.offload(&["init", "--provider", provider, "--framework", "cargo"]).finish().exits(0);
        let done = project.run(&[]).exits(0);
        assert_eq!(done.results().tests.len(), 1, "{provider}: {:?}", done.results().ids());
    }
}

#[test]
fn go_pairs_run_at_once() {
    for provider in AT_ONCE {
        let project = Project::new()
            .file("go.mod", "module example.com/small\n\ngo 1.19\n")
            .file("small_test.go", "package small\n\nimport \"testing\"\n\nfunc TestIt(t *testing.T) {}\n");
        project.offload(&["init", "--provider", provider, "--framework", "go"]).finish().exits(0);
        let done = project.offload(&["run"]).envs(offload_tests::go_environment()).finish().exits(0);
        assert_eq!(done.results().ids(), ["example.com/small.TestIt"], "{provider}");
    }
}

#[test]
fn vitest_pairs_run_at_once() {
    for provider in AT_ONCE {
        let project = Project::new()
            .link("node_modules", &offload_tests::vitest(4))
            .file("src/it.test.js", "import { test } from \"vitest\";\ntest(\"works\", () => {});\n");
        project.offload(&["init", "--provider", provider, "--framework", "vitest"]).finish().exits(0);
        let done = project.run(&[]).exits(0);
        assert_eq!(done.results().ids(), ["src/it.test.js > works"], "{provider}");
    }
}

#[test]
fn default_pairs_run_at_once() {
    for provider in AT_ONCE {
        let project = Project::new()
            .script("tests/test_one.sh", "#!/bin/sh\nexit 0\n")
            .script("tests/test_two.sh", "#!/bin/sh\nexit 0\n");
        project.offload(&["init", "--provider", provider, "--framework", "default"]).finish().exits(0);
        let done = project.run(&[]).exits(0);
        assert_eq!(done.results().ids(), ["tests/test_one.sh", "tests/test_two.sh"], "{provider}");
    }
}

/// The project is what the template says of it: a Dockerfile, and tests.
#[test]
fn a_project_with_a_dockerfile_runs_in_containers() {
    let Some(engine) = Containers::podman() else { return };
    let project = Project::new()
        .file("Dockerfile", format!("FROM {}\n", engine.python_image()))
        .file("tests/test_it.py", "import os\n\ndef test_it():\n    assert os.getcwd() == '/app'\n");
    project.offload(&["init", "--provider", "docker", "--framework", "pytest"]).finish().exits(0);
    let text = project.read("offload.toml");
    assert!(text.contains("# command = \"podman\""));
    let project = project.config(&text.replace("# command = \"podman\"", "command = \"podman\""));
    let done = engine.run(&project, &[]).exits(0);
    assert_eq!(done.results().ids(), ["tests/test_it.py::test_it"]);
}
