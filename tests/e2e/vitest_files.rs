//! A file of vitest is one unit: its tests run in one process and in their order, as in `vitest run`.

use offload_tests::{Project, Results};

use crate::vitest::{VERSIONS, project};

/// One vitest for each sandbox, and one for each batch.
const WAYS: [&str; 2] = ["", "worker = false"];

/// Each version in each way.
fn everywhere() -> impl Iterator<Item = (u32, &'static str)> {
    VERSIONS.into_iter().flat_map(|version| WAYS.map(|way| (version, way)))
}

/// Tests that only pass one after the other.
const STORY: &str = r#"
import { appendFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";

let opened = 0;
beforeAll(() => void (opened += 1));
describe("account", () => {
  const wait = () => new Promise((done) => setTimeout(done, 50));
  let id;
  test("create", async () => { await wait(); id = 7; });
  test("read", async () => { await wait(); expect(id).toBe(7); });
  test("update", async () => { await wait(); expect(id).toBe(7); });
  test("delete", async () => { await wait(); expect(id).toBe(7); id = undefined; });
  test("gone", async () => { await wait(); expect([id, opened]).toEqual([undefined, 1]); });
});
test("was run", () => appendFileSync("runs.txt", "FILE\n"));
"#;

fn stories(project: Project) -> Project {
    let names = ["a", "b", "c", "d"];
    names.iter().fold(project, |project, name| project.file(&format!("{name}.test.js"), STORY.replace("FILE", name)))
}

#[test]
fn tests_of_a_file_stay_together_and_in_order() {
    for (version, way) in everywhere() {
        let project = stories(project(version, "retry_count = 0", way));
        // With and without a history that tells how long the tests take.
        for _ in 0..2 {
            let results = project.run(&[]).exits(0).results();
            assert_eq!(results.count("passed"), 24, "with vitest {version} {way}");
        }
        let runs = project.read("runs.txt");
        let mut runs: Vec<&str> = runs.lines().collect();
        runs.sort_unstable();
        assert_eq!(runs, ["a", "a", "b", "b", "c", "c", "d", "d"], "with vitest {version} {way}");
    }
}

/// What processes of tests are made of is the suite's own matter.
#[test]
fn files_run_in_each_kind_of_process() {
    for version in VERSIONS {
        for words in [
            &["--no-isolate"][..],
            &["--pool", "threads"],
            &["--pool", "vmForks"],
            &["--pool", "vmThreads", "--no-isolate"],
        ] {
            let group = format!("extra_args = {words:?}");
            let results = stories(project(version, "retry_count = 0", &group)).run(&[]).exits(0).results();
            assert_eq!(results.count("passed"), 24, "with vitest {version} and {words:?}");
        }
    }
}

const SNAPSHOTS: &str = r#"
import { expect, test } from "vitest";
test("first", () => { expect([1]).toMatchSnapshot(); expect([2]).toMatchSnapshot(); });
test("second", () => expect([3]).toMatchSnapshot());
test("in line", () => expect([4]).toMatchInlineSnapshot());
"#;

/// They are written, counted and found as in `vitest run`; where none may be written, one that nothing asks for is an error with
/// vitest 4.
#[test]
fn snapshots_are_those_of_a_whole_file() {
    for (version, way) in everywhere() {
        let project = project(version, "retry_count = 0", way).file("a.test.js", SNAPSHOTS);
        let run = |ci: &str, code: i32| project.offload(&["run"]).env("CI", ci).finish().exits(code).results();
        run("", 0);
        let written = project.read("__snapshots__/a.test.js.snap");
        for name in ["first 1", "first 2", "second 1"] {
            assert!(written.contains(&format!("exports[`{name}`]")), "with vitest {version} {way}: {written}");
        }
        assert!(project.read("a.test.js").contains("toMatchInlineSnapshot(`"), "with vitest {version} {way}");
        assert_eq!(run("1", 0).count("passed"), 3, "with vitest {version} {way}");
        let project = project.file("a.test.js", SNAPSHOTS.replace("second", "another"));
        let results = project.offload(&["run"]).env("CI", "1").finish().exits(1).results();
        assert_eq!(results.verdict("a.test.js > another"), "failed", "with vitest {version} {way}");
    }
}

/// Whoever asks for files one after the other gets them so.
#[test]
fn files_without_parallelism_never_meet() {
    let test = r#"
        import { existsSync, rmSync, writeFileSync } from "node:fs";
        import { expect, test } from "vitest";
        test("alone", async () => {
          expect(existsSync("lock")).toBe(false);
          writeFileSync("lock", "");
          await new Promise((done) => setTimeout(done, 300));
          rmSync("lock");
        });
    "#;
    let files = |project: Project| {
        (0..4).fold(project, |project, file| project.file(&format!("{file}.test.js"), test)).run(&[]).exits(0)
    };
    for (version, way) in everywhere() {
        files(project(version, "retry_count = 0", &format!("{way}\nextra_args = [\"--no-file-parallelism\"]")));
        let one = if version == 3 { "poolOptions: { forks: { singleFork: true } }" } else { "maxWorkers: 1" };
        let config = format!("export default {{ test: {{ {one} }} }};\n");
        files(project(version, "retry_count = 0", way).file("vitest.config.js", config));
    }
}

/// A name that is another each time that the file is loaded still stands for the same test.
#[test]
fn names_that_change_are_told_by_their_places() {
    let test = "import { expect, test } from \"vitest\";\n\
                test(`works ${Math.random()}`, () => {});\ntest(`fails ${Math.random()}`, () => expect(1).toBe(2));\n";
    for (version, way) in everywhere() {
        let results = project(version, "retry_count = 0", way).file("a.test.js", test).run(&[]).exits(1).results();
        let verdict = |name: &str| {
            let found: Vec<_> = results.tests.iter().filter(|test| test.id.contains(name)).collect();
            assert_eq!(found.len(), 1, "with vitest {version} {way}: {:?}", results.ids());
            found[0].verdict.clone()
        };
        assert_eq!([verdict("works"), verdict("fails")], ["passed", "failed"], "with vitest {version} {way}");
    }
}

/// Discovery loads files one after the other in one process, which they do not notice.
#[test]
fn files_do_not_meet_while_tests_are_looked_for() {
    let test = "import { expect, test } from \"vitest\";\nimport { count } from \"./count\";\n\
                test(`number ${count()}`, () => expect(count()).toBe(2));\n";
    let count = "let calls = 0;\nexport function count(): number {\n  calls += 1;\n  return calls;\n}\n";
    for version in VERSIONS {
        let project = project(version, "retry_count = 0", "").file("count.ts", count);
        let project = ["a", "b", "c"].iter().fold(project, |it, name| it.file(&format!("{name}.test.ts"), test));
        let results = project.run(&[]).exits(0).results();
        let mut ids = results.ids();
        ids.sort_unstable();
        let expected = ["a", "b", "c"].map(|name| format!("{name}.test.ts > number 1"));
        assert_eq!(ids, expected, "with vitest {version}");
    }
}

const OWN_RETRIES: &str = r#"
import { existsSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
test("steady", () => {});
test("shaky", () => {
  const was = existsSync("once");
  writeFileSync("once", "");
  expect(was).toBe(true);
});
"#;

/// Vitest's own retries are no retries of offload, and a test that needs them is flaky.
#[test]
fn what_vitest_itself_tries_again_is_flaky() {
    for (version, way) in everywhere() {
        let project = project(version, "retry_count = 0", way)
            .file("vitest.config.js", "export default { test: { retry: 2 } };\n")
            .file("a.test.js", OWN_RETRIES);
        let results: Results = project.run(&[]).exits(2).results();
        assert_eq!(results.test("a.test.js > shaky").statuses(), ["failed", "passed"], "with vitest {version} {way}");
        assert!(results.test("a.test.js > shaky").attempts[0].message.as_deref().is_some_and(|it| it.contains("true")));
        assert_eq!(results.test("a.test.js > steady").statuses(), ["passed"], "with vitest {version} {way}");
    }
}

/// In plain vitest no two files that run at the same time have the same number.
#[test]
fn sandboxes_have_numbers_of_their_own() {
    let test = r#"
        import { writeFileSync } from "node:fs";
        import { test } from "vitest";
        test("is numbered", async () => {
          writeFileSync(`pool-${process.env.VITEST_POOL_ID}-${process.env.OFFLOAD_SLOT}`, "");
          await new Promise((done) => setTimeout(done, 500));
        });
    "#;
    for version in VERSIONS {
        let project = project(version, "retry_count = 0", "").file("a.test.js", test).file("b.test.js", test);
        let project = project.file("c.test.js", test).file("d.test.js", test);
        project.run(&[]).exits(0);
        assert!(project.exists("pool-1-0") && project.exists("pool-2-1"), "with vitest {version}");
    }
}
