//! `--copy-dir`, `--env`, `[provider.env]` and its variables.

use offload_tests::Project;

const SHOWS: &str =
    "import os\ndef test_it():\n    assert {name: os.environ.get(name) for name in EXPECTED} == EXPECTED\n";

fn project(env: &str, expected: &str) -> Project {
    let project = Project::pytest().file("test_it.py", format!("EXPECTED = {expected}\n{SHOWS}"));
    let config = project.read("offload.toml");
    project.config(&format!("{config}\n[provider.env]\n{env}\n"))
}

#[test]
fn variables_expand() {
    project(
        "KEY = \"${FROM_OUTSIDE}\"\nDEBUG = \"${NOT_SET_ANYWHERE:-false}\"\nPRICE = \"$$100\"\nMIXED = \"a${FROM_OUTSIDE}b$${c}\"",
        "{'KEY': 'a b', 'DEBUG': 'false', 'PRICE': '$100', 'MIXED': 'aa bb${c}'}",
    )
    .offload(&["run"])
    .env("FROM_OUTSIDE", "a b")
    .finish()
    .exits(0);
}

#[test]
fn a_required_variable_that_is_not_set_is_named() {
    for command in ["run", "validate", "collect"] {
        project("KEY = \"${NOT_SET_ANYWHERE}\"", "{}").offload(&[command]).finish().exits(3).says("NOT_SET_ANYWHERE");
    }
}

#[test]
fn env_on_the_command_line_wins() {
    project("KEY = \"configured\"\nOTHER = \"stays\"", "{'KEY': 'given=twice', 'OTHER': 'stays', 'NEW': ''}")
        .run(&["--env", "KEY=given=twice", "--env", "NEW="])
        .exits(0);
}

#[test]
fn copy_dir_copies_on_this_machine() {
    let project = Project::pytest()
        .file("assets/deep/a file.txt", "content")
        .file("test_it.py", "import os, pathlib\ndef test_it():\n    assert (pathlib.Path(os.environ['TO']) / 'deep' / 'a file.txt').read_text() == 'content'\n");
    let to = project.beside().join("copied");
    let to = to.to_str().expect("UTF-8");
    project.run(&["--copy-dir", &format!("assets:{to}"), "--env", &format!("TO={to}")]).exits(0);
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let done = Project::pytest()
        .file("test_it.py", "def test_it():\n    pass\n")
        .run(&["--copy-dir", "nowhere:somewhere"])
        .says("nowhere");
    assert!(done.code == 1 || done.code == 3, "{}", done.code);
}

#[test]
fn discovery_sees_the_environment_with_the_local_provider() {
    let project = Project::pytest()
        .file("test_it.py", "import os, pytest\n@pytest.mark.parametrize('name', os.environ['NAMES'].split())\ndef test_it(name):\n    pass\n");
    let config = project.read("offload.toml");
    let project = project.config(&format!("{config}\n[provider.env]\nNAMES = \"a b c\"\n"));
    assert_eq!(project.run(&[]).exits(0).results().tests.len(), 3);
    assert_eq!(project.run(&["--env", "NAMES=x y"]).exits(0).results().tests.len(), 2);
}

#[test]
fn working_directories() {
    let group = "[provider]\ntype = \"local\"\n[groups.g]\ntype = \"pytest\"\npython = \"{python}\"\n";
    for (config, reports) in [
        // Where relative paths start, those of reports too.
        (format!("[offload]\nworking_dir = \"inner\"\n{group}"), "inner/test-results"),
        (format!("{group}working_dir = \"inner\"\n"), "test-results"),
    ] {
        let project = Project::new()
            .file("inner/here.txt", "")
            .file("inner/test_it.py", "import pathlib\ndef test_it():\n    assert pathlib.Path('here.txt').exists()\n")
            .config(&config);
        let mut done = project.run(&[]).exits(0);
        done.output_dir = project.path().join(reports);
        assert_eq!(done.results().ids(), ["test_it.py::test_it"]);
    }
}

#[test]
fn the_shell_runs_the_commands() {
    let project = Project::new()
        .script("shell.sh", "#!/bin/sh\necho used >> \"$(dirname \"$0\")/used\"\nexec /bin/sh \"$@\"\n")
        .file("test_it.py", "def test_it():\n    pass\n");
    let shell = project.path().join("shell.sh");
    let project = project.config(&format!(
        "[provider]\ntype = \"local\"\nshell = \"{}\"\n[groups.g]\ntype = \"pytest\"\npython = \"{{python}}\"\n",
        shell.display()
    ));
    project.run(&[]).exits(0);
    assert!(project.exists("used"));
}
