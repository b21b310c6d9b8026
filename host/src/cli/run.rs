//! `offload run`

use std::path::Path;

use super::args::{Format, RunArgs};
use super::output::{complain, render};
use super::{collect, project};
use crate::framework::Framework;
use crate::model::Mask;
use crate::orchestrator::{Orchestrator, RunError, RunOverrides};
use crate::provider::Provider;

pub(super) async fn run(path: &Path, verbose: bool, args: RunArgs) -> anyhow::Result<u8> {
    let RunArgs { parallel, shard, collect_only, copy_dir, env, rebuild } = args;
    let config = project::load(path).await?;
    let env: Vec<_> = env.into_iter().map(|variable| (variable.name, variable.value)).collect();
    let seen = discovery_env(&config, &env);
    let frameworks = Framework::from_config(&config, &seen);
    if collect_only {
        let variables: Vec<_> = config.provider.env.iter().chain(&env).cloned().collect();
        let mask = Mask::with_own(&variables, &config.report.mask);
        return collect::print_tests(&frameworks, Format::Text, &mask).await;
    }
    let overrides = RunOverrides { max_parallel: parallel, env, copy_dirs: copy_dir, shard, rebuild };
    let exit_code = match Orchestrator::for_groups(config, frameworks, verbose).run(&overrides).await {
        Ok(result) => result.exit_code(),
        Err(unreported @ RunError::Unreported { exit_code, .. }) => {
            complain(&render(&unreported.into()));
            exit_code
        }
        Err(error) => return Err(error.into()),
    };
    Ok(u8::try_from(exit_code).unwrap_or(1))
}

/// Discovery runs on this machine: what is meant for sandboxes elsewhere is not for it.
pub(super) fn discovery_env(config: &crate::config::Config, given: &[(String, String)]) -> Vec<(String, String)> {
    if !Provider::from_config(config, &[]).is_this_machine() {
        return Vec::new();
    }
    config.provider.env.iter().chain(given).cloned().collect()
}
