//! Offload as a library: the documented program, compiled and run.

use offload_tests::{Invocation, Project, library_program, python_bin};

fn run(test: &str) -> i32 {
    let project = Project::pytest().file("test_it.py", test);
    // The program's own framework is the default one, whose Python is `python3`.
    let path = format!("{}:{}", python_bin().display(), std::env::var("PATH").expect("PATH is set"));
    Invocation::of(&project, &library_program(), &[]).env("PATH", path).finish().code
}

#[test]
fn all_passed() {
    assert_eq!(run("def test_it():\n    pass\n"), 0);
}

#[test]
fn some_failed() {
    assert_eq!(run("def test_it():\n    pass\n\ndef test_wrong():\n    assert 1 == 2\n"), 1);
}

#[test]
fn the_readme_shows_this_program() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("../README.md")).expect("there is a README");
    assert!(readme.contains(include_str!("../library/program.rs")), "README.md shows library/program.rs to the letter");
}
