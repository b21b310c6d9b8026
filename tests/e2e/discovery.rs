//! What is found, and what cannot be.

use offload_tests::Project;

#[test]
fn zero_tests_is_3() {
    let done = Project::pytest().file("test_it.py", "# nothing here yet\n").run(&[]).exits(3);
    assert!(done.said().contains("no test"), "{}", done.said());
}

#[test]
fn a_file_that_cannot_be_collected_is_an_error_result() {
    let done = Project::pytest()
        .file("test_bad.py", "import nowhere_to_be_found\n\ndef test_hidden():\n    pass\n")
        .file("test_good.py", "def test_it():\n    pass\n")
        .run(&[])
        .exits(1)
        .says("nowhere_to_be_found");
    let results = done.results();
    assert_eq!(results.verdict("test_bad.py"), "error");
    assert_eq!(results.verdict("test_good.py::test_it"), "passed");
    assert_eq!(done.junit().errors, 1);
}

#[test]
fn a_module_that_skips_itself_is_skipped() {
    let done = Project::pytest()
        .file("test_other.py", "import pytest\npytest.skip('not on this machine', allow_module_level=True)\n")
        .file("test_good.py", "def test_it():\n    pass\n")
        .run(&[])
        .exits(0);
    assert_eq!(done.results().verdict("test_other.py"), "skipped");
}

#[test]
fn a_missing_python_is_3_and_named() {
    Project::new()
        .config("[provider]\ntype = \"local\"\n[groups.g]\ntype = \"pytest\"\npython = \"no-such-python\"\n")
        .run(&[])
        .exits(3)
        .says("no-such-python");
}

#[test]
fn a_missing_pytest_is_3_and_explained() {
    let done = Project::new()
        .config("[provider]\ntype = \"local\"\n[groups.g]\ntype = \"pytest\"\npython = \"{python} -S\"\n")
        .file("test_it.py", "def test_it():\n    pass\n")
        .run(&[])
        .exits(3);
    assert!(done.said().contains("pytest"), "{}", done.said());
}

#[test]
fn pytest_usage_errors_are_3_and_shown() {
    Project::pytest_with("", "extra_args = [\"--no-such-option\"]")
        .file("test_it.py", "def test_it():\n    pass\n")
        .run(&[])
        .exits(3)
        .says("--no-such-option");
}

#[test]
fn a_failing_discover_command_is_3_and_shown() {
    Project::new()
        .config(
            "[provider]\ntype = \"local\"\n[groups.g]\ntype = \"default\"\n\
             discover_command = \"echo cannot look >&2; exit 7\"\nrun_command = \"true {tests}\"\n",
        )
        .run(&[])
        .exits(3)
        .says("cannot look")
        .says("7");
}

#[test]
fn a_discover_command_may_say_why_on_either_stream() {
    let run = |command: &str| {
        let config = "[provider]\ntype = \"local\"\n[groups.g]\ntype = \"default\"\nrun_command = \"true {tests}\"\n";
        Project::new().config(&format!("{config}discover_command = \"{command}\"\n")).run(&[]).exits(3)
    };
    run("echo no pattern matches; exit 7").says("no pattern matches");
    run("echo no pattern matches; echo an old node >&2; exit 7").says("no pattern matches").says("an old node");
    run("echo no pattern matches >&2").says("no pattern matches");
}

#[test]
fn one_group_of_several_that_cannot_be_discovered_is_an_error_result() {
    let done = Project::new()
        .config(
            "[offload]\nretry_count = 0\n[provider]\ntype = \"local\"\n\
             [groups.good]\ntype = \"default\"\ndiscover_command = \"echo one\"\nrun_command = \"true {tests}\"\n\
             [groups.bad]\ntype = \"default\"\ndiscover_command = \"exit 7\"\nrun_command = \"true {tests}\"\n",
        )
        .run(&[])
        .exits(1);
    let results = done.results();
    assert_eq!(results.verdict("one"), "passed");
    assert_eq!(results.count("error"), 1);
}

#[test]
fn markers_and_paths_select() {
    let done = Project::pytest_with("", "paths = [\"unit\"]\nmarkers = \"not slow\"")
        .file("pytest.ini", "[pytest]\nmarkers = slow\n")
        .file(
            "unit/test_a.py",
            "import pytest\n\ndef test_fast():\n    pass\n\n@pytest.mark.slow\ndef test_slow():\n    pass\n",
        )
        .file("other/test_b.py", "def test_elsewhere():\n    assert False\n")
        .run(&[])
        .exits(0);
    assert_eq!(done.results().ids(), ["unit/test_a.py::test_fast"]);
}

/// Whatever a project's own pytest configuration does to the terminal, ids are found and results come back.
#[test]
fn survives_the_projects_own_pytest_configuration() {
    let reporter = "import sys\n\ndef pytest_report_teststatus(report, config):\n    \
                    return report.outcome, 'YES!', 'test_fake.py::test_fake PASSED'\n\n\
                    def pytest_terminal_summary(terminalreporter):\n    print('test_fake.py::test_fake')\n";
    for (name, ini, extra) in [
        ("quiet", "addopts = -q -q", ""),
        ("verbose and in colour", "addopts = -vv --color=yes", ""),
        ("no terminal, no cache", "", "extra_args = [\"-p\", \"no:terminal\", \"-p\", \"no:cacheprovider\"]"),
        ("no capture", "addopts = -s", ""),
        ("no junit, no assertion rewriting", "addopts = -p no:junitxml --assert=plain", ""),
        ("a JUnit of its own", "addopts = --junitxml=own.xml", ""),
        ("random chatter", "", ""),
    ] {
        let done = Project::pytest_with("", extra)
            .file("pytest.ini", format!("[pytest]\n{ini}\n"))
            .file("conftest.py", format!("print('test_fake.py::test_at_import')\n{reporter}"))
            .file(
                "test_it.py",
                "def test_one():\n    print('test_fake.py::test_x PASSED')\n\ndef test_two():\n    pass\n",
            )
            .run(&[])
            .exits(0);
        assert_eq!(done.results().ids(), ["test_it.py::test_one", "test_it.py::test_two"], "{name}");
    }
}
