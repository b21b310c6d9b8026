//! What the documentation of the `modal` provider shows.

use std::fs;
use std::path::{Path, PathBuf};

use offload_tests::{FakeModal, Project, modal_python, python_bin};

fn shown() -> String {
    read("suites/providers/modal.toml")
}

fn read(path: &str) -> String {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn the_page_shows_the_configuration_that_is_tried() {
    assert!(read("../host/docs/modal.md").contains(&format!("```toml\n{}```\n", shown())));
}

/// As a user would: a Python with the SDK is what `python3` is, and nothing else is said.
#[test]
fn the_configuration_works() {
    let project = Project::new()
        .config(&shown())
        .file(".devcontainer/Dockerfile", "FROM python:3.12\nWORKDIR /app\nCOPY tests tests\n")
        .file("tests/test_it.py", "import os\n\ndef test_it():\n    assert os.environ['API_KEY'] == 'mine'\n")
        .script("../bin/python3", &format!("#!/bin/sh\nexec {:?} \"$@\"\n", modal_python()));
    let fake = FakeModal::start(&project);
    let bin = project.beside().join("bin");
    let path = format!("{}:{}:/usr/bin:/bin", bin.display(), python_bin().display());
    let config = project.read("offload.toml");
    let project = project.config(&format!("{config}python = {:?}\n", python_bin().join("python")));
    let done = fake.run(&project, &[]).env("PATH", path).env("API_KEY", "mine").finish().exits(0);
    assert_eq!(done.results().ids(), ["tests/test_it.py::test_it"]);
    fake.check_nothing_left();
}
