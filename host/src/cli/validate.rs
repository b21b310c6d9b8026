//! `offload validate`

use std::path::Path;

use super::output::print;
use super::project;

pub(super) async fn validate(path: &Path) -> anyhow::Result<u8> {
    let config = project::load(path).await?;
    let groups: Vec<_> = config.groups.iter().map(|(name, group)| format!("{name} ({})", group.kind)).collect();
    print(&format!(
        "{} is valid: provider {}, {} {}\n",
        path.display(),
        config.provider.kind,
        if groups.len() == 1 { "group" } else { "groups" },
        groups.join(", "),
    ));
    Ok(0)
}
