//! The page of what a suite can rely on names tests that there are.

use std::fs;
use std::path::Path;

#[test]
fn every_guarantee_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = root.join("../host/docs/what-your-suite-can-rely-on.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let mut shown = 0;
    for line in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Guarantee")) {
        let by = line.trim_end_matches(" |").rsplit(" | ").next().expect("a row has cells");
        let names: Vec<_> = by.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test shows this: {line}");
        for name in names {
            let (module, function) = name.split_once("::").unwrap_or((name, ""));
            let source = fs::read_to_string(root.join("e2e").join(module).with_extension("rs"))
                .unwrap_or_else(|error| panic!("{name} is no test: {error}"));
            assert!(function.is_empty() || source.contains(&format!("fn {function}()")), "{name} is no test");
            shown += 1;
        }
    }
    assert!(shown > 40, "{shown}");
}
