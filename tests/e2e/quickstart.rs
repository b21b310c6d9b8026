//! The suite that newcomers see first.

use offload_tests::{Project, python_bin};

#[test]
fn says_what_the_demo_promises() {
    let suite = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("suites/quickstart");
    let project = Project::new().copy_of(&suite);
    let path = format!("{}:{}", python_bin().display(), std::env::var("PATH").expect("PATH is set"));
    for _ in 0..2 {
        let done = project.offload(&["run"]).env("PATH", &path).finish().exits(1);
        let results = done.results();
        assert_eq!(results.verdict("tests/test_catalogue.py::test_price_of_coffee"), "flaky");
        assert_eq!(results.verdict("tests/test_cart.py::test_receipt_with_voucher"), "failed");
        let counts = ["passed", "flaky", "failed", "skipped", "xfailed"].map(|verdict| results.count(verdict));
        assert_eq!(counts, [17, 1, 1, 1, 1]);
        done.says("test_price_of_coffee").says("test_receipt_with_voucher").says("'shipping': 0");
    }
}
