//! The files of a new project.

use super::name::PluginName;
use super::vendored;
use crate::cli::args::Language;
use crate::plugin::Kind;

// The files of all templates, gathered by build.rs.
include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// What a template's file has at its end whose plain name would mean something to a tool while it is here.
const SET_ASIDE: &str = ".in";

/// A file of a project: its path and what is in it.
pub(super) type File = (String, String);

/// A small project that builds and passes its test; nothing where there is no template for it.
pub(super) fn files(name: &PluginName, kind: Kind, language: Language) -> Option<Vec<File>> {
    let folder = format!("{}-{}/", language.name(), kind.name());
    let files = TEMPLATES.into_iter().filter_map(|(path, text)| {
        let path = path.strip_prefix(&folder)?;
        Some((filled(path.strip_suffix(SET_ASIDE).unwrap_or(path), name), filled(text, name)))
    });
    let mut files: Vec<_> = files.collect();
    if files.is_empty() {
        return None;
    }
    match language {
        Language::Rust => files.extend(vendored::kit().map(|(path, text)| (format!("vendor/{path}"), text))),
        Language::Javascript | Language::Python => files.extend(vendored::contract()),
    }
    Some(files)
}

fn filled(text: &str, name: &PluginName) -> String {
    text.replace("@NAME@", name.as_str()).replace("@SNAKE@", &name.snake()).replace("@PASCAL@", &name.pascal())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::ValueEnum;

    use super::super::guide;
    use super::*;

    /// Every project that there is a template for.
    fn projects() -> impl Iterator<Item = (String, Vec<File>)> {
        let name: PluginName = "my-runner".parse().expect("a good name");
        Language::value_variants().iter().flat_map(move |language| {
            let name = name.clone();
            [Kind::Provider, Kind::Framework].into_iter().filter_map(move |kind| {
                Some((format!("{}-{}", language.name(), kind.name()), files(&name, kind, *language)?))
            })
        })
    }

    #[test]
    fn every_template_belongs_to_a_project() {
        let used: BTreeSet<_> = projects().map(|(folder, _)| folder).collect();
        let there: BTreeSet<_> = TEMPLATES.iter().filter_map(|(path, _)| path.split('/').next()).collect();
        assert_eq!(used.iter().map(String::as_str).collect::<BTreeSet<_>>(), there);
    }

    #[test]
    fn nothing_is_left_to_fill_in_and_nothing_is_there_twice() {
        for (folder, files) in projects() {
            let mut seen = BTreeSet::new();
            for (path, text) in files {
                let left =
                    ["@NAME@", "@SNAKE@", "@PASCAL@"].iter().any(|word| path.contains(word) || text.contains(word));
                assert!(!left && !path.ends_with(SET_ASIDE), "{folder}: {path}");
                assert!(seen.insert(path.clone()), "{folder}: {path}");
            }
        }
    }

    #[test]
    fn every_readme_says_how_to_build_and_how_to_use_it() {
        for (folder, files) in projects() {
            let readme = files.iter().find(|(path, _)| path == "README.md").map(|(_, text)| text);
            let readme = readme.unwrap_or_else(|| panic!("{folder} has no README.md"));
            let commands = guide::block(readme, "bash");
            assert!(commands.iter().any(|line| line.starts_with("offload plugin check ")), "{folder}");
            let lines = guide::block(readme, "toml").join("\n");
            let table: toml::Table = toml::from_str(&lines).unwrap_or_else(|error| panic!("{folder}: {error}"));
            assert!(table["plugins"]["my-runner"].get("path").is_some(), "{folder}");
            assert!(lines.contains("type = \"my-runner\""), "{folder}");
        }
    }
}
