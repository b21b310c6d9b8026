//! A run that is split over machines, and its parts joined again.

use std::collections::BTreeMap;
use std::path::Path;

use offload_tests::{Finished, Project, Results};
use serde_json::Value;

fn suite() -> Project {
    let project = Project::pytest_with("retry_count = 1", "");
    for file in ["a", "b", "c", "d"] {
        let tests: String = (0..5).map(|test| format!("def test_{test}():\n    print('out of {file}')\n\n")).collect();
        project.write(&format!("test_{file}.py"), tests);
    }
    project
}

/// Runs a shard whose results go to a directory of its own.
#[track_caller]
fn shard(project: &Project, index: u32, count: u32, code: i32) -> Finished {
    let config = project.read("offload.toml");
    let name = format!("shard-{index}.toml");
    project
        .write(&name, config + &format!("\n[report]\noutput_dir = \"results-{index}\"\n[history]\nenabled = false\n"));
    project.offload(&["run", "-c", &name, "--shard", &format!("{index}/{count}")]).finish().exits(code)
}

fn results(project: &Project, directory: &str) -> Results {
    Results::parse(&project.read(&format!("{directory}/results.json")))
}

fn merge(project: &Project, count: u32) -> Finished {
    let directories: Vec<_> = (1..=count).map(|index| format!("results-{index}")).collect();
    let mut arguments = vec!["merge"];
    arguments.extend(directories.iter().map(String::as_str));
    project.offload(&arguments).finish()
}

#[test]
fn every_test_is_in_exactly_one_shard() {
    let project = suite();
    let mut seen = BTreeMap::new();
    for index in 1..=3 {
        shard(&project, index, 3, 0).says(&format!("shard {index}/3 of the 20 tests in group python"));
        for id in results(&project, &format!("results-{index}")).ids() {
            assert_eq!(seen.insert(id.to_owned(), index), None, "{id} is in two shards");
        }
    }
    assert_eq!(seen.len(), 20);

    let merged = merge(&project, 3).exits(0);
    assert_eq!(merged.results().count("passed"), 20);
    assert_eq!(merged.junit().cases().count(), 20);
    let attempt = &merged.results().tests[0].attempts[0];
    assert!(attempt.sandbox.as_deref().is_some_and(|sandbox| sandbox.starts_with("1/local-")), "{attempt:?}");
    let document: Value = serde_json::from_str(&project.read("test-results/results.json")).expect("JSON");
    let log = document["tests"][0]["attempts"][0]["log"].as_str().expect("a log");
    assert!(project.path().join("test-results").join(format!("{log}.stdout")).exists(), "{log}");
    // What the machines of the next run share.
    let history = project.offload(&["history", "--format", "json"]).finish().exits(0).stdout;
    let history: Value = serde_json::from_str(&history).expect("JSON");
    assert_eq!(history["runs"], 1);
}

/// What a shard learns of a file is known to the shards of the next run, as durations are.
#[test]
fn files_that_rely_on_their_order_are_remembered() {
    let project = Project::pytest_with("retry_count = 0", "");
    project.write(
        "test_chain.py",
        "import time, pytest\n\ndone = []\n\n@pytest.mark.parametrize('number', range(10))\n\
         def test_link(number):\n    time.sleep(0.4)\n    assert len(done) == number\n    done.append(number)\n",
    );
    project.write("test_other.py", "def test_other():\n    pass\n");
    for index in 1..=2 {
        shard(&project, index, 2, 0);
    }
    assert_eq!(merge(&project, 2).exits(0).results().count("passed"), 11);
    project.run(&[]).exits(0).does_not_say("passes after them");
}

/// Files that take most of the time are not all in one shard.
#[test]
fn shards_are_cut_by_how_long_tests_take() {
    let project = Project::pytest();
    for (file, seconds) in [("a", 0.4), ("b", 0.4), ("c", 0.0), ("d", 0.0)] {
        project
            .write(&format!("test_{file}.py"), format!("import time\n\ndef test_it():\n    time.sleep({seconds})\n"));
    }
    project.run(&[]).exits(0);
    let slow = |index: &str| {
        let results = project.run(&["--shard", index]).exits(0).results();
        results.ids().iter().filter(|id| id.starts_with("test_a") || id.starts_with("test_b")).count()
    };
    assert_eq!((slow("1/2"), slow("2/2")), (1, 1));
}

#[test]
fn failures_and_flaky_tests_are_those_of_the_shards() {
    let project = suite();
    project.write("test_b.py", "def test_fails():\n    assert 'this' == 'that'\n");
    project.write(
        "test_c.py",
        "import pathlib\n\ndef test_shaky():\n    seen = pathlib.Path(__file__ + '.seen')\n    first = not seen.exists()\n    \
         seen.touch()\n    assert not first\n",
    );
    let codes: Vec<_> = (1..=2)
        .map(|index| {
            let config = project.read("offload.toml");
            let name = format!("shard-{index}.toml");
            project.write(&name, config + &format!("\n[report]\noutput_dir = \"results-{index}\"\n"));
            project.offload(&["run", "-c", &name, "--shard", &format!("{index}/2")]).finish().code
        })
        .collect();
    assert!(codes.contains(&1), "{codes:?}");
    let merged = merge(&project, 2).exits(1).says("this");
    assert_eq!(merged.verdict("test_b.py::test_fails"), "failed");
    assert_eq!(merged.verdict("test_c.py::test_shaky"), "flaky");
    assert!(merged.junit().case("test_fails").text.contains("that"));
}

/// What cannot be collected is found by every shard, and is one finding.
#[test]
fn a_file_that_cannot_be_collected_is_one_error() {
    let project = suite();
    project.write("test_b.py", "import nothing_like_this\n");
    (1..=2).for_each(|index| drop(shard(&project, index, 2, 1)));
    let merged = merge(&project, 2).exits(1).does_not_say("more than one run");
    assert_eq!((merged.results().count("error"), merged.results().count("passed")), (1, 15));
}

#[test]
fn a_missing_shard_is_no_success() {
    let project = suite();
    [1, 3].into_iter().for_each(|index| drop(shard(&project, index, 3, 0)));
    let done = project.offload(&["merge", "results-1", "results-3"]).finish().exits(1);
    let done = done.says("the results of shard 2/3 are missing");
    assert_eq!(done.verdict("shard 2/3"), "error");
    assert!(done.results().count("passed") > 0);
}

#[test]
fn a_shard_that_was_cut_off_is_no_success() {
    let project = suite();
    (1..=2).for_each(|index| drop(shard(&project, index, 2, 0)));
    let events = project.read("results-2/events.jsonl");
    let cut = events.lines().filter(|line| !line.contains("run-finished")).collect::<Vec<_>>().join("\n");
    let half_a_line = &cut[..cut.len() - 20];
    project.write("results-2/events.jsonl", half_a_line);
    merge(&project, 2).exits(1).says("the run in results-2 did not come to its end");
}

#[test]
fn shards_of_different_plans_are_no_success() {
    let project = suite();
    shard(&project, 1, 2, 0);
    project.write("test_new.py", "def test_new():\n    pass\n");
    shard(&project, 2, 2, 0);
    merge(&project, 2).exits(1).says("results-1 and results-2 were cut differently");
}

#[test]
fn more_shards_than_tests_is_no_failure() {
    let project = Project::pytest().file("test_it.py", "def test_it():\n    pass\n");
    let counts: Vec<_> = (1..=3)
        .map(|index| {
            shard(&project, index, 3, 0);
            results(&project, &format!("results-{index}")).ids().len()
        })
        .collect();
    assert_eq!(counts.iter().sum::<usize>(), 1);
    assert_eq!(merge(&project, 3).exits(0).results().count("passed"), 1);
}

#[track_caller]
fn check_refused(arguments: &[&str], message: &str) {
    let project = suite();
    shard(&project, 1, 1, 0);
    project.write("copy/events.jsonl", project.read("results-1/events.jsonl"));
    project.write("else/events.jsonl", "no event\n");
    project.offload(arguments).finish().exits(3).says(message);
    assert!(project.exists("results-1/results.json"), "nothing is lost");
}

#[test]
fn what_cannot_be_joined_is_refused() {
    check_refused(&["merge"], "<DIR>...");
    check_refused(&["merge", "nowhere"], "cannot read nowhere/events.jsonl");
    check_refused(&["merge", "else"], "line 1 of else/events.jsonl is no event");
    check_refused(&["merge", "results-1", "-o", "results-1"], "results-1 is one of those that are joined");
    check_refused(&["merge", "results-1", "copy"], "results-1 and copy are the same run");
}

#[test]
fn what_is_no_shard_is_refused() {
    for (shard, message) in [
        ("0/2", "shards are counted from 1"),
        ("3/2", "there is no shard 3 of 2"),
        ("two", "it must be two whole numbers like 1/3"),
    ] {
        suite().offload(&["run", "--shard", shard]).finish().exits(3).says(message);
    }
}

/// A machine that never ran the tests cuts them as one that knows as little does.
#[test]
fn the_plan_does_not_depend_on_the_machine() {
    let plan = || {
        let project = suite();
        let done = shard(&project, 1, 2, 0);
        assert!(Path::new(&project.path()).exists());
        let events = project.read("results-1/events.jsonl");
        let line =
            events.lines().find(|line| line.contains("\"sharded\"")).unwrap_or_else(|| panic!("{}", done.said()));
        serde_json::from_str::<Value>(line).expect("JSON")["plan"].clone()
    };
    assert_eq!(plan(), plan());
}
