//! How much memory the host itself takes at most.

use anyhow::{Context, Result, bail};

use super::{packaging, table::Figure, usage};

pub fn measure() -> Result<Figure> {
    let project = packaging::Project::new("bench-memory")?;
    let mut offload = project.offload(&["--parallel", "2"]).spawn().context("failed to start offload")?;
    let (usage, code) = usage::watch(&mut offload)?;
    if code != Some(0) {
        bail!("offload ended with {code:?}");
    }
    project.check_result()?;
    Ok(Figure {
        what: "peak memory of the host, packaging".to_owned(),
        aim: Some(120.0),
        measured: usage.megabytes,
        unit: "MB",
        note: "resident, two sandboxes, without their processes".to_owned(),
    })
}
