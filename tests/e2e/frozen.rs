//! Components that were built when the contract was frozen run with every later offload. They are never built again.

use std::path::{Path, PathBuf};

use offload_tests::{FakeModal, Project, python};

fn frozen(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("frozen").join(name)
}

/// A framework with observer and worker.
fn framework() -> String {
    format!(
        "[plugins.old-framework]\npath = {:?}\n[plugins.old-framework.allow]\nrun = [{:?}]\n\
         [groups.g]\ntype = \"old-framework\"\npython = \"{{python}}\"\n",
        frozen("framework-0.1.0.wasm"),
        python()
    )
}

const SUITE: &str = "import pytest\n\n@pytest.mark.parametrize('number', range(12))\ndef test_it(number):\n    \
    assert number != 7, 'seven'\n";

/// A provider with reaper and doctor.
#[test]
fn a_provider_and_a_framework_of_the_first_version() {
    let table = format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n[plugins.old-provider]\npath = {:?}\n\
         [plugins.old-provider.allow]\nrun = [\"sh\", \"/bin/sh\"]\n[provider]\ntype = \"old-provider\"\n",
        frozen("provider-0.1.0.wasm")
    );
    let project = Project::new().file("test_it.py", SUITE).config(&format!("{table}{}", framework()));
    let done = project.run(&[]).exits(1).says("seven");
    assert_eq!((done.results().count("passed"), done.results().count("failed")), (11, 1));
    assert!(!done.events_of("worker-started").is_empty(), "{}", done.said());
    let doctor = project.offload(&["doctor"]).finish().exits(0);
    assert!(doctor.stdout.contains("everything is there"), "{}", doctor.stdout);
    let clean = project.offload(&["clean"]).finish().exits(0);
    assert_eq!(clean.stdout, "nothing is left of earlier runs\n");
}

/// One that keeps a helper.
#[test]
fn a_provider_with_a_bridge_of_the_first_version() {
    let project = Project::new().file("test_it.py", SUITE);
    let server = FakeModal::start(&project);
    let table = FakeModal::install(&project).replace("type = \"modal\"", "type = \"old-provider\"");
    let config = format!(
        "[offload]\nmax_parallel = 2\nretry_count = 0\n[plugins.old-provider]\npath = {:?}\n\
         [plugins.old-provider.allow]\nrun = [\"sh\"]\nenv = [\"MODAL_SERVER_URL\", \"MODAL_TOKEN_ID\", \"MODAL_TOKEN_SECRET\", \
         \"MODAL_CONFIG_PATH\"]\n{table}{}",
        frozen("bridging-provider-0.1.0.wasm"),
        framework()
    );
    let project = project.config(&config);
    let done = server.run(&project, &[]).finish().exits(1).says("seven");
    assert_eq!((done.results().count("passed"), done.results().count("failed")), (11, 1));
    server.check_nothing_left();
}
