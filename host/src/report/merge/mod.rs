//! The results of several runs as one report: what `offload merge` does.
//!
//! The event logs are replayed, so the reports are made by the same code as those of a run. What cannot be joined into the
//! results of one whole is told, and is never a success.

mod error;
mod reading;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{ReportOptions, Reporter};
use crate::model::{
    Attempt, AttemptNumber, Event, ExitCode, GroupName, Outcome, RunId, SandboxName, Shard, Status, Summary, Test,
    TestId, Verdict,
};
pub use error::MergeError;
use reading::{Account, Told};

/// How many tests are named that several runs have.
const MOST_NAMED: usize = 5;

/// The result of all runs together.
#[derive(Clone, Copy, Debug)]
pub struct Merged {
    pub exit_code: ExitCode,
    pub summary: Summary,
}

/// Joins the runs whose output directories these are; `listener` hears of every event.
///
/// What does not make a whole, because a shard is missing or was cut off or because the shards were planned differently, is
/// an error result of its own.
///
/// # Errors
/// A directory is none of a run, or the report cannot be written.
pub fn merge(
    directories: &[PathBuf],
    options: ReportOptions,
    mut listener: impl FnMut(&Event),
) -> Result<Merged, MergeError> {
    let output = options.output_dir.clone();
    refuse_overwriting(directories, &output)?;
    let runs = directories.iter().map(|directory| Told::read(directory)).collect::<Result<Vec<_>, _>>()?;
    refuse_twice(&runs)?;
    let mut misfits = cut_off(&runs);
    misfits.extend(gaps(&runs));
    let mut reporter = Reporter::new(options)?;
    let mut emit = |event: &Event| {
        listener(event);
        // The reporter remembers its first error and gives it at the end.
        let _ = reporter.handle(event);
    };
    begin(&runs, &mut emit);
    let (mut summary, repeated) = replay(&runs, &output, &mut emit);
    misfits.extend(repeated);
    for misfit in &misfits {
        misfit.tell(&mut emit);
        summary.add(Verdict::Error);
    }
    let exit_code = match ExitCode::of(&summary) {
        // All that there was to find was found, and a shard may have none of it.
        ExitCode::NothingFound if runs.iter().any(|run| !run.plans.is_empty()) => ExitCode::Success,
        code => code,
    };
    // They ran side by side.
    let seconds = runs.iter().filter_map(|run| run.seconds).fold(0.0, f64::max);
    emit(&Event::RunFinished { exit_code, seconds, summary });
    reporter.finish()?;
    Ok(Merged { exit_code, summary })
}

fn refuse_overwriting(directories: &[PathBuf], output: &Path) -> Result<(), MergeError> {
    // One that is not there yet is none of those that are read.
    let Ok(output) = fs::canonicalize(output) else { return Ok(()) };
    let same = directories.iter().find(|directory| fs::canonicalize(directory).is_ok_and(|path| path == output));
    same.map_or(Ok(()), |directory| Err(MergeError::Overwrites(directory.clone())))
}

fn refuse_twice(runs: &[Told]) -> Result<(), MergeError> {
    let mut known: HashMap<&RunId, &Path> = HashMap::new();
    for run in runs {
        if let Some(other) = known.insert(&run.run_id, &run.directory) {
            return Err(MergeError::Twice(other.to_owned(), run.directory.clone()));
        }
    }
    Ok(())
}

/// Why the runs are not one whole: a result without a test.
struct Misfit {
    group: GroupName,
    id: String,
    message: String,
}

impl Misfit {
    fn tell(&self, emit: &mut impl FnMut(&Event)) {
        let test = Arc::new(Test::nameless(self.group.clone(), self.id.as_str()));
        let outcome = Outcome::new(Status::Error, self.message.as_str());
        let attempt = Attempt { number: AttemptNumber::FIRST, sandbox: None, log: None, outcome };
        emit(&Event::TestDiscovered { test: test.clone() });
        emit(&Event::Attempted { test: test.clone(), attempt, retried: false });
        emit(&Event::Judged { test, verdict: Verdict::Error });
    }
}

fn cut_off(runs: &[Told]) -> Vec<Misfit> {
    let open = runs.iter().filter(|run| run.seconds.is_none());
    let misfit = |run: &Told| Misfit {
        group: run.groups.first().cloned().unwrap_or_else(|| GroupName::new("merge")),
        id: format!("run in {}", run.directory.display()),
        message: format!("the run in {} did not come to its end", run.directory.display()),
    };
    open.map(misfit).collect()
}

/// Shards that are missing, or that are none of the same plan.
fn gaps(runs: &[Told]) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    let mut groups: BTreeMap<&GroupName, Vec<(&Told, &reading::Plan)>> = BTreeMap::new();
    for run in runs {
        run.plans.iter().for_each(|plan| groups.entry(&plan.group).or_default().push((run, plan)));
    }
    for (group, plans) in groups {
        let mut misfit = |id: String, message: String| misfits.push(Misfit { group: group.clone(), id, message });
        let (first, plan) = plans[0];
        let differs =
            |(_, other): &&(&Told, &reading::Plan)| other.plan != plan.plan || other.shard.count != plan.shard.count;
        if let Some((other, _)) = plans.iter().find(differs) {
            let (one, other) = (first.directory.display(), other.directory.display());
            misfit(
                "shards".to_owned(),
                format!(
                    "{one} and {other} were cut differently, so tests may be missing: their lists of tests, their \
                     histories or their numbers of shards differ"
                ),
            );
            continue;
        }
        let there: BTreeSet<_> = plans.iter().map(|(_, plan)| plan.shard.index).collect();
        for index in (1..=plan.shard.count).filter(|index| !there.contains(index)) {
            let shard = Shard { index, count: plan.shard.count };
            misfit(format!("shard {shard}"), format!("the results of shard {shard} are missing"));
        }
    }
    misfits
}

fn begin(runs: &[Told], emit: &mut impl FnMut(&Event)) {
    let now = jiff::Timestamp::now().to_string();
    let started = runs.iter().map(|run| &run.started).min().unwrap_or(&now);
    let mut providers: Vec<_> = runs.iter().map(|run| run.provider.as_str()).collect();
    providers.sort_unstable();
    providers.dedup();
    emit(&Event::RunStarted {
        run_id: RunId::new(format!("merged-{}", uuid::Uuid::new_v4().simple())),
        version: env!("CARGO_PKG_VERSION"),
        started: started.clone(),
        provider: providers.join(" and "),
        max_parallel: runs.len(),
    });
    let mut known = BTreeSet::new();
    for group in runs.iter().flat_map(|run| &run.groups) {
        if known.insert(group) {
            emit(&Event::DiscoveryStarted { group: group.clone() });
        }
    }
}

/// Tells of every test of every run; says which of them more than one has.
fn replay(runs: &[Told], output: &Path, emit: &mut impl FnMut(&Event)) -> (Summary, Option<Misfit>) {
    let mut known: HashMap<(&GroupName, &TestId), &Account> = HashMap::new();
    let (mut summary, mut repeated) = (Summary::default(), Vec::new());
    for (place, run) in runs.iter().enumerate() {
        for account in &run.tests {
            if let Some(other) = known.get(&(&account.test.group, &account.test.id)) {
                // What every shard finds that cannot be collected is one finding.
                if !(other.is_of_discovery() && account.is_of_discovery()) {
                    repeated.push(&account.test);
                }
                continue;
            }
            known.insert((&account.test.group, &account.test.id), account);
            let test = account.test.clone();
            emit(&Event::TestDiscovered { test: test.clone() });
            for (attempt, retried) in &account.attempts {
                let attempt = placed(attempt, place, runs.len(), &run.directory, output);
                emit(&Event::Attempted { test: test.clone(), attempt, retried: *retried });
            }
            if account.relies_on_order {
                emit(&Event::ReliesOnOrder { test: test.clone() });
            }
            let verdict = account.verdict();
            summary.add(verdict);
            emit(&Event::Judged { test, verdict });
        }
        for (sandbox, group, count) in &run.warned {
            emit(&Event::Warned { sandbox: sandbox.clone(), group: group.clone(), count: *count });
        }
    }
    (summary, told_twice(&repeated))
}

fn told_twice(repeated: &[&Arc<Test>]) -> Option<Misfit> {
    let named = repeated.iter().take(MOST_NAMED).map(|test| test.id.as_str()).collect::<Vec<_>>().join(", ");
    let more = if repeated.len() > MOST_NAMED { ", …" } else { "" };
    let count = repeated.len();
    repeated.first().map(|test| Misfit {
        group: test.group.clone(),
        id: "tests of several runs".to_owned(),
        message: format!("{count} tests are in more than one run, of which only the first counts: {named}{more}"),
    })
}

/// An attempt as the joined report names its sandbox and finds its log.
fn placed(attempt: &Attempt, run: usize, runs: usize, directory: &Path, output: &Path) -> Attempt {
    let mut attempt = attempt.clone();
    if runs > 1 {
        let name = |name: SandboxName| SandboxName::new(format!("{}/{name}", run + 1));
        attempt.sandbox = attempt.sandbox.map(name);
    }
    attempt.log = attempt.log.map(|log| from(output, &directory.join(log)).to_string_lossy().into_owned());
    attempt
}

/// How to name `path` in `directory`: from there, if both are known by where they are.
fn from(directory: &Path, path: &Path) -> PathBuf {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (directory, path) = (absolute(directory), absolute(path));
    let common = directory.components().zip(path.components()).take_while(|(one, other)| one == other).count();
    let up = directory.components().skip(common).map(|_| std::path::Component::ParentDir);
    up.chain(path.components().skip(common)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_named_from_the_report() {
        assert_eq!(from(Path::new("/a/merged"), Path::new("/a/one/logs/x")), Path::new("../one/logs/x"));
        assert_eq!(from(Path::new("/a"), Path::new("/a/one/logs/x")), Path::new("one/logs/x"));
    }
}
