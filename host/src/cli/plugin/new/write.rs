//! Writes the project, and never over one that is there already, then says what to do with it.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use console::style;

use super::guide;
use super::project::{self, File};
use crate::cli::args::PluginNewArgs;
use crate::cli::output::print;
use crate::plugin::Kind;

pub(in crate::cli::plugin) fn new_project(args: &PluginNewArgs) -> anyhow::Result<u8> {
    let (name, kind, language) = (&args.name, Kind::from(args.kind), args.lang);
    let Some(files) = project::files(name, kind, language) else {
        bail!("there is no template for a {} in {}", kind.name(), language.title());
    };
    let directory = args.dir.clone().unwrap_or_else(|| PathBuf::from(name.as_str()));
    check_free(&directory)?;
    files.iter().try_for_each(|(path, text)| write(&directory.join(path), text))?;
    print(&format!("made {}: a {} in {}\n", directory.display(), kind.name(), language.title()));
    print(&next_steps(&directory, &files));
    Ok(0)
}

/// Whether there is nothing that could be lost or taken for part of the project.
fn check_free(directory: &Path) -> anyhow::Result<()> {
    let taken = match fs::read_dir(directory) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            bail!("{} is no directory\n  help: name another with `--dir DIR`", directory.display())
        }
        Err(error) => return Err(error).with_context(|| format!("cannot look into {}", directory.display())),
    };
    if taken {
        bail!("{} exists already and is not empty\n  help: name another with `--dir DIR`", directory.display());
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let written = || {
        fs::create_dir_all(file.parent().unwrap_or(Path::new("")))?;
        OpenOptions::new().write(true).create_new(true).open(file)?.write_all(text.as_bytes())
    };
    written().with_context(|| format!("cannot write {}", file.display()))
}

/// The commands that build and try it, and the lines of offload.toml that use it: what its README says.
fn next_steps(directory: &Path, files: &[File]) -> String {
    let readme = files.iter().find(|(path, _)| path == "README.md").map_or("", |(_, text)| text);
    let there = shell_words::quote(&directory.to_string_lossy()).into_owned();
    let commands =
        [format!("cd {there}")].into_iter().chain(guide::block(readme, "bash").into_iter().map(str::to_owned));
    let lines = guide::block(readme, "toml").into_iter().map(|line| from_here(line, directory));
    let section = |heading: &str, lines: Vec<String>| {
        let indented: String = lines.iter().map(|line| format!("    {line}").trim_end().to_owned() + "\n").collect();
        format!("\n{}\n\n{indented}", style(heading).bold())
    };
    section("Build it, test it and try it:", commands.collect())
        + &section("Then use it, in the offload.toml of this directory:", lines.collect())
}

/// The README's `path` starts from the project's own directory.
fn from_here(line: &str, directory: &Path) -> String {
    match line.strip_prefix("path = \"") {
        Some(below) => format!("path = \"{}/{below}", directory.display()),
        None => line.to_owned(),
    }
}
