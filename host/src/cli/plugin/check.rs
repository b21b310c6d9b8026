//! `offload plugin check`

use std::path::Path;

use anyhow::Context;
use console::style;
use serde_json::Value;

use crate::cli::output::print;
use crate::plugin::{self, Conformance, Finding, Judgement, Source};

pub(super) async fn check_file(path: &Path, settings: Option<&Path>) -> anyhow::Result<u8> {
    let settings = settings.map(read).transpose()?;
    let conformance = plugin::check(&Source::file(path), settings).await?;
    print(&text(&conformance));
    Ok(u8::from(conformance.failures() > 0))
}

/// A table as it would stand in offload.toml, without its heading.
fn read(path: &Path) -> anyhow::Result<Value> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read the settings in {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("the settings in {} are not valid TOML", path.display()))
}

fn text(conformance: &Conformance) -> String {
    let Conformance { inspection, findings, figures } = conformance;
    let info = &inspection.info;
    let kib = inspection.bytes.div_ceil(1024);
    let mut text = format!(
        "{}: a {} for offload:plugin {}, {kib} KiB\n\n",
        style(format!("{} {}", info.name, info.version)).bold(),
        inspection.kind.name(),
        inspection.shape.contract(),
    );
    findings.iter().for_each(|finding| text += &line(finding));
    text += &format!("\n  machine code after {:.0} ms", inspection.loading.as_secs_f64() * 1e3);
    // The instances of a provider are made and gone with each call.
    if figures.memory > 0 {
        text += &format!(
            ", an instance after {:.2} ms, at most {:.1} MiB of memory",
            figures.instantiation.as_secs_f64() * 1e3,
            figures.memory as f64 / f64::from(1 << 20),
        );
    }
    if let Some((function, took)) = figures.slowest {
        text += &format!("; the slowest call took {:.0} ms ({function})", took.as_secs_f64() * 1e3);
    }
    let odd = findings.iter().filter(|finding| matches!(finding.judgement, Judgement::Odd(_))).count();
    let verdict = match (conformance.failures(), odd) {
        (0, 0) => style("fit for use".to_owned()).green(),
        (0, 1) => style("fit for use, with one thing to look at".to_owned()).yellow(),
        (0, odd) => style(format!("fit for use, with {odd} things to look at")).yellow(),
        (1, _) => style("not fit for use: one check failed".to_owned()).red(),
        (failed, _) => style(format!("not fit for use: {failed} checks failed")).red(),
    };
    text + &format!("\n\n{}\n", verdict.bold())
}

fn line(finding: &Finding) -> String {
    let (mark, said) = match &finding.judgement {
        Judgement::Good(said) => (style("ok  ").green(), said),
        Judgement::Odd(said) => (style("look").yellow(), said),
        Judgement::Bad(said) => (style("FAIL").red().bold(), said),
    };
    format!("  {mark}  {:<13}  {}\n", finding.subject, said.replace('\n', " "))
}
