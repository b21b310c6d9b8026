//! What cargo-nextest is configured to do, and what it says of tests, over all batches of a run.

use std::time::Duration;

use offload_tests::{Finished, Project, Results};

/// A crate of tests with a configuration of nextest.
fn crate_of(code: &str, nextest: &str) -> Project {
    let project = Project::new()
        .file("Cargo.toml", "[package]\nname = \"shop\"\nedition = \"2021\"\n\n[workspace]\n")
        .file("src/lib.rs", code)
        .file(".config/nextest.toml", nextest);
    configured(project, "")
}

fn configured(project: Project, group: &str) -> Project {
    project.config(&format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n[provider]\ntype = \"local\"\n[groups.rust]\ntype = \"cargo\"\n{group}\n"
    ))
}

fn run(project: &Project) -> Finished {
    project.offload(&["run"]).patience(Duration::from_secs(400)).finish()
}

fn verdicts(results: &Results) -> Vec<(&str, &str)> {
    let mut verdicts: Vec<_> =
        results.tests.iter().map(|test| (test.id.trim_start_matches("shop "), test.verdict.as_str())).collect();
    verdicts.sort_unstable();
    verdicts
}

#[test]
fn how_a_process_ended_is_told() {
    let code = r#"
#[test]
fn aborts() { eprintln!("about to"); std::process::abort() }
#[test]
fn exits() { std::process::exit(7) }
#[test]
fn panics_and_aborts() { let _ = std::panic::catch_unwind(|| panic!("first")); std::process::abort() }
#[test]
fn overflows() { fn f(n: u64) -> u64 { if n == u64::MAX { 0 } else { std::hint::black_box(f(n + 1)) + 1 } } println!("{}", f(0)) }
#[test]
fn says_it() { assert_eq!(1, 2, "one is not two") }
#[test]
fn returns_it() -> Result<(), String> { Err("bad luck".into()) }
"#;
    let done = run(&crate_of(code, "")).exits(1);
    let results = done.results();
    let message = |name: &str| results.test(&format!("shop {name}")).message().to_owned();
    assert_eq!(message("aborts"), "its process was ended by SIGABRT: about to");
    assert_eq!(message("exits"), "test failed with exit code 7");
    assert_eq!(message("panics_and_aborts"), "first (SIGABRT)");
    assert!(message("overflows").contains("SIGABRT"), "{}", message("overflows"));
    assert!(message("says_it").contains("one is not two"), "{}", message("says_it"));
    assert_eq!(message("returns_it"), "Error: \"bad luck\"");
    let text = done.junit().case("panics_and_aborts").text.clone();
    assert!(text.contains("panicked at src/lib.rs:7:") && text.contains("first"), "{text}");
}

#[test]
fn leaks_are_told() {
    let code = r#"
#[test]
fn fails_for_it() { std::process::Command::new("sleep").arg("1").spawn().unwrap(); }
#[test]
fn fails_and_leaks() { std::process::Command::new("sleep").arg("1").spawn().unwrap(); panic!("oh no") }
#[test]
fn only_leaks() { std::process::Command::new("sleep").arg("1").spawn().unwrap(); }
#[test]
fn passes() {}
"#;
    let nextest =
        "[[profile.default.overrides]]\nfilter = 'test(fails)'\nleak-timeout = { period = '100ms', result = 'fail' }\n";
    let done = run(&crate_of(code, nextest)).exits(1).says("`shop only_leaks` passed but leaked handles (LEAK)");
    let results = done.results();
    assert_eq!(
        verdicts(&results),
        [("fails_and_leaks", "failed"), ("fails_for_it", "failed"), ("only_leaks", "passed"), ("passes", "passed")]
    );
    let message = |name: &str| results.test(&format!("shop {name}")).message().to_owned();
    assert!(message("fails_for_it").contains("leaked handles"), "{}", message("fails_for_it"));
    assert_eq!(message("fails_and_leaks"), "oh no (leaked handles)");
}

/// `retries` are nextest's own: offload's `retry_count` is 0 here.
#[test]
fn a_test_that_nextest_repeats_is_flaky() {
    let code = r#"
#[test]
fn flaky() { assert!(std::env::var("NEXTEST_ATTEMPT").unwrap() == "3", "not yet") }
#[test]
fn fails() { panic!("never") }
#[test]
fn passes() {}
"#;
    let nextest = "[[profile.default.overrides]]\nfilter = 'test(flaky)'\nretries = 2\n";
    let done = run(&crate_of(code, nextest)).exits(1);
    let results = done.results();
    assert_eq!(verdicts(&results), [("fails", "failed"), ("flaky", "flaky"), ("passes", "passed")]);
    assert_eq!(results.test("shop flaky").statuses(), ["failed", "failed", "passed"]);
    assert_eq!(results.test("shop flaky").attempts[1].message.as_deref(), Some("not yet"));
    let case = done.junit().case("flaky").clone();
    assert!(case.elements.iter().any(|element| element == "flakyFailure"), "{case:?}");
    let project = crate_of(&code.replace("panic!(\"never\")", ""), nextest);
    run(&project).exits(2);
    let project = project.file(".config/nextest.toml", "[profile.default]\nretries = 1\n");
    let results = run(&project).exits(1).results();
    assert_eq!(results.test("shop flaky").statuses(), ["failed", "failed"]);
}

#[test]
fn a_test_that_is_too_slow_fails_by_itself() {
    let code =
        "#[test]\nfn hangs() { std::thread::sleep(std::time::Duration::from_secs(100)) }\n#[test]\nfn passes() {}\n";
    let nextest = "[profile.default]\nslow-timeout = { period = '500ms', terminate-after = 2 }\n";
    let results = run(&crate_of(code, nextest)).exits(1).results();
    assert_eq!(verdicts(&results), [("hangs", "failed"), ("passes", "passed")]);
    let message = results.test("shop hangs").message().to_owned();
    assert!(message.contains("time limit exceeded") && message.contains("slow-timeout"), "{message}");
}

#[test]
fn ignored_tests_have_their_reason() {
    let code = "#[test]\n#[ignore = \"needs the big server\"]\nfn loads() {}\n#[test]\n#[ignore]\nfn bare() {}\n#[test]\nfn passes() {}\n";
    let project =
        crate_of(code, "").file("tests/it.rs", "#[test]\n#[ignore = \"é <&> \\\"quoted\\\"\"]\nfn strange() {}\n");
    let done = run(&project).exits(0);
    let results = done.results();
    assert_eq!(results.count("skipped"), 3);
    assert_eq!(results.test("shop loads").message(), "needs the big server");
    assert_eq!(results.test("shop bare").message(), "marked #[ignore]");
    assert_eq!(results.test("shop::it strange").message(), "é <&> \"quoted\"");
    assert_eq!(done.junit().case("loads").classname.as_deref(), Some("shop"));
}

const SET_UP: &str = r#"
experimental = ["setup-scripts"]
[scripts.setup.second]
command = "sh -c 'echo second >>ran; printf \"no end\"'"
[scripts.setup.first]
command = { command-line = ["sh", "set-up.sh"], env = { GREETING = "hello" } }
[scripts.setup.unused]
command = "sh -c 'echo unused >>ran'"
[[profile.default.scripts]]
filter = "test(needs)"
setup = ["first", "second"]
[[profile.default.scripts]]
filter = "test(nothing_is_called_so)"
setup = "unused"
"#;

fn needing(count: usize) -> String {
    let test = |number: usize| {
        format!(
            "#[test]\nfn needs_{number}() {{ assert_eq!(std::env::var(\"MADE\").unwrap(), \"hello once\"); \
             std::thread::sleep(std::time::Duration::from_millis(100)) }}\n"
        )
    };
    let free = "#[test]\nfn is_free() { assert!(std::env::var(\"MADE\").is_err()) }\n".to_owned();
    (0..count).map(test).chain([free]).collect()
}

/// A crate of several binaries, so that there are several batches.
fn crate_that_needs(set_up: &str, nextest: &str) -> Project {
    crate_of(&needing(4), nextest)
        .file("tests/one.rs", needing(4))
        .file("tests/two.rs", needing(4))
        .file("set-up.sh", set_up)
}

#[test]
fn set_up_scripts_run_once_and_all_tests_have_what_they_export() {
    let set_up = "echo first >>ran\nsleep 0.5\necho \"MADE=$GREETING once\" >>\"$NEXTEST_ENV\"\n";
    let project = crate_that_needs(set_up, SET_UP);
    let done = run(&project).exits(0).says("set-up scripts (second, first, unused) run once");
    assert_eq!(done.results().count("passed"), 15);
    assert!(done.events_of("batch-started").len() > 1, "one batch shows nothing");
    assert_eq!(project.read("ran"), "second\nfirst\n");
    // Another run has them run again.
    run(&project).exits(0);
    assert_eq!(project.read("ran"), "second\nfirst\nsecond\nfirst\n");
}

#[test]
fn a_set_up_script_that_fails_fails_what_needs_it() {
    let project = crate_that_needs("echo first >>ran\necho no database >&2\nexit 3\n", SET_UP);
    let done = run(&project)
        .exits(1)
        .says("no database")
        .says("the set-up script `first` of nextest's configuration failed with exit code 3");
    let results = done.results();
    assert!(results.tests.iter().filter(|test| test.id.contains("needs")).all(|test| test.verdict == "error"));
    assert_eq!(project.read("ran").matches("first").count(), 1);
}

/// As older versions have it.
#[test]
fn set_up_scripts_of_older_configurations_run_once() {
    let nextest = "experimental = ['setup-scripts']\n[script.first]\ncommand = 'sh set-up.sh'\n[[profile.default.scripts]]\n\
                   filter = 'test(needs)'\nsetup = 'first'\n";
    let project = crate_that_needs("echo first >>ran\necho \"MADE=hello once\" >>\"$NEXTEST_ENV\"\n", nextest);
    run(&project).exits(0);
    assert_eq!(project.read("ran"), "first\n");
}

/// Tests that hold a file that nothing else may have meanwhile, and tests that look whether it is there.
fn holding(module: &str, count: usize, other: &str) -> String {
    let held = r#"
#[cfg(test)]
const PLACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/held");
#[cfg(test)]
fn hold() {
    std::fs::OpenOptions::new().write(true).create_new(true).open(PLACE).expect("it is held");
    std::thread::sleep(std::time::Duration::from_millis(150));
    std::fs::remove_file(PLACE).unwrap();
}
#[cfg(test)]
fn watch() {
    for _ in 0..20 {
        assert!(!std::path::Path::new(PLACE).exists(), "another is to be alone");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
"#;
    let tests =
        |call: &str| (0..count).map(|number| format!("#[test]\nfn t{number}() {{ {call} }}\n")).collect::<String>();
    format!(
        "{held}\n#[cfg(test)]\nmod {module} {{\n{}}}\n#[cfg(test)]\nmod other {{\n{}}}\n",
        tests("super::hold()"),
        tests(other)
    )
}

#[test]
fn a_test_group_holds_over_all_sandboxes() {
    let nextest = "[test-groups]\ndevice = { max-threads = 1 }\n[[profile.default.overrides]]\nfilter = 'test(device)'\n\
                   test-group = 'device'\n";
    let code = holding("device", 6, "std::thread::sleep(std::time::Duration::from_millis(100))");
    let project = crate_of(&code, nextest);
    let done = run(&project).exits(0);
    let mut sandboxes: Vec<_> =
        done.results().tests.iter().filter_map(|test| test.attempts[0].sandbox.clone()).collect();
    sandboxes.sort_unstable();
    sandboxes.dedup();
    assert_eq!(sandboxes.len(), 2, "one sandbox shows nothing");
}

#[test]
fn a_test_that_requires_all_threads_runs_alone() {
    let nextest = "[[profile.default.overrides]]\nfilter = 'test(exclusive)'\nthreads-required = 'num-test-threads'\n";
    run(&crate_of(&holding("exclusive", 4, "super::watch()"), nextest)).exits(0);
    // As many as there are sandboxes come to the same.
    let nextest = "[profile.ci]\n[[profile.ci.overrides]]\nfilter = 'test(exclusive)'\nthreads-required = 2\n";
    let project = configured(crate_of(&holding("exclusive", 4, "super::watch()"), nextest), "profile = \"ci\"");
    run(&project).exits(0);
}

#[test]
fn test_threads_hold_over_all_sandboxes() {
    let code = holding("serial", 4, "super::hold()");
    run(&crate_of(&code, "[profile.default]\ntest-threads = 1\n")).exits(0);
}

#[test]
fn a_profile_that_is_not_there_is_said() {
    let project = configured(crate_of("#[test]\nfn passes() {}\n", ""), "profile = \"nightly\"");
    run(&project).exits(3).says("nightly");
}

#[test]
fn what_is_not_kept_is_said_before_the_first_test() {
    let nextest = "[profile.default]\nglobal-timeout = '1h'\njunit.path = 'junit.xml'\n";
    let project = crate_of("#[test]\nfn passes() {}\n", nextest);
    run(&project).exits(0).says("`global-timeout` of nextest's profile `default`").says("`junit.path`");
    assert!(!project.exists("target/nextest/default/junit.xml"));
}
