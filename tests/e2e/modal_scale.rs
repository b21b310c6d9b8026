//! Many sandboxes of Modal at once, and one process that speaks to all of them.

use std::time::Duration;

use offload_tests::{FakeModal, Project};

/// Sleeps for each test, and writes the results where it is told.
const RUN: &str = "out=$1; shift\n{ echo '<testsuite>'\nfor id; do sleep 1; echo \"<testcase name='$id' time='1'/>\"; done\n\
                   echo '</testsuite>'; } >\"$out\"\n";

#[test]
fn two_hundred_sandboxes_need_one_helper() {
    let project = Project::new().file("run.sh", RUN);
    let fake = FakeModal::start(&project);
    let table = FakeModal::install(&project);
    let project = project.config(&format!(
        "[offload]\nmax_parallel = 200\nretry_count = 0\n{table}\n[groups.g]\ntype = \"default\"\n\
         discover_command = \"seq 2000\"\nrun_command = \"sh run.sh {{result_file}} {{tests}}\"\n"
    ));
    let done = fake.run(&project, &[]).patience(Duration::from_secs(300)).finish().exits(0);
    assert_eq!(done.results().count("passed"), 2000);
    assert_eq!(fake.calls("AuthTokenGet"), 1, "every process of the SDK asks for a token of its own");
    let sandboxes = fake.calls("SandboxCreateV2");
    assert_eq!(sandboxes, 200);
    assert_eq!(fake.calls("SandboxTerminateV2"), sandboxes, "each is ended once");
    fake.check_nothing_left();
}
