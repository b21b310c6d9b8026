//! Secrets of the environment stay out of everything that a run writes.

use offload_tests::{DefaultProvider, Project};

const SECRET: &str = "s3cr3t-value";

/// Prints the secret in every way that a test can, whole and in parts.
const SUITE: &str = "import os, sys, time\n\
    TOKEN = os.environ['API_TOKEN']\n\
    def test_prints():\n    \
        print('out', TOKEN)\n    \
        os.write(2, b'raw ' + TOKEN[:5].encode())\n    \
        time.sleep(0.05)\n    \
        os.write(2, TOKEN[5:].encode() + b'\\n')\n    \
        print(TOKEN, file=sys.stderr)\n    \
        assert os.environ['SETTING'] == 'plain-value', 'not given'\n    \
        assert TOKEN == 'x', f'it is {TOKEN}, {os.environ[\"SETTING\"]}'\n";

const TAIL: &str = "[provider.env]\nAPI_TOKEN = \"${OUTER_TOKEN}\"\nSETTING = \"plain-value\"\n\
    [groups.g]\ntype = \"pytest\"\npython = \"{python}\"\n";

#[track_caller]
fn check(project: &Project) {
    let mut run = project.offload(&["run", "-v", "-p", "1"]);
    run = run.env("OUTER_TOKEN", SECRET);
    let done = run.finish().exits(1);
    assert!(!done.said().contains(SECRET), "{}", done.said());
    assert!(done.said().contains("it is ***, plain-value"), "{}", done.said());
    let found = std::process::Command::new("grep")
        .args(["-rlF", SECRET, "test-results", ".offload"])
        .current_dir(project.path())
        .output()
        .expect("grep starts");
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
    let masked = std::process::Command::new("grep")
        .args(["-rhoF", "***", "test-results/logs"])
        .current_dir(project.path())
        .output();
    assert!(!masked.expect("grep starts").stdout.is_empty(), "logs show where it was");
}

#[test]
fn workers_do_not_show_them() {
    let project = Project::new().file("test_it.py", SUITE);
    check(&project.config(&format!("[offload]\nretry_count = 0\n[provider]\ntype = \"local\"\n{TAIL}")));
}

#[test]
fn batches_do_not_show_them() {
    let project = Project::new().file("test_it.py", SUITE);
    check(
        &project.config(&format!("[offload]\nretry_count = 0\n[provider]\ntype = \"local\"\n{TAIL}worker = false\n")),
    );
}

#[test]
fn messages_of_engines_do_not_show_them() {
    let project = Project::new().file("test_it.py", SUITE);
    let table = DefaultProvider::default()
        .install(&project)
        .replace("create_command = \"", "create_command = \"echo cannot use $API_TOKEN >&2; exit 1; ");
    let project = project.config(&format!("[offload]\nretry_count = 0\n{table}{TAIL}"));
    let done = project.offload(&["run", "-p", "1"]).env("OUTER_TOKEN", SECRET).finish().exits(1).says("cannot use ***");
    assert!(!done.said().contains(SECRET), "{}", done.said());
}

#[test]
fn other_variables_are_masked_where_they_are_named() {
    let project = Project::new()
        .file("test_it.py", "import os\ndef test_it():\n    assert os.environ['LICENCE'] == 'x'\n")
        .config("[offload]\nretry_count = 0\n[provider]\ntype = \"local\"\n[report]\nmask = [\"LICENCE\"]\n[groups.g]\ntype = \"pytest\"\npython = \"{python}\"\n");
    let done = project.run(&["--env", "LICENCE=licence-4711"]).exits(1);
    assert!(!done.said().contains("licence-4711") && done.said().contains("'***'"), "{}", done.said());
}
