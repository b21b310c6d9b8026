//! `offload doctor`

use std::path::Path;

use console::style;

use super::output::print;
use super::project;
use crate::plugin::contract::Finding;
use crate::provider::Provider;

/// Says what keeps the configured provider from working here, and what mends it. The exit code is 1 if something does.
pub(super) async fn doctor(path: &Path) -> anyhow::Result<u8> {
    let config = project::load(path).await?;
    let provider = Provider::from_config(&config, &config.provider.env);
    let examined = provider.examine().await;
    provider.close().await;
    print(&format!("provider {} of {}\n", style(provider.kind()).bold(), path.display()));
    let Some(findings) = examined.map_err(|failure| anyhow::anyhow!("{failure}"))? else {
        print("  it has no way to examine itself\n");
        return Ok(0);
    };
    for finding in &findings {
        print(&line(finding));
    }
    let problems = findings.iter().filter(|finding| !is_harmless(finding)).count();
    let summary = match problems {
        0 => "everything is there".to_owned(),
        1 => "1 problem".to_owned(),
        more => format!("{more} problems"),
    };
    print(&format!("{summary}\n"));
    Ok(u8::from(problems > 0))
}

/// A status that nobody knows is none to rely on.
fn is_harmless(finding: &Finding) -> bool {
    matches!(finding.status.as_str(), "ok" | "warning")
}

fn line(finding: &Finding) -> String {
    let mark = match finding.status.as_str() {
        "ok" => style("ok     ").green(),
        "warning" => style("warning").yellow(),
        _ => style("problem").red().bold(),
    };
    let remedy = finding.remedy.as_ref().map(|remedy| format!("          mend it: {remedy}\n")).unwrap_or_default();
    format!("  {mark} {}: {}\n{remedy}", finding.subject, finding.message)
}
