//! What tests print: much of it, none of it text, and as it comes.

use offload_tests::Project;

const MEGABYTE: u64 = 1_000_000;

#[test]
fn verbose_streams_with_the_sandbox_in_front() {
    let project = Project::pytest_with("", "extra_args = [\"-s\"]")
        .file("test_it.py", "def test_it():\n    print('a line of the test')\n");
    let done = project.run(&["-v"]).exits(0);
    let line = done.stdout.lines().find(|line| line.contains("a line of the test"));
    let line = line.unwrap_or_else(|| panic!("the line is streamed: {}", done.said()));
    let results = done.results();
    let sandbox = results.tests[0].attempts[0].sandbox.clone().expect("a sandbox");
    assert!(line.contains(&sandbox) && !line.starts_with("a line"), "{line}");
    project.run(&[]).exits(0).does_not_say("a line of the test");
}

#[test]
fn stream_output_is_the_same_as_verbose() {
    Project::pytest_with("stream_output = true", "extra_args = [\"-s\"]")
        .file("test_it.py", "def test_it():\n    print('a line of the test')\n")
        .run(&[])
        .exits(0)
        .says("a line of the test");
}

#[test]
fn a_failing_tests_output_is_shown_at_the_end() {
    let done = Project::pytest()
        .file("test_it.py", "def test_it():\n    print('clue in the output')\n    assert 'left' == 'right'\n")
        .run(&[])
        .exits(1)
        .says("clue in the output")
        .says("left");
    assert!(done.junit().case("test_it").text.contains("right"));
}

#[test]
fn logs_hold_everything() {
    let done = Project::pytest_with("", "extra_args = [\"-s\"]")
        .file(
            "test_it.py",
            "import sys\ndef test_it():\n    print('to stdout')\n    print('to stderr', file=sys.stderr)\n",
        )
        .run(&[])
        .exits(0);
    let results = done.results();
    let sandbox = results.tests[0].attempts[0].sandbox.clone().expect("a sandbox");
    assert!(done.report(&format!("logs/{sandbox}-1.stdout")).contains("to stdout"));
    assert!(done.report(&format!("logs/{sandbox}-1.stderr")).contains("to stderr"));
}

#[test]
fn bytes_that_are_no_text() {
    let done = Project::pytest_with("", "")
        .file(
            "test_it.py",
            "import os, sys\n\ndef test_fd():\n    os.write(1, b'\\xff\\xfe\\x00 \\x1b[31m bytes\\n')\n    assert False\n\n\
             def test_message():\n    assert False, '\\x00\\x0b\\ufffe \\ud800 <>&]]>'\n\n\
             def test_print():\n    sys.stdout.buffer.write(b'\\xc3\\x28\\n')\n    assert False\n",
        )
        .run(&["-v"])
        .exits(1);
    assert_eq!(done.results().count("failed"), 3, "{:?}", done.results().summary);
}

/// 200 MB go through the host without staying in it.
#[test]
fn two_hundred_megabytes() {
    let done = Project::pytest_with("", "extra_args = [\"-s\"]")
        .file(
            "test_it.py",
            "import sys\n\ndef test_chatty():\n    line = 'x' * 999 + '\\n'\n    for _ in range(200_000):\n        \
             sys.stdout.write(line)\n\ndef test_other():\n    pass\n",
        )
        .run(&[])
        .exits(0);
    assert!(done.peak_memory < 150 * MEGABYTE, "the host held {} MB", done.peak_memory / MEGABYTE);
    let logs = std::fs::read_dir(done.output_dir.join("logs")).expect("there are logs");
    let bytes: u64 = logs.flatten().filter_map(|log| log.metadata().ok()).map(|log| log.len()).sum();
    assert!(bytes >= 200 * MEGABYTE, "the logs hold {bytes} bytes");
}

/// Without `-s`, pytest itself hands the output over in its report.
#[test]
fn captured_output_is_bounded_in_reports() {
    let done = Project::pytest()
        .file(
            "test_it.py",
            "def test_chatty():\n    print('beginning')\n    for _ in range(20_000):\n        print('x' * 999)\n    \
             print('the end')\n    assert False\n",
        )
        .run(&[])
        .exits(1);
    assert!(done.peak_memory < 150 * MEGABYTE, "the host held {} MB", done.peak_memory / MEGABYTE);
    let junit = done.report("junit.xml");
    assert!(junit.len() < 2_000_000, "junit.xml has {} bytes", junit.len());
    assert!(junit.contains("beginning") && junit.contains("the end"), "head and tail are kept");
}
