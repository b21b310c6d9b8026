use offload_plugin::framework::ResultFile;
use offload_plugin::types::{Captured, Exit};

use super::*;

const LISTING: &str = r#"{
    "rust-build-meta": {"target-directory": "/t", "platforms": {"host": {"libdir": {"path": "/lib dir"}}}}, "test-count": 3,
    "rust-suites": {
        "p": {"package-name": "p", "binary-id": "p", "kind": "lib", "status": "listed", "binary-path": "/t/deps/p",
              "cwd": "/p", "testcases": {
            "tests::a": {"kind": "test", "ignored": false, "filter-match": {"status": "matches"}},
            "tests::b": {"kind": "test", "ignored": true, "filter-match": {"status": "mismatch", "reason": "ignored"}},
            "tests::c": {"kind": "test", "ignored": false,
                         "filter-match": {"status": "mismatch", "reason": "default-filter"}}}},
        "p::bin/x": {"binary-id": "p::bin/x", "binary-path": "/t/deps/x", "status": "skipped"},
        "p::it": {"binary-id": "p::it", "status": "listed", "binary-path": "/t/deps/it", "cwd": "/p", "testcases": {
            "d e": {"kind": "test", "ignored": false, "filter-match": {"status": "matches"}}}}}}"#;

fn run(exit: Exit, stderr: &str, files: &[(&str, &str)]) -> FinishedRun {
    let file = |(name, text): &(&str, &str)| ResultFile {
        path: format!("/s/{name}"),
        contents: Some(text.as_bytes().to_vec()),
    };
    FinishedRun {
        output: Captured { exit, stdout: Vec::new(), stderr: stderr.as_bytes().to_vec() },
        files: files.iter().map(file).collect(),
    }
}

fn listed(config: &str, around: &str) -> FinishedRun {
    run(
        Exit::Code(0),
        "",
        &[
            ("list.json", LISTING),
            ("place", "/p\n"),
            ("packages.json", r#"{"workspace_root": "/p"}"#),
            ("nextest.toml", config),
            ("around", around),
        ],
    )
}

fn go(paths: &[&str], previous: &[FinishedRun]) -> Result<Discovery, Failure> {
    let settings = offload_plugin::settings::parse("{}").expect("the settings are good");
    let context = Context { scratch: "/s/".to_owned(), nonce: "n".to_owned(), attempt: 1, memo: None };
    let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
    go_on(&settings, &context, &paths, previous, |_| {})
}

fn found(paths: &[&str], previous: &[FinishedRun]) -> Found {
    match go(paths, previous).expect("discovery works") {
        Discovery::Found(found) => found,
        Discovery::Run(plan) => panic!("{plan:?}"),
    }
}

/// The script of what is asked after the list, and what it gets.
fn asked(first: FinishedRun) -> (String, String) {
    match go(&[], &[first]).expect("discovery works") {
        Discovery::Run(plan) => (plan.command.argv[2].clone(), String::from_utf8_lossy(&plan.stdin).into_owned()),
        Discovery::Found(found) => panic!("{found:?}"),
    }
}

fn answered(files: &[(&str, &str)]) -> FinishedRun {
    run(Exit::Code(0), "", files)
}

#[track_caller]
fn check(paths: &[&str], expected: &[(&str, bool)]) {
    let found = found(paths, &[listed("", "\n2\n"), answered(&[])]);
    assert_eq!(found.tests.iter().map(|test| (test.id.as_str(), test.skipped)).collect::<Vec<_>>(), expected);
}

#[test]
fn finds_what_nextest_would_run_or_ignore() {
    check(&[], &[("p tests::a", false), ("p tests::b", true), ("p::it d e", false)]);
}

#[test]
fn keeps_what_lies_in_the_paths() {
    check(&["p::it"], &[("p::it d e", false)]);
    check(&["tests"], &[("p tests::a", false), ("p tests::b", true)]);
    check(&["p tests::a"], &[("p tests::a", false)]);
    check(&["q"], &[]);
}

#[test]
fn says_why_nothing_was_found() {
    let failure = go(&[], &[run(Exit::Code(101), "error: could not compile `p`", &[])]).expect_err("it failed");
    assert_eq!(failure.code, "build-failed");
    let failure = go(&[], &[run(Exit::Code(0), "", &[("list.json", "{}")])]).expect_err("it is no list");
    assert!(failure.message.contains("missing field `rust-suites`"), "{}", failure.message);
}

/// Every test of a binary may run anywhere; the other tags.
fn without_freedom(tags: &[String]) -> Vec<String> {
    let (last, others) = tags.split_last().expect("there is at least that one");
    assert_eq!(last, "unit:free");
    others.to_vec()
}

#[test]
fn ignored_tests_tell_why() {
    let (script, _) = asked(listed("", "\n2\n"));
    assert!(script.contains("LD_LIBRARY_PATH='/lib dir:/t/deps'"), "{script}");
    assert!(script.contains("/t/deps/p --list --ignored") && !script.contains("/t/deps/it"), "{script}");
    assert!(!script.contains("show-config"), "{script}");
    let reason = |ignored: &str| {
        let found = found(&[], &[listed("", "\n2\n"), answered(&[("ignored", ignored)])]);
        without_freedom(&found.tests[1].tags)
    };
    let said = |name: &str, why: &str| {
        format!(
            "{{ \"type\": \"test\", \"event\": \"discovered\", \"name\": \"{name}\", \"ignore\": false, \"ignore_message\": \
             \"{why}\", \"source_path\": \"src/lib.rs\", \"start_line\": 7 }}\n"
        )
    };
    let own = "noise\n\n{\"binary\":\"p\"}\n{ \"type\": \"suite\", \"event\": \"discovery\" }\n";
    let strange = "é <&> \"quoted\", \\s";
    assert_eq!(reason(&format!("{own}{}", said("tests::b", strange))), [format!("skip:{strange}")]);
    assert_eq!(reason(&format!("{own}{}", said("tests::b", "two\nlines"))), ["skip:two"]);
    let unknown = ["skip:marked #[ignore]"];
    assert_eq!(reason(&format!("{own}{}", said("tests::b", ""))), unknown);
    assert_eq!(reason(&format!("{{\"binary\":\"q\"}}\n{}", said("tests::b", "x"))), unknown);
    assert_eq!(reason("{ \"type\": \"test\", \"event\": \"discovered\", \"name\": \"tests::b\""), unknown);
}

const OVERRIDES: &str = "test-groups.serial.max-threads = 1\n[[profile.ci.overrides]]\nfilter = 'test(a)'\n\
    test-group = 'serial'\n[[profile.ci.overrides]]\nfilter = 'test(d)'\nthreads-required = 3\n";

#[test]
fn what_overrides_promise_becomes_tags() {
    let (script, stdin) = asked(listed(OVERRIDES, "ci\n8\n"));
    assert_eq!(script.matches("show-config test-groups").count(), 2, "{script}");
    assert!(script.contains("--config-file /s/threads.toml >/s/threads"), "{script}");
    let lines: Vec<_> = stdin.lines().collect();
    assert!(lines[0].contains("rust-binaries") && lines[1].contains("workspace_root"), "{stdin}");
    assert!(stdin.contains("test-group = \"offload-threads-3\""), "{stdin}");
    let groups = "group: serial (max threads = 1)\n  * override:\n      p:\n          tests::a\n";
    let threads = "group: offload-threads-3 (max threads = 1)\n  * override:\n      p::it:\n          d e\n";
    let answers = answered(&[("groups", groups), ("threads", threads)]);
    let tags = |around: &str, more: &str| {
        let found = found(&[], &[listed(&format!("{OVERRIDES}{more}"), around), answers.clone()]);
        found
            .tests
            .into_iter()
            .filter(|test| !test.skipped)
            .map(|test| without_freedom(&test.tags).join(" "))
            .collect::<Vec<_>>()
    };
    assert_eq!(tags("ci\n8\n", ""), ["lock:nextest:serial", "threads:3"]);
    assert_eq!(
        tags("ci\n8\n", "[profile.ci]\ntest-threads = 3\n"),
        ["lock:nextest:serial lock:nextest:test-threads=3", "lock:nextest:test-threads=3 alone"]
    );
}

#[test]
fn what_holds_for_all_tests_needs_no_question_about_overrides() {
    let config = "[profile.default]\nthreads-required = 'num-cpus'\nfail-fast = true\n";
    assert!(!asked(listed(config, "\n4\n")).0.contains("show-config"));
    let found = found(&[], &[listed(config, "\n4\n"), answered(&[])]);
    assert_eq!(without_freedom(&found.tests[0].tags), ["threads:4"]);
    assert_eq!(found.max_failures, Some(1));
}

#[test]
fn what_nextest_does_not_answer_is_refused() {
    let failed = run(Exit::Code(2), "error: unrecognized subcommand 'test-groups'", &[]);
    let failure = go(&[], &[listed(OVERRIDES, "ci\n8\n"), failed]).expect_err("nothing is known");
    assert!(failure.message.contains("test-group") && failure.message.contains("unrecognized"), "{}", failure.message);
}

#[test]
fn batches_get_a_configuration_whose_set_up_runs_once() {
    let config = "[scripts.setup.db]\ncommand = 'true'\n[[profile.default.scripts]]\nfilter = 'all()'\nsetup = 'db'\n";
    let (script, _) = asked(listed(config, "\n2\n"));
    assert!(script.contains(">/t/nextest/offload/n/once || exit"), "{script}");
    let memo = found(&[], &[listed(config, "\n2\n"), answered(&[])]).memo.expect("there is one");
    let built: Built = serde_json::from_str(&memo).expect("it is ours");
    let config = built.config.expect("it is not the project's own");
    assert!(config.contains("\"/t/nextest/offload/n/once\", \"/t/nextest/offload/n\", \"db\", \"true\""), "{config}");
    let memo = found(&[], &[listed("[profile.default]\nretries = 2\n", "\n2\n"), answered(&[])]).memo;
    let built: Built = serde_json::from_str(&memo.expect("there is one")).expect("it is ours");
    assert_eq!(built.config, None);
}
