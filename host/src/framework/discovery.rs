//! Finding the tests: the framework says what to run on this machine until it knows.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::convert;
use super::handle::Framework;
use super::run::{Context, Plan, read_file};
use crate::limits;
use crate::model::{Discovered, Failure, Test};
use crate::plugin::Rights;
use crate::plugin::contract::{Discovery, FinishedRun};
use crate::process;
use std::collections::HashSet;

/// A framework that still asks for runs after so many will never be content.
const MOST_RUNS: usize = 100;

pub(super) async fn discover(framework: &Framework, paths: &[String]) -> Result<Discovered, Failure> {
    let private = Permissions::from_mode(0o700);
    let scratch = tempfile::Builder::new().prefix("offload-discovery-").permissions(private).tempdir();
    let scratch = scratch.map_err(|error| {
        Failure::new("no-scratch", format!("cannot make a temporary directory: {error}"))
            .with_help("make room in, or set, TMPDIR")
    })?;
    let context = Context {
        scratch: format!("{}/", scratch.path().display()),
        nonce: uuid::Uuid::new_v4().simple().to_string(),
        attempt: 1,
        memo: None,
    };
    let mut instance = framework.component()?.instantiate().await?;
    let mut previous = Vec::new();
    while previous.len() < MOST_RUNS {
        match instance.discover(&context.to_contract(), paths, &previous).await? {
            Discovery::Run(plan) => {
                previous.push(run(framework, &instance.rights().clone(), scratch.path(), plan.into()).await?)
            }
            Discovery::Found(mut found) => {
                framework.remember(found.memo.take());
                let found = convert::found(framework.group(), found);
                unique(&found.tests)?;
                return Ok(found);
            }
        }
    }
    let message = format!("plugin `{}` still asked for commands after {MOST_RUNS} of them", framework.kind());
    Err(Failure::new("endless-discovery", message).with_help("this is a defect of the plugin: report it to its author"))
}

/// Ids are identities: a framework that gives one twice would have one of the two tests lost.
pub(super) fn unique(tests: &[Test]) -> Result<(), Failure> {
    let mut seen = HashSet::with_capacity(tests.len());
    if let Some(test) = tests.iter().find(|test| test.id.as_str().is_empty() || test.id.as_str().contains('\0')) {
        let what = if test.id.as_str().is_empty() { "an empty id" } else { "an id with a NUL character" };
        return Err(Failure::new("invalid-test", format!("a test was found that has {what}"))
            .with_help("this is a defect of the framework's plugin: report it to its author"));
    }
    match tests.iter().find(|test| !seen.insert(&test.id)) {
        None => Ok(()),
        Some(twice) => Err(Failure::new("duplicate-test", format!("the test {:?} was found twice", twice.id.as_str()))
            .with_help("this is a defect of the framework's plugin: report it to its author")),
    }
}

async fn run(framework: &Framework, rights: &Rights, scratch: &Path, mut plan: Plan) -> Result<FinishedRun, Failure> {
    let place = framework.place();
    let configured = framework.discovery_directory();
    let own = [scratch, configured.as_deref().unwrap_or(Path::new("."))];
    let asked = plan.command.cwd.take();
    if let Some(directory) = &asked {
        rights.may_work_in(directory, &own)?;
    }
    let directory = asked.or(configured.clone());
    if let Some(directory) = directory.as_deref().filter(|directory| !directory.is_dir()) {
        return Err(Failure::new(
            "no-directory",
            format!("the working directory {} of group `{}` does not exist", directory.display(), framework.group()),
        )
        .with_help("create it, or correct `working_dir`"));
    }
    let result_files: Vec<_> =
        plan.result_files.into_iter().map(|name| (name.clone(), local(directory.as_deref(), &name))).collect();
    let mut env = place.env.clone();
    env.append(&mut plan.command.env);
    for (_, file) in &result_files {
        rights.may_read(file, &own)?;
    }
    let environment = rights.environment();
    let command = process::Command { argv: plan.command.argv, env, cwd: directory.clone(), environment };
    let program = command.argv.first().cloned().unwrap_or_default();
    let captured = tokio::time::timeout(place.limit, process::capture(&command, plan.stdin))
        .await
        .map_err(|_| {
            let message =
                format!("finding the tests of group `{}` took longer than {:?}", framework.group(), place.limit);
            Failure::new("discovery-timeout", message)
                .with_help("see what it waits for, or raise `test_timeout_secs` in [offload]")
        })?
        .map_err(|error| {
            let message = format!("cannot run `{program}` to find tests: {error}");
            limits::explain(
                Failure::new("discovery-failed", message)
                    .with_help(format!("check that `{program}` is installed and in PATH")),
            )
        })?;
    let mut files = Vec::with_capacity(result_files.len());
    for (name, file) in &result_files {
        files.push(read_file(name, rights.open(file, &own)?)?);
    }
    Ok(FinishedRun { output: captured.into(), files })
}

fn local(directory: Option<&Path>, name: &str) -> PathBuf {
    directory.map_or_else(|| PathBuf::from(name), |directory| directory.join(name))
}
