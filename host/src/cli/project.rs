//! A configuration that was checked against the plugins that it names.

use std::path::Path;

use anyhow::bail;

use crate::config::{Config, load_config};
use crate::framework::Framework;
use crate::model::Failure;
use crate::plugin::{Kind, built_in_names};
use crate::provider::Provider;

/// Loads the file and checks every table with the plugin whose table it is; contacts no engine.
pub(super) async fn load(path: &Path) -> anyhow::Result<Config> {
    let config = load_config(path)?;
    check_temporary_directory(&std::env::temp_dir())?;
    check_names(&config)?;
    let [providers, frameworks] = [Kind::Provider, Kind::Framework].map(built_in_names);
    let known = |built_in: &[&'static str]| {
        let configured = config.plugins.keys().map(String::as_str);
        built_in.iter().copied().chain(configured).collect::<Vec<_>>()
    };
    if !known(&providers).contains(&config.provider.kind.as_str()) {
        return Err(config.unknown_provider(&known(&providers)).into());
    }
    for (name, group) in &config.groups {
        if !known(&frameworks).contains(&group.kind.as_str()) {
            return Err(config.unknown_framework(name, &known(&frameworks)).into());
        }
    }
    let provider = Provider::from_config(&config, &[]);
    config.check_provider(&schema(&provider.describe().await?)?)?;
    let frameworks = Framework::from_config(&config, &[]);
    // All groups use one framework, so they share one schema.
    if let Some(framework) = frameworks.first() {
        let schema = schema(&framework.describe().await?)?;
        for name in config.groups.keys() {
            config.check_group(name, &schema)?;
        }
    }
    // What no schema says.
    in_table("provider", provider.check_settings().await)?;
    for framework in &frameworks {
        in_table(&format!("groups.{}", framework.group()), framework.check_settings().await)?;
    }
    Ok(config)
}

/// Sandboxes and batches have their files in it, and plugins are told where.
fn check_temporary_directory(path: &Path) -> anyhow::Result<()> {
    if path.to_str().is_none() {
        bail!(
            "the path of the temporary directory, {path:?}, is not UTF-8\n  help: set TMPDIR to a directory whose path is"
        );
    }
    Ok(())
}

fn in_table(name: &str, checked: Result<(), Failure>) -> anyhow::Result<()> {
    Ok(checked.map_err(|failure| Failure { message: format!("[{name}]: {}", failure.message), ..failure })?)
}

/// No plugin of the configuration has the name of one that comes with offload.
pub(super) fn check_names(config: &Config) -> anyhow::Result<()> {
    let built_in: Vec<_> = [Kind::Provider, Kind::Framework].into_iter().flat_map(built_in_names).collect();
    Ok(config.check_plugin_names(&built_in)?)
}

fn schema(info: &crate::plugin::Info) -> anyhow::Result<serde_json::Value> {
    serde_json::from_str(&info.settings_schema)
        .map_err(|error| anyhow::anyhow!("plugin `{}` carries a settings schema that is no JSON: {error}", info.name))
}
