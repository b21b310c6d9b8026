//! What is written, and that it all tells the same.

use offload_tests::Project;

const ALL_KINDS: &str = r#"
import pytest

def test_passed():
    pass

def test_failed():
    assert 1 == 2

@pytest.mark.skip(reason="not today")
def test_skipped():
    pass

@pytest.mark.xfail(reason="known")
def test_xfailed():
    assert False

@pytest.mark.xfail(reason="was known")
def test_xpassed():
    pass

class TestIn:
    @pytest.mark.parametrize("a", [1, 2])
    def test_a_class(self, a):
        pass
"#;

#[test]
fn every_verdict_keeps_its_name() {
    let done = Project::pytest().file("pkg/test_it.py", ALL_KINDS).run(&[]).exits(1);
    let results = done.results();
    for verdict in ["passed", "failed", "skipped", "xfailed", "xpassed"] {
        assert_eq!(results.verdict(&format!("pkg/test_it.py::test_{verdict}")), verdict);
    }
    assert_eq!(results.tests.len(), 7);
    assert!(results.test("pkg/test_it.py::test_skipped").message().contains("not today"));
}

#[test]
fn junit_names_are_those_of_pytest() {
    let done = Project::pytest().file("pkg/test_it.py", ALL_KINDS).run(&[]).exits(1);
    let junit = done.junit();
    let case = junit.case("test_a_class[1]");
    assert_eq!(case.classname.as_deref(), Some("pkg.test_it.TestIn"));
    assert_eq!(case.file.as_deref(), Some("pkg/test_it.py"));
    assert_eq!((junit.tests, junit.failures, junit.errors), (7, 1, 0));
    assert!(junit.case("test_skipped").text.contains("not today"));
    assert!(junit.case("test_failed").text.contains("1 == 2"));
}

#[test]
fn the_summary_is_on_the_screen_with_the_paths() {
    Project::pytest()
        .file("test_it.py", ALL_KINDS)
        .run(&[])
        .says("7 tests")
        .says("1 failed")
        .says("1 skipped")
        .says("junit.xml")
        .says("results.json");
}

#[test]
fn the_report_table_says_where_and_what() {
    let project = Project::pytest().file("test_it.py", ALL_KINDS);
    let config = project.read("offload.toml");
    let project =
        project.config(&format!("{config}\n[report]\noutput_dir = \"out/deep\"\njunit_file = \"mine.xml\"\n"));
    project.run(&[]).exits(1);
    assert!(project.exists("out/deep/mine.xml") && project.exists("out/deep/results.json"));
    assert!(!project.exists("test-results"));

    let project = project.config(&format!("{config}\n[report]\njunit = false\n"));
    let done = project.run(&[]).exits(1);
    assert!(done.has_report("results.json") && !done.has_report("junit.xml"));
}

#[test]
fn an_earlier_runs_reports_do_not_stay() {
    let project = Project::pytest().file("test_it.py", "def test_old():\n    pass\n");
    project.run(&[]).exits(0);
    let project = project.file("test_it.py", "# nothing any more\n");
    let done = project.run(&[]).exits(3);
    let stale = done.has_report("junit.xml") && done.report("junit.xml").contains("test_old");
    assert!(!stale, "a run that found nothing leaves no older run's junit.xml");
}

#[test]
fn a_second_run_leaves_the_reports_of_the_first_alone() {
    let project = Project::pytest().file("test_it.py", "import time\ndef test_it():\n    time.sleep(3)\n");
    let mut first = project.offload(&["run"]).start();
    let events = project.path().join("test-results/events.jsonl");
    first.wait_until("it has begun", || std::fs::read_to_string(&events).is_ok_and(|text| text.contains("-started")));
    let second = project.offload(&["run"]).finish_among_leftovers();
    second.exits(3).says("another run of offload writes its reports there; wait for its end, or set output_dir");
    first.finish().exits(0);
}

/// Whoever reads the reports must not take a run for green of which they tell nothing.
#[test]
fn a_run_whose_reports_cannot_be_written_is_no_success() {
    let project = Project::pytest().file(
        "test_it.py",
        "import os\ndef test_it():\n    place = os.environ['PLACE']\n    os.rename(place, place + '-away')\n    open(place, 'w').close()\n",
    );
    let place = project.path().join("test-results");
    let done = project.offload(&["run"]).env("PLACE", &place).finish();
    done.exits(1).says("1 passed").says("the reports of this run are not whole: cannot write the report");
}

#[test]
fn events_tell_the_run_in_order() {
    let done = Project::pytest().file("test_it.py", ALL_KINDS).run(&[]);
    let events = done.events();
    let position = |kind: &str| {
        events.iter().position(|event| event["event"] == kind).unwrap_or_else(|| panic!("there is a {kind} event"))
    };
    assert_eq!(position("run-started"), 0);
    assert!(position("discovery-started") < position("discovery-finished"));
    // The first worker discovers.
    assert!(position("sandbox-up") < position("worker-started"));
    assert!(position("worker-started") < position("test-discovered"));
    assert!(position("discovery-finished") < position("test-started"));
    assert!(position("test-started") < position("attempted"));
    assert!(position("attempted") < position("judged"));
    assert_eq!(position("run-finished"), events.len() - 1);
    assert_eq!(done.events_of("test-discovered").len(), 7);
    assert_eq!(done.events_of("run-finished")[0]["exit_code"], 1);
}

/// `events.jsonl` grows while the run goes on.
#[test]
fn events_are_written_as_it_goes() {
    let project = Project::pytest().file("test_it.py", "import time\ndef test_it():\n    time.sleep(3)\n");
    let events = project.path().join("test-results/events.jsonl");
    let mut running = project.offload(&["run"]).start();
    running.wait_until("events.jsonl tells which test runs", || {
        std::fs::read_to_string(&events).is_ok_and(|text| text.contains("\"test-started\""))
    });
    running.finish().exits(0);
}
