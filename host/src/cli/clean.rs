//! `offload clean`

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;

use super::args::CleanArgs;
use super::output::print;
use super::project;
use crate::model::Failure;
use crate::orchestrator::{run_tmp, scratch};
use crate::plugin::contract::Leftover;
use crate::presence::{self, Known};
use crate::provider::Provider;

/// Lists what earlier runs left at the provider of the configuration, and removes what surely nobody needs.
pub(super) async fn clean(path: &Path, args: &CleanArgs) -> anyhow::Result<u8> {
    let config = project::load(path).await?;
    let provider = Provider::from_config(&config, &config.provider.env);
    let cleaned = clean_up(&provider, args).await;
    provider.close().await;
    cleaned
}

async fn clean_up(provider: &Provider, args: &CleanArgs) -> anyhow::Result<u8> {
    let left = provider.leftovers().await.map_err(explained)?.ok_or_else(|| {
        let kind = provider.kind();
        anyhow::anyhow!("provider `{kind}` cannot tell what earlier runs left: look for it with the tools of its own")
    })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let asked = left.into_iter().filter(|left| args.run.as_ref().is_none_or(|run| *run == left.run_id));
    let judged: Vec<_> = asked.map(|left| (reason_to_keep(&left, args, now), left)).collect();
    let directories = directories(args);
    if judged.is_empty() && directories.is_empty() {
        print("nothing is left of earlier runs\n");
        return Ok(0);
    }
    let (kept, removed): (Vec<_>, Vec<_>) = judged.into_iter().partition(|(keep, _)| keep.is_some());
    for (keep, left) in &kept {
        print(&format!("kept {}: {}\n", described(left, now), keep.as_deref().unwrap_or_default()));
    }
    let removed: Vec<_> = removed.into_iter().map(|(_, left)| left).collect();
    if !args.dry_run && !removed.is_empty() {
        let ids: Vec<_> = removed.iter().map(|left| left.sandbox.clone()).collect();
        provider.destroy(&ids).await.map_err(explained)?;
    }
    if !args.dry_run {
        for (_, directory) in &directories {
            run_tmp::remove(directory).with_context(|| format!("cannot remove {}", directory.display()))?;
        }
        let runs = removed.iter().map(|left| &left.run_id).chain(directories.iter().map(|(run, _)| run));
        let is_over = |run: &&String| kept.iter().all(|(_, left)| left.run_id != **run);
        runs.filter(is_over).for_each(|run| presence::forget(run));
    }
    let verb = if args.dry_run { "would remove" } else { "removed" };
    for left in &removed {
        print(&format!("{verb} {}\n", described(left, now)));
    }
    for (run, directory) in &directories {
        print(&format!("{verb} {} of run {run}\n", directory.display()));
    }
    Ok(0)
}

/// The directories in which runs that were killed kept what they had brought back, and what their sandboxes shared, on this machine.
fn directories(args: &CleanArgs) -> Vec<(String, PathBuf)> {
    let is_asked = |run: &str| args.run.as_ref().is_none_or(|asked| asked == run);
    let is_old = |directory: &Path| {
        let modified = directory.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|modified| modified.elapsed().ok());
        args.older_than.is_none_or(|limit| age.is_some_and(|age| age >= limit.0))
    };
    let mut left = scratch::left();
    left.extend(run_tmp::left());
    left.retain(|(run, directory)| presence::of(run) == Known::Ended && is_asked(run) && is_old(directory));
    left
}

/// Why something stays, unless it goes.
fn reason_to_keep(left: &Leftover, args: &CleanArgs, now: Duration) -> Option<String> {
    let known = presence::of(&left.run_id);
    if known == Known::UnderWay {
        return Some("its run is under way".to_owned());
    }
    if let Some(limit) = args.older_than {
        return match age(left, now) {
            Some(age) if age >= limit.0 => None,
            Some(_) => Some("it is younger than that".to_owned()),
            None => Some(format!("its age is not known; `--run {}` removes it", left.run_id)),
        };
    }
    let stays = args.run.is_none() && known == Known::Nothing;
    stays.then(|| {
        format!("its run was none of yours on this machine; `--run {}` or `--older-than 1d` removes it", left.run_id)
    })
}

fn described(left: &Leftover, now: Duration) -> String {
    let age = age(left, now).map(|age| format!(", {} old", rounded(age))).unwrap_or_default();
    format!("{} of run {}{age}", left.name, left.run_id)
}

fn age(left: &Leftover, now: Duration) -> Option<Duration> {
    Some(now.saturating_sub(Duration::from_secs(left.created?)))
}

/// The time in its largest unit.
fn rounded(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}

fn explained(failure: Failure) -> anyhow::Error {
    anyhow::anyhow!("{failure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(created: Option<u64>) -> Leftover {
        Leftover { sandbox: "id".into(), run_id: "no-such-run".into(), name: "box".into(), created }
    }

    #[track_caller]
    fn check(run: Option<&str>, older_than: Option<&str>, created: Option<u64>, kept_since: Option<&str>) {
        let older_than = older_than.map(|text| text.parse().expect("a time"));
        let args = CleanArgs { run: run.map(str::to_owned), older_than, dry_run: false };
        let reason = reason_to_keep(&left(created), &args, Duration::from_secs(100_000));
        match (reason, kept_since) {
            (None, None) => {}
            (Some(reason), Some(expected)) if reason.contains(expected) => {}
            (reason, expected) => panic!("{reason:?}, not {expected:?}"),
        }
    }

    #[test]
    fn what_may_be_somebody_else_s_stays_unless_it_is_named() {
        check(None, None, Some(0), Some("none of yours"));
        check(Some("no-such-run"), None, None, None);
        check(None, Some("1d"), Some(0), None);
        check(None, Some("2d"), Some(0), Some("younger"));
        check(None, Some("1d"), None, Some("--run no-such-run"));
    }

    #[test]
    fn ages_are_short() {
        let shown = [0, 59, 60, 3599, 3600, 86399, 86400, 900_000].map(|seconds| rounded(Duration::from_secs(seconds)));
        assert_eq!(shown, ["0 s", "59 s", "1 min", "59 min", "1 h", "23 h", "1 d", "10 d"]);
    }
}
