//! The component as people will have it, in the real offload, which has to be on the `PATH`: this test says what its commands
//! did, and no program is run.

use offload_plugin::test_kit::{Host, Ran, build};
use serde_json::json;

#[test]
fn finds_runs_and_judges() {
    let component = build(env!("CARGO_MANIFEST_DIR"));
    let mut plugin = Host::default().framework(component, &json!({})).expect("it can be loaded");
    let found = plugin.discover(&[], |_| Ran::exit(0).stdout("one\ntwo\nthree\n")).expect("it lists its tests");
    let outcomes = plugin.run(&found.tests, |plan| {
        assert_eq!(plan.stdin, b"one\ntwo\nthree\n");
        Ran::signal(9).stdout("begin one\nok one\nbegin two\nFAILED two: no\nbegin three\n")
    });
    let outcomes = outcomes.expect("it reads the results");
    let told: Vec<_> = outcomes.iter().map(|outcome| (outcome.id.as_str(), outcome.status.as_str())).collect();
    assert_eq!(told, [("one", "passed"), ("two", "failed"), ("three", "running")]);
}
