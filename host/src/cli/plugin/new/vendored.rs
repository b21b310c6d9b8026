//! What a new project brings along: the contract and, for Rust, the kit for authors. Offload carries both, so that what a
//! project is built with is what this offload speaks.

use toml::{Table, Value};

/// The kit's folder in the workspace, and in `vendor`.
const KIT: &str = "plugins/sdk";

// Sources of the workspace by their paths in it, gathered by build.rs.
include!(concat!(env!("OUT_DIR"), "/vendored.rs"));

/// The files of the contract, below `wit/`.
pub(super) fn contract() -> impl Iterator<Item = (String, String)> {
    below("wit/").map(|(path, text)| (path.to_owned(), text.to_owned()))
}

/// The kit for authors in Rust with the contract and its part of the workspace's manifest, as `vendor` holds it.
pub(super) fn kit() -> impl Iterator<Item = (String, String)> {
    let sources = below(KIT).chain(below("wit/")).chain(below("LICENSE"));
    let sources = sources.map(|(path, text)| (path.to_owned(), text.to_owned()));
    sources.chain([("Cargo.toml".to_owned(), manifest())])
}

fn below(prefix: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    VENDORED.into_iter().filter(move |(path, _)| path.starts_with(prefix))
}

/// The manifest of a workspace that holds the kit alone: what the kit's own manifest takes from the workspace.
fn manifest() -> String {
    let [whole, kit] = ["Cargo.toml".to_owned(), format!("{KIT}/Cargo.toml")].map(|path| parsed(&path));
    let mut workspace = table(&whole, "workspace");
    let used: Vec<_> = ["dependencies", "dev-dependencies", "build-dependencies"]
        .into_iter()
        .flat_map(|kind| table(&kit, kind).into_iter().map(|(name, _)| name))
        .collect();
    let mut dependencies = table(&workspace, "dependencies");
    dependencies.retain(|name, _| used.iter().any(|used| used == name));
    workspace.insert("dependencies".to_owned(), dependencies.into());
    workspace.insert("members".to_owned(), vec![KIT].into());
    let manifest = Table::from_iter([("workspace".to_owned(), Value::from(workspace))]);
    format!("# The part of offload's own workspace that its kit for authors is built with.\n{manifest}")
}

fn parsed(path: &str) -> Table {
    let found = below(path).next().expect("build.rs gathers the manifests");
    toml::from_str(found.1).expect("cargo has read it")
}

fn table(parent: &Table, key: &str) -> Table {
    parent.get(key).and_then(Value::as_table).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kits_manifest_finds_all_that_it_refers_to() {
        let manifest: Table = toml::from_str(&manifest()).expect("it is TOML");
        let workspace = &manifest["workspace"];
        let kit = parsed("plugins/sdk/Cargo.toml");
        for (name, dependency) in table(&kit, "dependencies").iter().chain(&table(&kit, "dev-dependencies")) {
            assert_eq!(dependency.get("workspace"), Some(&Value::Boolean(true)), "{name}");
            assert!(workspace["dependencies"].get(name).is_some(), "{name}");
        }
        assert!(workspace["dependencies"].get("tokio").is_none(), "the kit does not need it");
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            assert!(workspace["package"].get(key).is_some(), "{key}");
        }
        assert!(workspace["lints"].get("rust").is_some());
        assert_eq!(workspace["members"], Value::from(vec!["plugins/sdk"]));
    }

    #[test]
    fn the_kit_and_the_contract_are_whole() {
        let kit: Vec<_> = kit().map(|(path, _)| path).collect();
        for path in ["plugins/sdk/src/lib.rs", "plugins/sdk/README.md", "wit/types.wit", "Cargo.toml", "LICENSE"] {
            assert_eq!(kit.iter().filter(|found| *found == path).count(), 1, "{path}");
        }
        let contract: Vec<_> = contract().map(|(path, _)| path).collect();
        assert_eq!(contract, ["wit/framework.wit", "wit/provider.wit", "wit/types.wit"]);
    }
}
