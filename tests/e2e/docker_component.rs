//! The `docker` provider's component by itself, with a real engine behind it: what only long-lived leftovers and broken set-ups
//! bring about in a run.

use std::time::{SystemTime, UNIX_EPOCH};

use offload_plugin::provider::SandboxSpec;
use offload_plugin::test_kit::{Host, ProviderComponent, Ran};
use offload_plugin::types::Command;
use offload_tests::{Containers, component, offload, on_each_engine};
use serde_json::{Value, json};

on_each_engine! {
    leftovers_are_found_and_destroyed
    a_doctor_finds_all_well
    a_doctor_says_what_is_missing
}

fn provider(settings: Value, answer: impl FnMut(&Command, &[u8]) -> Ran + 'static) -> ProviderComponent {
    Host::at(offload()).provider(component("provider_docker"), &settings, answer).expect("a provider")
}

/// The provider with what it runs really run.
fn live(engine: &Containers, settings: Value) -> ProviderComponent {
    let environment: Vec<_> = engine.environment().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    provider(settings, move |command, _| ran(command, &environment))
}

fn ran(command: &Command, environment: &[(String, String)]) -> Ran {
    let (program, arguments) = command.argv.split_first().expect("a command has a program");
    let mut process = std::process::Command::new(program);
    process.args(arguments).envs(environment.iter().cloned()).envs(command.env.iter().cloned());
    match process.stdin(std::process::Stdio::null()).output() {
        Ok(output) => Ran::exit(output.status.code().unwrap_or(-1)).stdout(output.stdout).stderr(output.stderr),
        Err(_) => Ran::missing(),
    }
}

fn settings(engine: &Containers, changes: Value) -> Value {
    let mut settings = json!({
        "command": engine.command, "image": engine.busybox_image(), "pull": "never", "network": "none",
    });
    let changes = changes.as_object().expect("a table").clone();
    settings.as_object_mut().expect("a table").extend(changes);
    settings
}

fn spec(run_id: &str, number: u32) -> SandboxSpec {
    SandboxSpec {
        name: format!("docker-{number}"),
        slot: number,
        run_id: run_id.to_owned(),
        image: None,
        env: Vec::new(),
        cwd: None,
        copy_dirs: Vec::new(),
        isolated: false,
    }
}

/// Also those beside one that is gone: podman removes none at all then, and calls that a success.
fn leftovers_are_found_and_destroyed(engine: &Containers) {
    let run_id = format!("leftovers-{}-{}", engine.command, std::process::id());
    let mut provider = live(engine, settings(engine, json!({})));
    let created: Vec<_> = (1..4).map(|number| provider.create(&spec(&run_id, number)).expect("a container")).collect();
    let mut found = provider.leftovers().expect("a list");
    found.retain(|leftover| leftover.run_id == run_id);
    found.sort_by(|one, other| one.name.cmp(&other.name));
    let names: Vec<_> = found.iter().map(|leftover| leftover.name.as_str()).collect();
    assert_eq!(names, [1, 2, 3].map(|number| format!("offload-{run_id}-docker-{number}")));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs();
    for leftover in &found {
        let created = leftover.created.expect("both engines tell");
        assert!(created <= now + 1 && now < created + 120, "{created} {now}");
    }

    engine.ask(&["rm", "--force", names[1]]);
    assert_eq!(provider.cancel(&created[1].sandbox), Ok(()), "what is gone needs no end");
    let failure = provider.exec(&created[1].sandbox, &Command::new(["true"]), &[]).expect_err("it is gone");
    assert_eq!(failure.code, "sandbox-lost", "{failure:?}");
    assert!(failure.message.to_lowercase().contains("no such container"), "the engine's own words: {failure:?}");

    let ids: Vec<_> = found.iter().map(|leftover| leftover.sandbox.as_str()).collect();
    assert_eq!(provider.destroy(&ids), Ok(()));
    assert_eq!(engine.of_run(&run_id), [""; 0]);
    assert_eq!(provider.destroy(&ids), Ok(()), "none is left to be destroyed");
}

fn examined(mut provider: ProviderComponent) -> Vec<(String, String, String)> {
    let findings = provider.examine().expect("findings");
    findings.into_iter().map(|finding| (finding.status, finding.message, finding.remedy.unwrap_or_default())).collect()
}

fn a_doctor_finds_all_well(engine: &Containers) {
    let found = examined(live(engine, settings(engine, json!({}))));
    assert!(found.len() == 3 && found.iter().all(|(status, ..)| status == "ok"), "{found:?}");
    assert!(found[0].1.contains("version"), "{found:?}");
}

fn a_doctor_says_what_is_missing(engine: &Containers) {
    let last = |changes| examined(live(engine, settings(engine, changes))).pop().expect("a finding");

    let (status, message, remedy) =
        examined(provider(settings(engine, json!({})), |_, _| Ran::missing())).pop().expect("a finding");
    assert!(status == "problem" && message.contains("no such program"), "{status} {message}");
    assert!(remedy.contains("install docker or podman"), "{remedy}");

    let (status, message, remedy) = last(json!({"image": "localhost/nothing-like-this"}));
    assert_eq!((status.as_str(), remedy), ("problem", format!("{} pull localhost/nothing-like-this", engine.command)));
    assert!(message.contains("pull = \"never\""), "{message}");
    let (status, message, _) = last(json!({"image": "localhost/nothing-like-this", "pull": "missing"}));
    assert!(status == "warning" && message.contains("the first run pulls it"), "{status} {message}");

    let mut of_dockerfile = settings(engine, json!({"dockerfile": "/nothing/like/this"}));
    of_dockerfile.as_object_mut().expect("a table").remove("image");
    let (status, message, remedy) = examined(live(engine, of_dockerfile)).pop().expect("a finding");
    assert!(
        status == "problem" && message.contains("no such file") && remedy.contains("dockerfile"),
        "{message} {remedy}"
    );

    let elsewhere = if engine.command == "podman" {
        "podman --remote --url unix:///nowhere.sock"
    } else {
        "docker --host unix:///nowhere.sock"
    };
    let (status, message, remedy) = last(json!({"command": elsewhere}));
    assert!(status == "problem" && message.contains("it does not answer"), "{status} {message}");
    assert!(message.to_lowercase().contains("connect to"), "the engine's own words: {message}");
    assert!(remedy.contains("start the engine"), "{remedy}");
}
