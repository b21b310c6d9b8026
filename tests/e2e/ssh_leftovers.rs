//! What a run that was killed leaves on hosts is found, and what keeps hosts from working is told.

use std::sync::Arc;

use offload::plugin::contract::{ImageSpec, SandboxSpec};
use offload::plugin::{Kind, ProviderComponent, Source};
use offload_tests::SshHosts;

fn component(hosts: &SshHosts, names: &[&str]) -> ProviderComponent {
    let settings = serde_json::json!({ "hosts": names, "config": hosts.config() }).to_string().into();
    let log = Arc::new(|_, _: String| {});
    ProviderComponent::load(&Source::built_in(Kind::Provider, "ssh"), settings, log).expect("it can be loaded")
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

#[test]
fn what_is_left_is_found_and_removed() {
    let Some(hosts) = SshHosts::up() else { return };
    let run_id = format!("20260101-000000-{}", std::process::id());
    let provider = component(&hosts, &["three", "absent"]);
    wait(async {
        let prepared = provider
            .prepare(&ImageSpec { run_id: "r1".to_owned(), sandboxes: 2, copy_dirs: Vec::new(), rebuild: false })
            .await
            .expect("a host answers");
        assert_eq!(prepared.max_sandboxes, Some(1));
        let spec = SandboxSpec {
            name: "ssh-1".to_owned(),
            slot: 0,
            run_id: run_id.clone(),
            image: prepared.image,
            env: Vec::new(),
            cwd: None,
            copy_dirs: Vec::new(),
            isolated: true,
        };
        let created = provider.create(&spec).await.expect("a sandbox");
        let mine = || async {
            let found = provider.leftovers().await.expect("a host answers").expect("it can find them");
            found.into_iter().filter(|left| left.run_id == run_id).collect::<Vec<_>>()
        };
        let [left] = &mine().await[..] else { panic!("one sandbox is left") };
        assert_eq!(left.name, format!("three:{}", created.scratch_root));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is later").as_secs();
        assert!(left.created.is_some_and(|created| now.abs_diff(created) < 120), "{:?}", left.created);
        provider.destroy(std::slice::from_ref(&left.sandbox)).await.expect("it can be destroyed");
        assert!(mine().await.is_empty());
        // One that is gone is no failure.
        provider.destroy(&[created.sandbox]).await.expect("it is gone");
    });
    hosts.check_nothing_left(&run_id);
}

#[test]
fn an_examination_says_what_mends_each_host() {
    let Some(hosts) = SshHosts::up() else { return };
    let provider = component(&hosts, &["one", "absent", "locked-out", "stranger"]);
    let findings = wait(provider.examine()).expect("it can be asked").expect("it examines");
    let said: Vec<_> = findings.iter().map(|finding| (finding.subject.as_str(), finding.status.as_str())).collect();
    let expected = [
        ("ssh", "ok"),
        ("host one", "ok"),
        ("host absent", "problem"),
        ("host locked-out", "problem"),
        ("host stranger", "problem"),
    ];
    assert_eq!(said, expected);
    let remedies = ["OpenSSH", "Linux", "ssh -v absent", "ssh-copy-id locked-out", "ssh-keygen -R stranger"];
    for (finding, expected) in findings.iter().zip(remedies) {
        let told = finding.remedy.as_ref().unwrap_or(&finding.message);
        assert!(told.contains(expected), "{finding:?}");
    }
}
