//! How big the stripped release binary is.

use anyhow::{Context, Result};

use super::table::Figure;
use crate::workspace;

const MEGABYTE: f64 = 1_000_000.0;

pub fn measure() -> Result<Figure> {
    let binary = workspace::release_binary();
    let file = std::fs::metadata(&binary).with_context(|| format!("failed to find {}", binary.display()))?;
    Ok(Figure {
        what: "release binary, stripped".to_owned(),
        aim: Some(25.0),
        measured: file.len() as f64 / MEGABYTE,
        unit: "MB",
        note: "the release profile strips".to_owned(),
    })
}
