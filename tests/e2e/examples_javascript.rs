//! The example in JavaScript: a suite of node's own test runner, held against what `node --test` says by itself.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use offload_tests::{DefaultProvider, Project, example};

const HEAD: &str =
    "const { test, describe, it, after } = require('node:test');\nconst assert = require('node:assert');\n";

/// Files by path, with what they are and the verdict.
const FILES: [(&str, &str, &str); 12] = [
    ("passes.test.js", "test('a', () => {}); describe('d', () => { it('b', () => {}) });", "passed"),
    ("test/is in.test/too.js", "test('a', () => {});", "passed"),
    ("odd [id] 'n' $HOME.test.js", "test('<&\">', () => {});", "passed"),
    ("plain-test.js", "assert.ok(true);", "passed"),
    ("fails.test.js", "describe('d', () => { it('good', () => {}); it('<b>', () => assert.equal(1, 2)) });", "failed"),
    ("subtest.test.js", "test('a', async (t) => { await t.test('b', () => { throw new Error('no') }) });", "failed"),
    ("skips.test.js", "test('a', { skip: 'not here' }, () => {});", "skipped"),
    ("todo.test.js", "test('a', { todo: 'later' }, () => { throw new Error('known') });", "xfailed"),
    ("hook.test.js", "describe('d', () => { after(() => { throw new Error('no') }); it('a', () => {}) });", "error"),
    ("loads-not.test.js", "this is no JavaScript", "error"),
    ("exits.test.js", "test('a', () => {}); test('b', () => process.exit(3));", "error"),
    ("dies.test.js", "test('a', () => process.kill(process.pid, 'SIGSEGV'));", "error"),
];

/// Prints the file of every event.
const FILE_REPORTER: &str = "--test-reporter=data:text/javascript,export default async function*(source){\
                             for await(const event of source) if(event.data.file) yield event.data.file+'\\0'}";

fn project(provider: &str, offload: &str, group: &str) -> Project {
    let path = example("node_test");
    Project::new().config(&format!(
        "[offload]\nmax_parallel = 2\n{offload}\n[plugins.node-test]\npath = {path:?}\n\
         [plugins.node-test.allow]\nrun = [\"node\"]\n{provider}\n[groups.unit]\ntype = \"node-test\"\n{group}\n"
    ))
}

fn local(offload: &str, group: &str) -> Project {
    project("[provider]\ntype = \"local\"\n", offload, group)
}

fn with_files(project: Project) -> Project {
    let project = project.file("node_modules/x/x.test.js", "throw new Error('not ours')").file("helper.js", "");
    FILES.iter().fold(project, |project, (path, body, _)| project.file(path, format!("{HEAD}{body}")))
}

fn node(project: &Project, arguments: &[&str]) -> std::process::Output {
    let mut node = Command::new("node");
    node.args(arguments).current_dir(project.path()).stdin(Stdio::null()).output().expect("node starts")
}

/// The files that node finds and runs by itself.
fn found_by_node(project: &Project) -> BTreeSet<String> {
    let root = format!("{}/", project.path().canonicalize().expect("the project is there").display());
    let output = node(project, &["--test", FILE_REPORTER]);
    let files = String::from_utf8(output.stdout).expect("the files' names are UTF-8");
    files.split_terminator('\0').map(|file| file.strip_prefix(&root).unwrap_or(file).to_owned()).collect()
}

#[test]
fn says_what_node_says() {
    let project = with_files(local("retry_count = 0", ""));
    let found = found_by_node(&project);
    assert_eq!(found, FILES.iter().map(|(path, ..)| (*path).to_owned()).collect());

    let done = project.run(&[]).exits(1);
    let results = done.results();
    assert_eq!(results.ids().into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), found);
    for (path, _, expected) in FILES {
        assert_eq!(results.verdict(path), expected, "{path}: {}", results.test(path).message());
        let absolute = project.path().join(path).display().to_string();
        let is_good = node(&project, &["--test", &absolute]).status.success();
        assert_eq!(is_good, ["passed", "skipped", "xfailed"].contains(&expected), "{path}, by node itself");
    }
    for (path, message) in [
        ("fails.test.js", "d > <b>: 1 == 2"),
        ("subtest.test.js", "a > b: no"),
        ("skips.test.js", "not here"),
        ("todo.test.js", "later"),
        ("hook.test.js", "d failed outside of its tests: no"),
        ("loads-not.test.js", "its process ended with exit code 1: SyntaxError"),
        ("exits.test.js", "its process ended with exit code 3"),
        ("dies.test.js", "its process was killed by SIGSEGV"),
    ] {
        let said = results.test(path).message().to_owned();
        assert!(said.starts_with(message), "{path}: {said}");
    }
    let case = done.junit().case("fails.test.js").clone();
    assert!(case.has("failure") && case.text.contains("AssertionError"), "{case:?}");
    assert!(results.tests.iter().all(|test| test.duration > 0.0));
}

#[test]
fn says_the_same_through_other_machines() {
    let plain = with_files(Project::new());
    let provider = DefaultProvider::default();
    let table = provider.install(&plain);
    let path = example("node_test");
    let project = plain.config(&format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n[plugins.node-test]\npath = {path:?}\n\
         [plugins.node-test.allow]\nrun = [\"node\"]\n{table}\n[groups.unit]\ntype = \"node-test\"\n"
    ));
    let results = project.run(&[]).exits(1).results();
    provider.check_nothing_left(&project);
    for (path, _, expected) in FILES {
        assert_eq!(results.verdict(path), expected, "{path}: {}", results.test(path).message());
    }
}

/// Node itself takes this for a success.
#[test]
fn what_is_cut_off_by_an_exit_is_no_success() {
    let cut_off = "test('a', () => {}); test('b', () => process.exit(0)); test('c', () => { throw new Error('no') });";
    let project = local("retry_count = 0", "").file("a.test.js", format!("{HEAD}{cut_off}"));
    assert!(node(&project, &["--test"]).status.success());
    project.run(&[]).exits(1).says("process.exit() ended this file before node had told of all its tests");
}

#[test]
fn a_file_that_hangs_costs_itself_alone() {
    let hangs = "test('a', () => new Promise((done) => setTimeout(done, 600_000)));";
    let project = local("retry_count = 1\ntest_timeout_secs = 5", "")
        .file("a.test.js", format!("{HEAD}test('a', () => {{}});"))
        .file("hangs.test.js", format!("{HEAD}{hangs}"))
        .file("z.test.js", format!("{HEAD}test('a', () => {{}});"));
    // Whoever sees the component first compiles it, and that is not what is timed here.
    project.offload(&["plugin", "list"]).finish().exits(0);
    let done = project.run(&[]).exits(1);
    assert_eq!(done.verdict("hangs.test.js"), "timed-out");
    assert_eq!(done.results().count("passed"), 2, "{:?}", done.results().summary);
    assert!(done.took < Duration::from_secs(40), "about one timeout, not {:?}", done.took);
}

#[test]
fn what_passes_in_the_second_attempt_is_flaky() {
    let flaky = "const fs = require('node:fs'); const seen = fs.existsSync('seen'); fs.writeFileSync('seen', '');\n\
                 test('a', () => assert.ok(seen, 'not yet'));";
    let project = local("retry_count = 2", "").file("a.test.js", format!("{HEAD}{flaky}"));
    let done = project.run(&[]).exits(2);
    assert_eq!(done.results().test("a.test.js").statuses(), ["failed", "passed"]);
}

#[test]
fn a_group_has_its_directory_its_paths_and_its_arguments() {
    let group =
        "working_dir = \"app\"\npaths = [\"a.test.js\", \"unusual.js\"]\nnode_args = [\"--require\", \"./set-up.cjs\"]";
    let project = local("retry_count = 0", group)
        .file("app/set-up.cjs", "globalThis.wasSetUp = true;")
        .file("app/a.test.js", format!("{HEAD}test('a', () => assert.ok(globalThis.wasSetUp));"))
        .file("app/b.test.js", "throw new Error('not asked for')")
        .file("app/unusual.js", format!("{HEAD}test('a', () => {{}});"));
    let done = project.run(&[]).exits(0);
    assert_eq!(done.results().ids(), ["a.test.js", "unusual.js"]);
    let nowhere = local("", "paths = [\"none.test.js\"]");
    nowhere.run(&[]).exits(3).says("node could not say which test files there are").says("Could not find");
}

#[test]
fn it_can_be_relied_on_and_asks_for_node_alone() {
    let project = Project::new();
    let path = example("node_test").display().to_string();
    let about = project.offload(&["plugin", "inspect", &path]).finish().exits(0).says("run = [\"node\"]");
    assert!(!about.stdout.contains("wasi:"), "{}", about.stdout);
    project.offload(&["plugin", "check", &path]).finish().exits(0).says("\nfit for use\n");

    let ungranted =
        Project::new().config(&format!("[plugins.node-test]\npath = {path:?}\n[groups.unit]\ntype = \"node-test\"\n"));
    ungranted.run(&[]).exits(3).says("plugin `node-test` may not run `node -e").says("run = [\"node\"]");
}
