//! Groups of type `vitest`, with each major version that offload works with, held against what vitest says by itself.

use std::path::{Path, PathBuf};

use offload_tests::{DefaultProvider, Project, compare, plain_vitest, vitest};

pub const VERSIONS: [u32; 2] = [3, 4];

const LOCAL: &str = "[provider]\ntype = \"local\"\n";

fn suite(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("suites/vitest").join(name)
}

fn config(offload: &str, provider: &str, group: &str) -> String {
    format!("[offload]\nmax_parallel = 2\n{offload}\n{provider}\n[groups.js]\ntype = \"vitest\"\n{group}\n")
}

/// A project with vitest installed, and with the local provider.
pub fn project(version: u32, offload: &str, group: &str) -> Project {
    Project::new()
        .link("node_modules", &vitest(version))
        .file("package.json", "{ \"private\": true, \"type\": \"module\" }\n")
        .config(&config(offload, LOCAL, group))
}

fn agrees(version: u32) -> Project {
    project(version, "retry_count = 0", "").copy_of(&suite("agrees"))
}

#[track_caller]
fn check_agreement(project: &Project) {
    let plain = plain_vitest(project);
    assert!(plain.len() > 60, "{}", plain.len());
    let done = project.run(&[]).exits(1);
    if let Some(differences) = compare(&plain, &done.results(), str::to_owned) {
        panic!("{differences}");
    }
    assert!(!project.exists("hacked"), "a name was interpreted by a shell");
    let junit = done.junit();
    let case = junit.cases().find(|case| case.name == "twins > same" && case.has("failure")).expect("it is there");
    assert_eq!(case.classname.as_deref(), Some("src/names.test.ts"));
    assert_eq!(case.file.as_deref(), Some("src/names.test.ts"));
    assert!(case.text.contains("expected 1 to be 2") && case.text.contains("- 2\n+ 1"), "{}", case.text);
    let printed = junit.case("prints");
    assert!(printed.text.contains("printed by a test") && printed.text.contains("shouted by a test"), "{printed:?}");
}

#[test]
fn says_of_every_test_what_vitest_says() {
    for version in VERSIONS {
        check_agreement(&agrees(version));
    }
}

#[test]
fn so_it_does_with_the_default_provider() {
    let project = agrees(4);
    let provider = DefaultProvider::default();
    let table = provider.install(&project);
    check_agreement(&project.config(&config("retry_count = 0", &table, "")));
}

/// Even where each is a batch of its own.
#[test]
fn tests_of_one_name_are_told_apart_one_by_one() {
    let project = project(4, "retry_count = 0", "schedule_individual = true").file(
        "a.test.ts",
        "import { expect, test } from \"vitest\";\n\
         test(\"same\", () => {});\ntest(\"same\", () => expect(1).toBe(2));\ntest(\"same\", () => {});\n",
    );
    let results = project.run(&[]).exits(1).results();
    let verdicts =
        ["same", "same #2", "same #3"].map(|name| results.verdict(&format!("a.test.ts > {name}")).to_owned());
    assert_eq!(verdicts, ["passed", "failed", "passed"]);
}

#[test]
fn what_no_id_can_hold_is_spelled() {
    let project = project(4, "", "").file(
        "a.test.ts",
        "import { test } from \"vitest\";\ntest(\"nul \\0\", () => {});\ntest(\"half \\ud83d\", () => {});\n\
         test(\"\\u241b0000\", () => {});\n",
    );
    let results = project.run(&[]).exits(0).results();
    let mut ids = results.ids();
    ids.sort_unstable();
    let expected =
        ["half \u{241b}d83d", "nul \u{241b}0000", "\u{241b}241b0000"].map(|name| format!("a.test.ts > {name}"));
    assert_eq!(ids, expected);
}

/// Plain vitest fails the run for each of these, whatever it says of the tests.
#[test]
fn what_fails_outside_of_tests_is_an_error() {
    for version in VERSIONS {
        let project = project(version, "retry_count = 0", "").copy_of(&suite("outside"));
        let done = project.run(&[]).exits(1);
        let results = done.results();
        for (id, verdict, message) in [
            ("hooks.test.ts > no set-up > one", "error", "cannot set up"),
            ("hooks.test.ts > no set-up > two", "error", "cannot set up"),
            ("hooks.test.ts > no tear-down > first", "passed", ""),
            ("hooks.test.ts > no tear-down > last", "error", "cannot tear down"),
            ("empty.test.ts", "error", "no test found in the suite \"nothing in it\""),
            ("empty.test.ts > beside", "passed", ""),
            ("none.test.ts", "error", "no test found in the file"),
            ("syntax.test.ts", "error", "Transform failed"),
            ("missing.test.ts", "error", "nowhere-to-be-found"),
            ("stray.test.ts > lets an error go", "passed", ""),
            ("stray.test.ts > innocent", "passed", ""),
            ("at-load.test.ts > passes", "passed", ""),
        ] {
            let test = results.test(id);
            assert_eq!(test.verdict, verdict, "{id} with vitest {version}: {}", test.message());
            assert!(test.message().contains(message), "{id} with vitest {version}: {}", test.message());
        }
        let sessions = results.tests.iter().filter(|test| test.id.starts_with("vitest session"));
        let mut messages: Vec<&str> = sessions.map(|session| session.message()).collect();
        messages.sort_unstable();
        assert!(
            messages.len() == 2
                && messages[0].starts_with("unhandled error in at-load.test.ts: thrown while the file was loaded")
                && messages[1].starts_with("unhandled error in stray.test.ts: nobody caught me"),
            "with vitest {version}: {messages:?}"
        );
        assert_eq!(results.tests.len(), 14, "{:?}", results.ids());
    }
}

/// Each test notes that it ran.
const NOTES: &str = r#"
import { appendFileSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

function note(name: string): number {
  appendFileSync(`${import.meta.dirname}/notes.txt`, `${name}\n`);
  return readFileSync(`${import.meta.dirname}/notes.txt`, "utf8").split("\n").filter((it) => it === name).length;
}
"#;

#[test]
fn each_test_runs_once_and_what_failed_again_after_those_before_it() {
    for version in VERSIONS {
        let tests = |file: &str| {
            format!(
                "{NOTES}\ntest(\"works\", () => void note(\"{file} works\"));\ntest(\"{file}\", () => void note(\"{file}\"));\n"
            )
        };
        let flaky = "test(\"flaky\", () => expect(note(\"flaky\")).toBe(2));\n";
        let project = project(version, "retry_count = 2", "")
            .file("a.test.ts", tests("a") + flaky)
            .file("aa.test.ts", tests("aa"))
            .file("lib/a.test.ts", tests("lib"));
        let results = project.run(&[]).exits(2).results();
        assert_eq!(results.test("a.test.ts > flaky").statuses(), ["failed", "passed"]);
        assert_eq!(results.count("passed"), 6);
        let notes = project.read("notes.txt") + &project.read("lib/notes.txt");
        let mut notes: Vec<&str> = notes.lines().collect();
        notes.sort_unstable();
        // A test relies on those before it in its file.
        let again = ["a", "a", "a works", "a works"];
        assert_eq!(notes, [&again[..], &["aa", "aa works", "flaky", "flaky", "lib", "lib works"]].concat());
    }
}

const THREE: &str = "import { test } from \"vitest\";\ntest(\"before\", () => {});\n\
                     test(\"it\", () => { ACT });\ntest(\"after\", () => {});\n";

#[test]
fn a_test_that_never_ends_costs_itself_alone() {
    for version in VERSIONS {
        let project =
            project(version, "test_timeout_secs = 10", "").file("a.test.ts", THREE.replace("ACT", "while (true) {}"));
        let done = project.run(&[]).exits(1);
        let results = done.results();
        assert_eq!(results.test("a.test.ts > it").statuses(), ["timed-out"], "with vitest {version}");
        assert_eq!(results.count("passed"), 2);
    }
}

/// As if it was part of the test before it, which no other can be blamed for.
#[test]
fn hooks_that_never_end_or_kill_are_seen() {
    let test = "import { afterAll, describe, test } from \"vitest\";\n\
                describe(\"first\", () => { afterAll(() => { ACT }); test(\"a\", () => {}); test(\"b\", () => {}); });\n\
                describe(\"second\", () => { test(\"c\", () => {}); });\n";
    for version in VERSIONS {
        let hook = |act: &str| {
            let project = project(version, "test_timeout_secs = 10\nretry_count = 0", "");
            project.file("a.test.ts", test.replace("ACT", act)).run(&[]).exits(1).results()
        };
        for (act, verdict) in
            [("while (true) {}", "timed-out"), ("process.kill(process.pid, \"SIGKILL\"); while (true) {}", "crashed")]
        {
            let results = hook(act);
            assert_eq!(results.verdict("a.test.ts > first > b"), verdict, "with vitest {version}");
            // The hook runs after each batch that has a test of its suite, and `a` may have been in another one.
            assert_eq!(results.verdict("a.test.ts > second > c"), "passed", "with vitest {version}");
        }
    }
}

#[test]
fn a_test_that_kills_its_process_costs_itself_alone() {
    for version in VERSIONS {
        for pool in ["forks", "threads"] {
            let group = format!("extra_args = [\"--pool\", \"{pool}\"]");
            let project = project(version, "retry_count = 1", &group)
                .file("a.test.ts", THREE.replace("ACT", "process.kill(process.pid, \"SIGKILL\"); while (true) {}"));
            let results = project.run(&[]).exits(1).results();
            let statuses = results.test("a.test.ts > it").statuses();
            assert_eq!(statuses, ["crashed", "crashed"], "with vitest {version} in {pool}");
            assert_eq!(results.count("passed"), 2);
        }
    }
}

/// The command may go elsewhere: discovery and runs mean the same files all the same.
#[test]
fn a_command_may_change_its_directory() {
    let project = Project::new()
        .file("web/src/a.test.js", "import { test } from \"vitest\";\ntest(\"it\", () => {});\n")
        .link("web/node_modules", &vitest(4))
        .script("in-web", "#!/bin/sh\ncd web && exec npx --no-install vitest \"$@\"\n")
        .config(&config("retry_count = 0", LOCAL, "command = \"./in-web\""));
    assert_eq!(project.run(&[]).exits(0).results().ids(), ["web/src/a.test.js > it"]);
}

#[test]
fn no_tests_are_3() {
    for version in VERSIONS {
        project(version, "", "").run(&[]).exits(3).says("no tests were found");
    }
}

#[test]
fn what_keeps_vitest_from_starting_is_shown() {
    let broken = |group: &str, config: &str| {
        let project =
            project(4, "", group).file("a.test.ts", "import { test } from \"vitest\";\ntest(\"it\", () => {});\n");
        project.file("vitest.config.ts", config).run(&[]).exits(3)
    };
    broken("command = \"no-such-vitest\"", "export default {};\n").says("`no-such-vitest` was not found");
    broken("extra_args = [\"--no-such-option\"]", "export default {};\n").says("--no-such-option");
    broken("", "export default { test: { globalSetup: \"./nowhere.ts\" } };\n").says("nowhere.ts");
    broken("", "throw new Error(\"no configuration today\");\n").says("no configuration today");
    broken("", "export default { test: { runner: \"./own.ts\" } };\n").says("has a runner of its own");
}

#[test]
fn projects_and_paths_select() {
    let config = r#"export default { test: { projects: [
        { test: { name: "one", env: { WHICH: "one" } } },
        { test: { name: "two", env: { WHICH: "two" }, pool: "threads", isolate: false } },
    ] } };"#;
    let test = "import { expect, test } from \"vitest\";\n\
                test(\"which\", () => expect(process.env.WHICH).toBe(\"one\"));\n";
    for version in VERSIONS {
        let run = |group: &str, code: i32| {
            let project = project(version, "retry_count = 0", group).file("other.config.ts", config);
            let project = project.file("a.test.ts", test).file("b/b.test.ts", test);
            project.run(&[]).exits(code).results()
        };
        let both = run("config = \"other.config.ts\"", 1);
        for (id, verdict) in [
            ("[one] a.test.ts > which", "passed"),
            ("[one] b/b.test.ts > which", "passed"),
            ("[two] a.test.ts > which", "failed"),
            ("[two] b/b.test.ts > which", "failed"),
        ] {
            assert_eq!(both.verdict(id), verdict, "{id} with vitest {version}");
        }
        let narrow = "config = \"other.config.ts\"\nproject = \"one\"\npaths = [\"b/\"]";
        assert_eq!(run(narrow, 0).ids(), ["[one] b/b.test.ts > which"]);
    }
}

#[test]
fn bail_holds_for_the_whole_run() {
    let project = project(4, "retry_count = 0", "max_parallel = 1\nschedule_individual = true")
        .file("vitest.config.ts", "export default { test: { bail: 2 } };\n")
        .file(
            "a.test.ts",
            "import { expect, test } from \"vitest\";\n\
             test.each([1, 2, 3, 4, 5, 6])(\"number %i\", async (number) => {\n  \
             await new Promise((done) => setTimeout(done, 400));\n  expect(number).toBe(0);\n});\n",
        );
    let results = project.run(&[]).exits(1).results();
    // One more may have begun before the second failure was heard of.
    assert!(results.count("failed") >= 2 && results.count("not-run") >= 2, "{:?}", results.summary);
}

/// What tests replace must not reach what tells of them.
#[test]
fn tests_may_replace_whatever_they_can_reach() {
    let test = r#"
import fs from "node:fs";
import { beforeEach, expect, test, vi } from "vitest";

vi.mock("node:path");
beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(fs, "appendFileSync").mockImplementation(() => { throw new Error("no writing"); });
  vi.spyOn(JSON, "stringify").mockReturnValue("nothing");
});
test("passes", () => expect(JSON.stringify([])).toBe("nothing"));
test("fails", () => expect(1).toBe(2));
"#;
    for version in VERSIONS {
        let done = project(version, "retry_count = 0", "").file("a.test.ts", test).run(&[]).exits(1);
        assert_eq!(done.verdict("a.test.ts > passes"), "passed");
        assert_eq!(done.verdict("a.test.ts > fails"), "failed");
    }
}
