//! A configuration that was checked against the plugins that it names.

use std::path::Path;

use crate::config::{Config, load_config};
use crate::framework::Framework;
use crate::plugin::{Kind, built_in_names};
use crate::provider::Provider;

/// Loads the file and checks every table with the plugin whose table it is; contacts no engine.
pub(super) async fn load(path: &Path) -> anyhow::Result<Config> {
    let config = load_config(path)?;
    let providers = built_in_names(Kind::Provider);
    if !providers.contains(&config.provider.kind.as_str()) {
        return Err(config.unknown_provider(&providers).into());
    }
    let frameworks = built_in_names(Kind::Framework);
    for (name, group) in &config.groups {
        if !frameworks.contains(&group.kind.as_str()) {
            return Err(config.unknown_framework(name, &frameworks).into());
        }
    }
    let info = Provider::from_config(&config, &[]).describe().await?;
    config.check_provider(&schema(&info)?)?;
    // All groups use one framework, so they share one schema.
    if let Some(framework) = Framework::from_config(&config, &[]).first() {
        let schema = schema(&framework.describe().await?)?;
        for name in config.groups.keys() {
            config.check_group(name, &schema)?;
        }
    }
    Ok(config)
}

fn schema(info: &crate::plugin::Info) -> anyhow::Result<serde_json::Value> {
    serde_json::from_str(&info.settings_schema)
        .map_err(|error| anyhow::anyhow!("plugin `{}` carries a settings schema that is no JSON: {error}", info.name))
}
