//! Plain vitest can fail although no test did; so does offload, and says why.

use offload_tests::{Finished, Project};

use crate::vitest::{VERSIONS, project};

/// One vitest for each sandbox, and one for each batch.
const WAYS: [&str; 2] = ["", "worker = false"];

const PASSING: &str = "import { test } from \"vitest\";\ntest(\"it\", () => {});\n";

/// What a run says of the session as a whole.
#[track_caller]
fn session(done: &Finished) -> String {
    let results = done.results();
    let sessions: Vec<_> = results.tests.iter().filter(|test| test.id.starts_with("vitest session")).collect();
    assert!(sessions.len() == 1 && sessions[0].verdict == "error", "{}", done.said());
    sessions[0].message().to_owned()
}

fn check(project: impl Fn(u32) -> Project, expected: &str) {
    for version in VERSIONS {
        let done = project(version).run(&[]).exits(1);
        let message = session(&done);
        assert!(message.contains(expected), "with vitest {version}: {message}");
        assert_eq!(done.results().count("failed"), 0, "with vitest {version}: {}", done.said());
    }
}

/// Also after the last test of a process, and in whichever file.
#[test]
fn stray_errors_fail_the_run() {
    let stray = |act: &str| {
        format!("import {{ test }} from \"vitest\";\ntest(\"lets go\", () => void setTimeout(() => {{ {act} }}, 5));\n")
    };
    let slow = "import { test } from \"vitest\";\n\
                test(\"slow\", () => new Promise((done) => setTimeout(done, 100)));\n";
    let acts = ["Promise.reject(new Error(\"stray\"))", "throw new Error(\"stray\")"];
    for (way, pool) in WAYS.into_iter().zip(["threads", "forks"]) {
        for act in acts {
            let group = format!("{way}\nextra_args = [\"--pool\", \"{pool}\"]");
            let in_file = |version| {
                let project = project(version, "retry_count = 0", &group).file("b.test.js", PASSING);
                project.file("a.test.js", format!("{}{}", stray(act), slow.split_once('\n').expect("lines").1))
            };
            check(in_file, "unhandled error in a.test.js: stray");
        }
    }
    let config = "export default { test: { dangerouslyIgnoreUnhandledErrors: true } };\n";
    for (version, way) in VERSIONS.into_iter().flat_map(|version| WAYS.map(|way| (version, way))) {
        let test = stray("throw new Error(\"stray\")") + slow.split_once('\n').expect("lines").1;
        let project = project(version, "retry_count = 0", way).file("vitest.config.js", config);
        project.file("a.test.js", test).run(&[]).exits(0);
    }
}

/// A rejection that fails its test is told once.
#[test]
fn a_stray_error_of_a_test_that_fails_is_that_tests() {
    let test = "import { test } from \"vitest\";\ntest(\"it\", async () => {\n  void Promise.reject(new Error(\"stray\"));\n\
                await new Promise((done) => setTimeout(done, 20));\n  throw new Error(\"own\");\n});\n";
    for (version, way) in VERSIONS.into_iter().flat_map(|version| WAYS.map(|way| (version, way))) {
        let results = project(version, "retry_count = 0", way).file("a.test.js", test).run(&[]).exits(1).results();
        assert_eq!(results.ids(), ["a.test.js > it"], "with vitest {version} {way}");
        assert_eq!(results.verdict("a.test.js > it"), "failed", "with vitest {version} {way}");
    }
}

fn with_teardown(act: &str, way: &'static str) -> impl Fn(u32) -> Project {
    // Discovery sets up and tears down as well, and is not what this is about.
    let setup = format!(
        "import {{ existsSync }} from \"node:fs\";\nexport default () => () => {{ if (existsSync(\"ran\")) {{ {act} }} }};\n"
    );
    move |version| {
        project(version, "retry_count = 0", way)
            .file("setup.js", &setup)
            .file("vitest.config.js", "export default { test: { globalSetup: \"./setup.js\" } };\n")
            .file(
                "a.test.js",
                "import { writeFileSync } from \"node:fs\";\nimport { test } from \"vitest\";\n\
                 test(\"it\", () => writeFileSync(\"ran\", \"\"));\n",
            )
    }
}

#[test]
fn an_exit_code_that_something_set_fails_the_run() {
    for way in WAYS {
        check(with_teardown("process.exitCode = 3;", way), "vitest ended with exit code 3, which no test accounts for");
    }
}

#[test]
fn a_vitest_that_dies_after_its_tests_is_not_green() {
    for way in WAYS {
        check(with_teardown("process.kill(process.pid, \"SIGKILL\");", way), "after its tests, before it was done");
    }
}

/// Vitest 4 only shows a tear-down that throws; vitest 3 fails for it.
#[test]
fn a_global_tear_down_that_throws_is_judged_as_by_vitest() {
    for way in WAYS {
        let project = with_teardown("throw new Error(\"no global tear-down\");", way);
        let message = session(&project(3).run(&[]).exits(1).says("no global tear-down"));
        assert!(!message.is_empty());
        project(4).run(&[]).exits(0);
    }
}

/// A last hook that fails where the last test in its suite did not run.
#[test]
fn hooks_after_tests_fail_the_run_whatever_the_last_test_does() {
    let test = "import { afterAll, describe, test } from \"vitest\";\ndescribe(\"suite\", () => {\n\
                afterAll(() => { throw new Error(\"cannot close\"); });\n  test(\"runs\", () => {});\n\
                test(\"skips itself\", ({ skip }) => skip());\n});\n";
    for way in WAYS {
        check(|version| project(version, "retry_count = 0", way).file("a.test.js", test), "cannot close");
    }
}

/// All that is shown of a process that died is what the suite and vitest say.
#[test]
fn nothing_of_ours_is_shown() {
    let test = "import { test } from \"vitest\";\ntest(\"kills its process\", async () => {\n\
                process.kill(process.pid, \"SIGKILL\");\n  await new Promise((done) => setTimeout(done, 2000));\n});\n";
    for (version, way) in VERSIONS.into_iter().flat_map(|version| WAYS.map(|way| (version, way))) {
        let done = project(version, "retry_count = 0", way).file("a.test.js", test).run(&[]).exits(1);
        assert_eq!(done.verdict("a.test.js > kills its process"), "crashed", "with vitest {version} {way}");
        assert!(!done.report("junit.xml").contains("deprecated"), "with vitest {version} {way}");
        done.does_not_say("deprecated").does_not_say("runs in batches");
    }
}

/// What a plain run would do and this one cannot is said by name.
#[test]
fn what_is_passed_over_is_said() {
    let config = "export default { test: { reporters: [\"default\", \"junit\", \"./own.js\"], coverage: { enabled: true, thresholds: { lines: 100 } } } };\n";
    for (version, way) in VERSIONS.into_iter().flat_map(|version| WAYS.map(|way| (version, way))) {
        let project = project(version, "", way).file("vitest.config.js", config).file("a.test.js", PASSING);
        let done = project.file("own.js", "export default class Own {}\n").run(&[]).exits(0);
        done.says("coverage is not measured").says("whether they fail the run: junit, ./own.js");
    }
}
