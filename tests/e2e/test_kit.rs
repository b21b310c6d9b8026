//! The test kit of the SDK: real components in the real host, with processes that the test answers for.

use offload_plugin::framework::RunPlan;
use offload_plugin::provider::{ImageSpec, SandboxSpec};
use offload_plugin::test_kit::{FrameworkComponent, Host, ProviderComponent, Ran};
use offload_plugin::types::{Command, Exit, Failure, Test};
use offload_tests::{component, guest, offload};
use serde_json::{Value, json};

fn host() -> Host {
    Host::at(offload())
}

fn framework(settings: &Value) -> Result<FrameworkComponent, Failure> {
    host().framework(component("framework_default"), settings)
}

/// `discover_command` did its work: what it printed is in a file.
fn lists(plan: &RunPlan, ids: &str) -> Ran {
    Ran::exit(0).file(&plan.result_files[0], ids)
}

fn provider(answer: impl FnMut(&Command, &[u8]) -> Ran + 'static) -> ProviderComponent {
    let settings = json!({
        "create_command": "make a box",
        "exec_command": "in {sandbox_id} {command}",
        "destroy_command": "drop {sandbox_id}",
    });
    host().provider(component("provider_default"), &settings, answer).expect("a provider")
}

#[test]
fn a_framework_is_told_what_its_commands_did() {
    let settings =
        json!({"discover_command": "list", "run_command": "run {tests} {result_file}", "result_file": "r.xml"});
    let mut framework = framework(&settings).expect("a framework");
    assert_eq!((framework.loaded().kind.as_str(), framework.loaded().name.as_str()), ("framework", "default"));
    let found = framework.discover(&[], |plan| lists(plan, "one\nit's two\n")).expect("tests");
    let ids: Vec<_> = found.tests.iter().map(|test| test.id.as_str()).collect();
    assert_eq!(ids, ["one", "it's two"]);

    let junit = "<testsuite><testcase name=\"one\"/><testcase name=\"it's two\"><failure message=\"no\"/></testcase></testsuite>";
    let mut lines = Vec::new();
    let outcomes = framework.run(&found.tests, |plan| {
        lines.push(plan.command.argv.join(" "));
        Ran::exit(1).file(&plan.result_files[0], junit)
    });
    let outcomes = outcomes.expect("outcomes");
    let told: Vec<_> = outcomes.iter().map(|outcome| (outcome.id.as_str(), outcome.status.as_str())).collect();
    assert_eq!(told, [("one", "passed"), ("it's two", "failed")]);
    assert!(lines.len() == 1 && lines[0].contains(r"one 'it'\''s two'"), "{lines:?}");
}

#[test]
fn a_framework_that_cannot_go_on_says_why() {
    let settings = json!({"discover_command": "list", "run_command": "run {tests}"});
    let mut framework = framework(&settings).expect("a framework");
    let failure = framework.discover(&[], |_| Ran::exit(7).stderr("no such project\n")).expect_err("a failure");
    assert!(failure.message.contains("no such project"), "{failure:?}");
    let failure = framework.discover(&[], |_| Ran::missing()).expect_err("a failure");
    assert_eq!(failure.code, "not-started");
    // An instance that failed does not stand in the way of the next.
    assert!(framework.discover(&[], |plan| lists(plan, "one\n")).is_ok());
}

#[test]
fn a_provider_runs_what_the_test_answers_for() {
    let mut provider = provider(|command, stdin| match command.argv.last().map(String::as_str) {
        Some("make a box") => Ran::exit(0).stdout("box-7\n"),
        Some(line) if line.contains("wc -c") => Ran::exit(3).stdout(stdin.len().to_string()).stderr("on the side"),
        _ => Ran::exit(0),
    });
    provider
        .prepare(&ImageSpec { run_id: "r1".to_owned(), sandboxes: 1, copy_dirs: Vec::new(), rebuild: false })
        .expect("nothing to prepare");
    let spec = SandboxSpec {
        name: "local-1".into(),
        slot: 0,
        run_id: "r1".into(),
        image: None,
        env: Vec::new(),
        cwd: None,
        copy_dirs: Vec::new(),
        isolated: false,
    };
    let sandbox = provider.create(&spec).expect("a sandbox").sandbox;
    assert!(sandbox.contains("box-7"), "{sandbox}");
    let output = provider.exec(&sandbox, &Command::new(["wc", "-c"]), b"12345").expect("an exit");
    assert_eq!((output.exit, output.stdout, output.stderr), (Exit::Code(3), b"5".to_vec(), b"on the side".to_vec()));
    provider.cancel(&sandbox).expect("it is cancelled");
    provider.destroy(&[&sandbox]).expect("it is destroyed");
    let line = |command: &Command| command.argv.join(" ");
    assert!(
        provider.commands().iter().any(|command| line(command).contains("drop box-7")),
        "{:?}",
        provider.commands()
    );
}

#[test]
fn what_cannot_be_loaded_says_why() {
    let code = |result: Result<FrameworkComponent, Failure>| result.err().map(|failure| failure.code);
    assert_eq!(code(framework(&json!({"discover_command": "list"}))).as_deref(), Some("bad-settings"));
    assert_eq!(code(host().framework(guest("provider"), &json!({}))).as_deref(), Some("other-kind"));
    let absent = Host::at("/no/such/offload").framework(guest("framework"), &json!({}));
    assert_eq!(code(absent).as_deref(), Some("no-host"));
}

/// What a component does not ask for is denied in a test as it is in a run.
#[test]
fn a_test_grants_what_is_asked_for_and_nothing_else() {
    let settings = json!({"misdeed": "other-program"});
    let rogue = host().framework(guest("framework"), &settings);
    let failure = rogue.expect("a framework").run(&[Test::new("one")], |_| Ran::exit(0));
    assert_eq!(failure.expect_err("a denial").code, "denied");
}
