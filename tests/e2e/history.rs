//! What is remembered of runs, and what later ones make of it.

use offload_tests::{Finished, Project};
use serde_json::Value;

/// Three tests, of which the last in the file takes longest.
const UNEVEN: &str = "import time, pathlib\n\ndef test_quick():\n    pass\n\ndef test_medium():\n    time.sleep(0.05)\n\n\
                      def test_slow():\n    time.sleep(0.3)\n";

#[track_caller]
fn history(project: &Project) -> Value {
    let done = project.offload(&["history", "--format", "json"]).finish().exits(0);
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", done.said()))
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|entry| entry["id"].as_str()).collect()
}

#[test]
fn slow_flaky_and_newly_failing_tests_are_shown() {
    let project = Project::pytest_with("retry_count = 1", "")
        .file("test_uneven.py", UNEVEN)
        .file(
            "test_shaky.py",
            "import pathlib\n\ndef test_shaky():\n    seen = pathlib.Path(__file__ + '.seen')\n    \
                                first = not seen.exists()\n    seen.touch()\n    assert not first\n",
        )
        .file("test_turns.py", "def test_turns():\n    pass\n");
    project.run(&[]).exits(2);
    project.write("test_turns.py", "def test_turns():\n    assert 1 + 1 == 3\n");
    project.run(&[]).exits(1);

    let known = history(&project);
    assert_eq!((&known["schema"], &known["runs"]), (&1.into(), &2.into()));
    assert_eq!(known["slowest"][0]["id"], "test_uneven.py::test_slow");
    assert!(known["slowest"][0]["seconds"].as_f64().is_some_and(|seconds| (0.3..3.0).contains(&seconds)), "{known}");
    assert_eq!(ids(&known["flakiest"]), ["test_shaky.py::test_shaky"]);
    assert_eq!((&known["flakiest"][0]["flaky"], &known["flakiest"][0]["runs"]), (&1.into(), &2.into()));
    assert_eq!(ids(&known["newly_failing"]), ["test_turns.py::test_turns"]);
    assert_eq!(known["newly_failing"][0]["since"]["run_id"], known["last_run"]["run_id"]);

    let text = project.offload(&["history", "-n", "1"]).finish().exits(0);
    for part in [
        "2 runs in ",
        "Slowest",
        "test_uneven.py::test_slow",
        "Flakiest",
        "1 of 2 runs",
        "Newly failing",
        "failed since",
    ] {
        assert!(text.stdout.contains(part), "{part}: {}", text.stdout);
    }
    assert!(!text.stdout.contains("test_medium"), "one of each kind: {}", text.stdout);
    assert_eq!(project.read(".offload/.gitignore"), "*\n");
}

fn started(done: &Finished) -> Vec<String> {
    done.events_of("test-started").iter().filter_map(|event| event["id"].as_str().map(str::to_owned)).collect()
}

/// The files in the order of their names take 0, 0 and most of the time.
#[test]
fn what_took_longest_is_started_first() {
    let project = Project::pytest_with("max_parallel = 1", "")
        .file("test_a.py", "def test_a():\n    pass\n")
        .file("test_b.py", "def test_b():\n    pass\n")
        .file("test_c.py", "import time\n\ndef test_c():\n    time.sleep(0.2)\n");
    let first = project.run(&[]).exits(0);
    assert_eq!(started(&first), ["test_a.py::test_a", "test_b.py::test_b", "test_c.py::test_c"]);
    let second = project.run(&[]).exits(0);
    assert_eq!(started(&second)[0], "test_c.py::test_c");
    assert_eq!(second.results().count("passed"), 3);
}

/// The history never says which tests there are.
#[test]
fn tests_that_come_and_go_are_as_the_framework_says() {
    let project = Project::pytest().file("test_it.py", "def test_old():\n    pass\n\ndef test_stays():\n    pass\n");
    project.run(&[]).exits(0);
    project.write("test_it.py", "def test_new():\n    pass\n\ndef test_stays():\n    pass\n");
    let done = project.run(&[]).exits(0);
    let results = done.results();
    let mut found = results.ids();
    found.sort_unstable();
    assert_eq!(found, ["test_it.py::test_new", "test_it.py::test_stays"]);
}

#[test]
fn nothing_is_remembered_when_it_is_off() {
    let project = Project::pytest().file("test_it.py", "def test_it():\n    pass\n");
    project.write("offload.toml", project.read("offload.toml") + "\n[history]\nenabled = false\n");
    project.run(&[]).exits(0);
    assert!(!project.exists(".offload"));
    let done = project.offload(&["history"]).finish().exits(0);
    assert!(done.stdout.contains("it is off: `enabled = true` in the [history] table turns it on"), "{}", done.stdout);
}

#[test]
fn there_is_none_before_the_first_run() {
    let project = Project::pytest().file("test_it.py", "def test_it():\n    pass\n");
    let done = project.offload(&["history"]).finish().exits(0);
    assert!(done.stdout.contains("`offload run` adds each run"), "{}", done.stdout);
    assert!(!project.exists(".offload"), "asking leaves nothing behind");
    assert_eq!(history(&project)["runs"], 0);
}

#[test]
fn it_is_kept_where_the_configuration_says() {
    let project = Project::pytest().file("test_it.py", "def test_it():\n    pass\n");
    project.write("offload.toml", project.read("offload.toml") + "\n[history]\npath = \"kept/here.db\"\n");
    project.run(&[]).exits(0);
    assert!(project.exists("kept/here.db") && !project.exists(".offload"));
    assert_eq!(history(&project)["runs"], 1);
}

#[test]
fn a_damaged_history_is_set_aside() {
    let project = Project::pytest().file("test_it.py", "def test_it():\n    pass\n");
    project.run(&[]).exits(0);
    let file = project.path().join(".offload/history.db");
    let mut content = std::fs::read(&file).expect("a history");
    content[100..].fill(0x5a);
    std::fs::write(&file, &content).expect("written");
    project.offload(&["history"]).finish().exits(3).says("is damaged");
    project.run(&[]).exits(0).says("is damaged; it is now").says("history.db.damaged-1");
    assert_eq!(std::fs::read(project.path().join(".offload/history.db.damaged-1")).expect("set aside"), content);
    project.run(&[]).exits(0).does_not_say("is damaged");
    assert_eq!(history(&project)["runs"], 2);
}

/// The path of the history may name anything, and a repository may say which.
#[test]
fn a_file_of_something_else_is_left_as_it_is() {
    let project = Project::pytest().file("test_it.py", "def test_it():\n    pass\n");
    let text = "this was never a database, whatever its name says ".repeat(40);
    project.write(".offload/history.db", &text);
    project.offload(&["history"]).finish().exits(3).says("is no history of offload, so it is left as it is");
    project.run(&[]).exits(0).says("is no history of offload, so it is left as it is");
    assert_eq!(project.read(".offload/history.db"), text);
}

/// A directory has the file's name: no history, and no other difference.
#[test]
fn a_history_that_cannot_be_had_fails_no_run() {
    let project = Project::pytest().file("test_it.py", "def test_it():\n    pass\n").file(".offload/history.db/x", "");
    let done = project.run(&[]).exits(0).says("this run goes without history");
    assert_eq!(done.results().count("passed"), 1);
}

#[test]
fn two_runs_at_once_are_both_remembered() {
    let project = Project::pytest().file("test_it.py", "import time\n\ndef test_it():\n    time.sleep(0.3)\n");
    let config = project.read("offload.toml");
    project.write("other.toml", config + "\n[report]\noutput_dir = \"other-results\"\n");
    let first = project.offload(&["run"]).start();
    let second = project.offload(&["run", "-c", "other.toml"]).start();
    first.finish().exits(0);
    second.finish().exits(0);
    assert_eq!(history(&project)["runs"], 2);
}
