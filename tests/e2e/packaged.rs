//! The crate as people install it, on a machine without the WebAssembly target.

use std::collections::BTreeMap;
use std::path::PathBuf;

use offload_tests::{Invocation, Project, installed_offload, offload, python};

#[test]
fn an_installed_offload_brings_its_components() {
    let project = Project::new()
        .file("test_it.py", "def test_passes():\n    pass\n\ndef test_fails():\n    assert 0\n")
        .config(&format!(
            "[offload]\nretry_count = 0\n[provider]\ntype = \"local\"\n[groups.python]\ntype = \"pytest\"\npython = {:?}\n",
            python()
        ));
    let installed = |arguments| Invocation::of(&project, &installed_offload(), arguments);
    let listed = installed(&["plugin", "list"]).finish().exits(0);
    let of_ours = listed.stdout.lines().filter(|line| line.contains("comes with offload")).count();
    let names = offload_plugins();
    assert_eq!(of_ours, names.len(), "{names:?}: {}", listed.said());
    let results = installed(&["run"]).finish().exits(1).results();
    assert_eq!((results.count("passed"), results.count("failed")), (1, 1));
}

/// A project of the installed one has the same files as one of a checkout's.
#[test]
fn it_begins_plugins_as_a_checkout_does() {
    let project = Project::new();
    let files = |program: &std::path::Path, name: &str| {
        let arguments = ["plugin", "new", "it", "--kind", "framework", "--lang", "rust", "--dir", name];
        Invocation::of(&project, program, &arguments).finish().exits(0);
        files_below(&project.path().join(name))
    };
    let ours = files(&offload(), "ours");
    assert!(ours.len() > 20, "{ours:?}");
    assert!(ours == files(&installed_offload(), "theirs"));
}

fn files_below(directory: &std::path::Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    let (directories, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let named = |path: PathBuf| (path.file_name().expect("a name").into(), std::fs::read(&path).expect("a file"));
    let below = directories.into_iter().flat_map(|below| {
        let name = PathBuf::from(below.file_name().expect("a name"));
        files_below(&below).into_iter().map(move |(path, contents)| (name.join(path), contents))
    });
    files.into_iter().map(named).chain(below).collect()
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
