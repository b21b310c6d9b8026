//! `offload plugin new`: what it makes builds, passes its tests and works with the very lines that it prints.

use std::path::Path;
use std::time::Duration;

use offload_tests::{Finished, Invocation, Project, offload, target};

/// Building needs compilers and packages.
const PATIENCE: Duration = Duration::from_secs(600);

/// A runner as the frameworks' templates have it in mind. Its tests are called after what becomes of them.
const TINY: &str = r#"#!/bin/sh
case $1 in
list) printf '%s\n' good bad 'it is $HOME' ;;
run)
    while IFS= read -r name; do
        echo "begin $name"
        case $name in bad) echo "FAILED bad: 1 is not 2: no" ;; *) echo "ok $name" ;; esac
    done
    ;;
esac
"#;

/// Tests that know where they run, and leave something there.
const WHERE: &str = "import os, pathlib

def test_here():
    assert 'offload-boxes-' in os.getcwd() and os.environ['GREETING'] == 'it is $HOME'
    assert pathlib.Path('data.txt').read_text() == 'data'
    pathlib.Path('mark').touch()

def test_there():
    pathlib.Path('mark').touch()
    assert False
";

/// What is printed: the commands, and the lines of offload.toml.
struct Guide {
    commands: String,
    lines: String,
}

impl Guide {
    fn of(made: &Finished) -> Self {
        let (commands, lines) = made.stdout.split_once("\nThen use it").expect("it says how to use it");
        let indented = |text: &str| -> String {
            text.lines().filter_map(|line| line.strip_prefix("    ")).map(|line| format!("{line}\n")).collect()
        };
        Self { commands: indented(commands), lines: indented(lines) }
    }
}

/// The lines of offload.toml for a new plugin in a project, once the printed commands have built and tested it.
#[track_caller]
fn make(project: &Project, name: &str, kind: &str, language: &str, tested: &str) -> String {
    let arguments = ["plugin", "new", name, "--kind", kind, "--lang", language];
    let guide = Guide::of(&project.offload(&arguments).finish().exits(0));
    if language == "rust" {
        // What crates are built from is the same for all of them: it is compiled once.
        let shared = target().join("plugin-new");
        std::fs::create_dir_all(&shared).expect("a directory can be made");
        std::os::unix::fs::symlink(shared, project.path().join(name).join("target")).expect("a link can be made");
    }
    let shell = Invocation::of(project, Path::new("sh"), &["-exc", &guide.commands]);
    let done = prepared(shell, project).finish().exits(0);
    done.says(tested).says("\nfit for use\n");
    guide.lines
}

/// Programs of the project come first, and `offload` is the one under test. No component is built twice the same, so what they
/// are compiled to is not kept.
fn prepared<'project>(invocation: Invocation<'project>, project: &Project) -> Invocation<'project> {
    let bin = offload().parent().expect("it lies in a directory").display().to_string();
    let path = format!("{}/bin:{bin}:{}", project.path().display(), std::env::var("PATH").expect("PATH is set"));
    invocation.env("PATH", path).env("OFFLOAD_CACHE_DIR", project.beside().join("cache")).patience(PATIENCE)
}

#[track_caller]
fn check_framework(language: &str, tested: &str) {
    let project = Project::new().script("bin/tiny", TINY);
    let lines = make(&project, "tiny", "framework", language, tested);
    let project = project.config(&format!("[offload]\nretry_count = 0\n\n{lines}"));
    let results = prepared(project.offload(&["run"]), &project).finish().exits(1).results();
    let verdicts: Vec<_> = results.tests.iter().map(|test| (test.id.as_str(), test.verdict.as_str())).collect();
    assert_eq!(verdicts, [("good", "passed"), ("bad", "failed"), ("it is $HOME", "passed")]);
    assert_eq!(results.test("bad").message(), "1 is not 2: no");
}

#[track_caller]
fn check_provider(language: &str, tested: &str) {
    let project = Project::new().file("tests/test_it.py", WHERE).file("data.txt", "data");
    let lines = make(&project, "boxes", "provider", language, tested);
    let project = project.config(&format!(
        "[offload]\nretry_count = 0\nmax_parallel = 2\n\n{lines}\n[provider.env]\nGREETING = \"it is $$HOME\"\n\n\
         [groups.python]\ntype = \"pytest\"\npython = \"{{python}}\"\npaths = [\"tests\"]\n"
    ));
    let done = prepared(project.offload(&["run"]), &project).finish().exits(1);
    assert_eq!(done.verdict("tests/test_it.py::test_here"), "passed", "{:?}", done.results());
    assert_eq!(done.verdict("tests/test_it.py::test_there"), "failed");
    assert!(!project.exists("mark"), "tests ran in the project itself");
}

#[test]
fn a_framework_in_rust() {
    check_framework("rust", "test result: ok. 7 passed");
}

#[test]
fn a_provider_in_rust() {
    check_provider("rust", "test result: ok. 6 passed");
}

#[test]
fn a_framework_in_python() {
    check_framework("python", "Ran 7 tests");
}

#[test]
fn a_provider_in_python() {
    check_provider("python", "Ran 5 tests");
}

#[test]
fn a_framework_in_javascript() {
    check_framework("javascript", "pass 6");
}

#[test]
fn a_provider_in_javascript() {
    check_provider("javascript", "pass 8");
}

#[test]
fn nothing_that_is_there_is_touched() {
    let project = Project::new().file("mine/notes.txt", "mine").file("file", "mine");
    let new = |arguments: &[&str]| {
        let arguments = [&["plugin", "new"], arguments, &["--kind", "framework", "--lang", "rust"]].concat();
        project.offload(&arguments).finish()
    };
    new(&["mine"]).exits(3).says("mine exists already and is not empty").says("name another with `--dir DIR`");
    new(&["other", "--dir", "file"]).exits(3).says("file is no directory");
    assert_eq!((project.read("mine/notes.txt").as_str(), project.read("file").as_str()), ("mine", "mine"));
    assert!(!project.exists("mine/Cargo.toml"));

    // An empty directory is as good as none, and what is printed is right from here.
    std::fs::create_dir(project.path().join("it's empty")).expect("a directory can be made");
    let done = new(&["other", "--dir", "it's empty"]).exits(0);
    done.says("    cd 'it'\\''s empty'\n").says("path = \"it's empty/target/");
    assert!(project.read("it's empty/Cargo.toml").contains("name = \"other\""));
}

#[test]
fn a_name_is_one_for_everything() {
    let project = Project::new();
    let refused = |name: &str| {
        let arguments = ["plugin", "new", name, "--kind", "provider", "--lang", "python"];
        project.offload(&arguments).finish().exits(3)
    };
    for name in ["My-Runner", "my_runner", "../up", "a b", ""] {
        refused(name).says("small letters and digits, with single hyphens between, such as my-runner");
    }
    refused("local").says("a plugin that comes with offload has this name: take another, such as my-local");
    project.offload(&["plugin", "new", "it", "--kind", "provider"]).finish().exits(3).says("--lang <LANG>");
}

/// One version of the tool, wherever it is named.
#[test]
fn python_projects_pin_what_the_example_pins() {
    let project = Project::new();
    for kind in ["provider", "framework"] {
        let arguments = ["plugin", "new", kind, "--kind", kind, "--lang", "python"];
        project.offload(&arguments).finish().exits(0);
        let pins = project.read(&format!("{kind}/requirements.txt"));
        assert_eq!(pins, include_str!("../../plugins/examples/unittest/requirements.txt"));
    }
}
