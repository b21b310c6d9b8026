//! The `modal` provider's promises: the real SDK of Modal, against a stand-in for its servers.

use std::time::Duration;

use nix::sys::signal::Signal;
use offload_tests::{FakeModal, Finished, Project};

const GROUP: &str = "[groups.g]\ntype = \"pytest\"\npython = \"{python}\"\n";

/// A project with these tests and keys of `[provider]`, and the server that it uses.
fn project(tests: &str, more: &str) -> (Project, FakeModal) {
    let project = Project::new().file("test_it.py", tests);
    let fake = FakeModal::start(&project);
    let table = FakeModal::install(&project);
    let config = format!("[offload]\nmax_parallel = 2\nretry_count = 0\n{table}{more}\n{GROUP}");
    (project.config(&config), fake)
}

/// How many sandboxes took tests one by one in a process that stayed.
fn workers(done: &Finished) -> usize {
    done.events_of("worker-started").len()
}

#[test]
fn warm_workers_run_pytest() {
    let suite = "import pytest\n@pytest.mark.parametrize('number', range(40))\ndef test_it(number):\n    pass\n\n\
                 def test_fails():\n    assert 1 == 2\n";
    let (project, fake) = project(suite, "");
    let done = fake.run(&project, &[]).finish().exits(1);
    assert_eq!(done.results().count("passed"), 40);
    assert_eq!(done.results().count("failed"), 1);
    assert!(workers(&done) >= 1, "{:?}", done.events());
    assert!(!done.said().contains("worker"), "{}", done.said());
    fake.check_nothing_left();
}
