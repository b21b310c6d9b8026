//! Result files that are late, torn, foreign or not there.

use offload_tests::{Finished, Project};

/// Three tests, run by a script that does something odd with its result file.
fn run(script: &str) -> Finished {
    run_in(Project::new(), script)
}

fn run_in(project: Project, script: &str) -> Finished {
    project
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

/// What a test puts in the place of the file is never waited for, nor is it followed: an error of that test.
#[test]
fn something_else_than_a_file() {
    for (make, said) in [
        ("mkfifo junit.xml", "not a regular file"),
        ("ln -s /dev/zero junit.xml", "not a regular file"),
        ("mkdir junit.xml", "not a regular file"),
        ("ln -s /nowhere junit.xml", ""),
    ] {
        let done = run(&format!("rm -rf junit.xml\n{make}\n"));
        none_passed(&done);
        assert!(done.said().contains(said), "{make}: {}", done.said());
        assert!(done.events_of("sandbox-failed").is_empty(), "{make}");
    }
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

/// Each test's own report, as a tool writes it in an encoding of its own.
#[test]
fn encodings_that_are_declared() {
    let report = |head: &str, name: &str, message: &str| {
        format!("{head}<testsuite><testcase name='{name}'><failure message='{message}'/></testcase></testsuite>")
    };
    let declared = |encoding: &str| format!("<?xml version='1.0' encoding='{encoding}'?>\n");
    let latin_1: Vec<u8> =
        report(&declared("ISO-8859-1"), "one", "Größe in Köln").chars().map(|character| character as u8).collect();
    let [before, after] = ["costs “", "”"].map(|part| part.replace('“', "\u{93}").replace('”', "\u{94}"));
    let cp1252 = report(&declared("windows-1252"), "two", &format!("{before}5 \u{80}{after}"));
    let cp1252: Vec<u8> = cp1252.chars().map(|character| character as u8).collect();
    let utf_16 = report(&declared("UTF-16"), "three", "über 9 €");
    let utf_16: Vec<u8> = format!("\u{feff}{utf_16}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let project = Project::new().file("of-one", latin_1).file("of-two", cp1252).file("of-three", utf_16);
    let done = run_in(project, "[ $# = 1 ] && cp of-$1 junit.xml; exit 1\n");
    assert_eq!(done.results().count("failed"), 3, "{}", done.said());
    for (id, message) in [("one", "Größe in Köln"), ("two", "costs “5 €”"), ("three", "über 9 €")] {
        assert_eq!(done.results().test(id).message(), message);
    }
    let done = done.says("Größe in Köln").says("costs “5 €”");
    assert!(done.junit().case("three").name == "three");
}

#[test]
fn an_encoding_that_is_not_known_is_named() {
    let done = run("printf '<?xml version=\"1.0\" encoding=\"IBM850\"?><testsuite/>' > junit.xml\n");
    none_passed(&done);
    done.says("is in the encoding \"IBM850\", which offload cannot read");
}

/// The tool itself ran `one` again until it passed, and `two` until it gave up.
#[test]
fn what_the_tool_ran_again_is_flaky() {
    let project = Project::new()
        .file(
            "of-one",
            "<testcase name='one' time='0.5'><flakyError message='timed out' time='0.25'><stackTrace>at A.b</stackTrace>\
             <system-out>first try</system-out></flakyError><system-out>second try</system-out></testcase>",
        )
        .file("of-two", "<testcase name='two'><failure message='no'/><rerunFailure message='no again'/></testcase>")
        .file("of-three", "<testcase name='three'/>");
    let script = "{ echo '<testsuite>'; for t; do cat of-$t; done; echo '</testsuite>'; } > junit.xml\n\
                  case \"$*\" in *two*) exit 1;; esac\n";
    let done = run_in(project, script).exits(1);
    let results = done.results();
    assert_eq!(
        [results.verdict("one"), results.verdict("two"), results.verdict("three")],
        ["flaky", "failed", "passed"]
    );
    assert_eq!(results.test("one").statuses(), ["failed", "passed"]);
    assert_eq!(results.test("two").statuses(), ["failed", "failed"]);
    let junit = std::fs::read_to_string(done.output_dir.join("junit.xml")).expect("junit.xml");
    assert!(junit.contains("<flakyFailure message=\"timed out\""), "{junit}");
}

/// Some tools write a case for each time. If the command takes that for a success, so do we, and call it flaky.
#[test]
fn a_case_for_each_time() {
    let script = "{ echo '<testsuite>'; for t; do\n\
                  [ $t != one ] || echo \"<testcase name='one'><failure message='no'/></testcase>\"\n\
                  echo \"<testcase name='$t'/>\"; done; echo '</testsuite>'; } > junit.xml\n";
    assert_eq!(run(script).exits(2).verdict("one"), "flaky");
    assert_eq!(run(&format!("{script}case \"$*\" in *one*) exit 1;; esac\n")).exits(1).verdict("one"), "failed");
}

#[test]
fn why_there_is_no_file_may_be_said_on_standard_output() {
    let done = run("echo warning: slow disk >&2; echo No tests found, exiting with code 1: $1 has 0 matches; exit 1\n");
    none_passed(&done);
    done.says("No tests found, exiting with code 1: one has 0 matches").says("warning: slow disk");
}
