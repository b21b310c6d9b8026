//! The crate as people install it, on a machine without the WebAssembly target.

use offload_tests::{Invocation, Project, installed_offload, python};

#[test]
fn an_installed_offload_brings_its_components() {
    let project = Project::new()
        .file("test_it.py", "def test_passes():\n    pass\n\ndef test_fails():\n    assert 0\n")
        .config(&format!(
            "[offload]\nretry_count = 0\n[provider]\ntype = \"local\"\n[groups.python]\ntype = \"pytest\"\npython = {:?}\n",
            python()
        ));
    let offload = |arguments| Invocation::of(&project, &installed_offload(), arguments);
    let listed = offload(&["plugin", "list"]).finish().exits(0);
    let of_ours = listed.stdout.lines().filter(|line| line.contains("comes with offload")).count();
    let names = offload_plugins();
    assert_eq!(of_ours, names.len(), "{names:?}: {}", listed.said());
    let results = offload(&["run"]).finish().exits(1).results();
    assert_eq!((results.count("passed"), results.count("failed")), (1, 1));
}

/// A folder each.
fn offload_plugins() -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let folders = ["providers", "frameworks"].map(|kind| std::fs::read_dir(root.join(kind)).expect("a folder"));
    folders
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect()
}
