//! Many sandboxes of Modal at once, and one process that speaks to all of them.

use std::time::Duration;

use offload_tests::FakeModal;

#[test]
fn two_hundred_sandboxes_need_one_helper() {
    let (project, fake) = FakeModal::with_sleepers(200, 2000, 1);
    let done = fake.run(&project, &[]).patience(Duration::from_secs(300)).finish().exits(0);
    assert_eq!(done.results().count("passed"), 2000);
    assert_eq!(fake.calls("AuthTokenGet"), 1, "every process of the SDK asks for a token of its own");
    let sandboxes = fake.calls("SandboxCreateV2");
    assert_eq!(sandboxes, 200);
    assert_eq!(fake.calls("SandboxTerminateV2"), sandboxes, "each is ended once");
    fake.check_nothing_left();
}
