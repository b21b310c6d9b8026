//! Result files that are late, torn, foreign or not there.

use offload_tests::{Finished, Project};

/// Three tests, run by a script that does something odd with its result file.
fn run(script: &str) -> Finished {
    Project::new()
        .file("runner.sh", script)
        .file("junit.xml", "<testsuite><testcase name='one'/><testcase name='two'/><testcase name='three'/></testsuite>")
        .config(
            "[offload]\nmax_parallel = 1\nretry_count = 0\n[provider]\ntype = \"local\"\n[groups.g]\ntype = \"default\"\n\
             discover_command = \"echo one; echo two; echo three\"\nrun_command = \"sh runner.sh {tests}\"\nresult_file = \"junit.xml\"\n",
        )
        .run(&[])
}

#[track_caller]
fn none_passed(done: &Finished) {
    let results = done.results();
    assert_eq!(done.code, 1, "{}", done.said());
    assert_eq!(results.tests.len(), 3);
    assert_eq!(results.count("passed"), 0, "{:?}\n{}", results.summary, done.said());
}

/// The file of an earlier run lies in the project, and the command writes none.
#[test]
fn stale() {
    none_passed(&run("exit 0\n"));
}

#[test]
fn missing() {
    none_passed(&run("rm -f junit.xml; exit 0\n"));
}

#[test]
fn garbage() {
    let done = run("head -c 4000 /dev/urandom > junit.xml\n");
    none_passed(&done);
}

#[test]
fn empty() {
    none_passed(&run(": > junit.xml\n"));
}

#[test]
fn another_kind_of_file() {
    none_passed(&run("echo '<html><body/></html>' > junit.xml\n"));
}

/// The file ends within the case of `two`, wherever in a batch that is: what is whole is kept, the rest is run again.
#[test]
fn truncated() {
    let done = run("printf '<testsuite>' > junit.xml\nfor t; do\n  \
         if [ $t = two ]; then printf '<testcase name=\"two\"><failure message=\"x\"></fai' >> junit.xml; exit; fi\n  \
         printf '<testcase name=\"%s\"/>' $t >> junit.xml\ndone\nprintf '</testsuite>' >> junit.xml\n");
    let results = done.results();
    assert_eq!((done.code, results.count("passed")), (1, 2), "{:?}", results.summary);
    assert_ne!(results.verdict("two"), "passed");
}

#[test]
fn a_case_short() {
    let done = run(
        "printf '<testsuite>' > junit.xml\nfor t; do [ $t = two ] || printf '<testcase name=\"%s\"/>' $t >> junit.xml; done\n\
         printf '</testsuite>' >> junit.xml\n",
    );
    let results = done.results();
    assert_eq!((done.code, results.count("passed")), (1, 2), "{:?}", results.summary);
    assert_eq!(results.verdict("two"), "error");
}

#[test]
fn a_bad_exit_code_does_not_spoil_good_results() {
    let done =
        run("printf '<testsuite>' > junit.xml\nfor t; do printf '<testcase name=\"%s\"/>' $t >> junit.xml; done\n\
         printf '</testsuite>' >> junit.xml\nexit 1\n");
    assert_eq!(done.results().tests.len(), 3);
}

#[test]
fn a_bomb_of_entities_is_not_expanded() {
    let mut xml = String::from("<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a0 'ha'>");
    for level in 1..30 {
        xml.push_str(&format!("<!ENTITY a{level} '&a{};&a{};'>", level - 1, level - 1));
    }
    xml.push_str("]><testsuite><testcase name='one'><failure>&a29;</failure></testcase></testsuite>");
    let done = run(&format!("cat > junit.xml <<'XML'\n{xml}\nXML\n"));
    assert_eq!(done.code, 1);
    assert_ne!(done.verdict("two"), "passed");
}
