//! Every bad file in `cases/` and `settings/` with the message that a user gets, and what good files mean.

mod good;
mod messages;
mod paths;

use std::{env::VarError, path::Path};

use super::{Config, ConfigError, document::Document, load::interpret};

/// Reads `text` as a file in the directory `/project`, where `API_KEY` is set.
fn load(text: &str) -> Result<Config, ConfigError> {
    let document = Document::parse("offload.toml", text.to_owned())?;
    interpret(document, Path::new("/project"), |name| match name {
        "API_KEY" => Ok("hunter2".to_owned()),
        _ => Err(VarError::NotPresent),
    })
}
