//! The component as people will have it, in the real offload, which has to be on the `PATH`: this test says what its commands
//! did, and no program is run.

use offload_plugin::provider::SandboxSpec;
use offload_plugin::test_kit::{Host, Ran, build};
use offload_plugin::types::{Command, Exit};
use serde_json::json;

#[test]
fn a_sandbox_comes_and_goes() {
    let component = build(env!("CARGO_MANIFEST_DIR"));
    let mut provider = Host::default().provider(component, &json!({}), |command, _| {
        let text = command.argv.join(" ");
        match () {
            () if text.contains("mktemp") => Ran::exit(0).stdout("/tmp/offload-@NAME@-1234"),
            () if text.contains("./run-tests") => Ran::exit(3).stdout("one failed\n"),
            () => Ran::exit(0),
        }
    });
    let provider = provider.as_mut().expect("it can be loaded");
    let spec = SandboxSpec {
        name: "box-1".to_owned(),
        slot: 0,
        run_id: "run".to_owned(),
        image: None,
        env: Vec::new(),
        cwd: None,
        copy_dirs: Vec::new(),
        isolated: true,
    };
    let sandbox = provider.create(&spec).expect("a directory is made").sandbox;
    let output = provider.exec(&sandbox, &Command::new(["./run-tests"]), b"").expect("the command is run");
    assert_eq!((output.exit, output.stdout), (Exit::Code(3), b"one failed\n".to_vec()));
    provider.destroy(&[&sandbox]).expect("the directory is removed");
}
