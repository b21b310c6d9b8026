//! Writes the file, and never over one that is there already.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::num::NonZero;
use std::path::Path;

use anyhow::{Context, bail};

use super::template;
use crate::cli::args::InitArgs;
use crate::cli::output::print;
use crate::plugin::{Kind, built_in_names};

pub(in crate::cli) fn init(path: &Path, args: &InitArgs) -> anyhow::Result<u8> {
    known("provider", &args.provider, Kind::Provider)?;
    known("framework", &args.framework, Kind::Framework)?;
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let Some(text) = template::render(&args.provider, &args.framework, cores) else {
        bail!("there is no template for provider `{}` and framework `{}`", args.provider, args.framework);
    };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!args.force);
    let mut file = match options.open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} exists already\n  help: `--force` overwrites it", path.display())
        }
        result => result.with_context(|| format!("cannot write {}", path.display()))?,
    };
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    print(&format!("wrote {}: adjust it to your project, then `offload run`\n", path.display()));
    Ok(0)
}

fn known(what: &str, name: &str, kind: Kind) -> anyhow::Result<()> {
    let names = built_in_names(kind);
    if names.contains(&name) {
        return Ok(());
    }
    bail!("there is no {what} `{name}`\n  help: use one of: {}", names.join(", "))
}
