//! A run, from the configuration to the exit code.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc;

use super::artifacts::Artifacts;
use super::catalog::{Catalog, GroupIndex};
use super::dispatch::{Dispatcher, Finished, GroupRules, Message, Rules, Search, Sources};
use super::memory::Memory;
use super::pool::SandboxPool;
use super::scratch;
use super::signals::Signals;
use crate::config::{ArtifactGlob, Config, CopyDir, SandboxConfig, Split};
use crate::framework::{Framework, TestFramework};
use crate::model::{Discovered, Event, ExitCode, Failure, Mask, RunId, Shard, Summary};
use crate::plugin::LogSink;
use crate::provider::Provider;
use crate::report::{Console, ReportError, ReportOptions, Reporter};

/// What the command line says on top of the configuration.
#[derive(Clone, Debug, Default)]
pub struct RunOverrides {
    pub max_parallel: Option<usize>,
    pub env: Vec<(String, String)>,
    pub copy_dirs: Vec<CopyDir>,
    /// The part of the tests that is to be run.
    pub shard: Option<Shard>,
    /// Whether the image is built anew, even if there is one for the same inputs.
    pub rebuild: bool,
}

/// Why there is no result to speak of.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No test was found, for this reason.
    #[error("{0}")]
    Nothing(Failure),
    /// Nothing was run, since there could be no report of it.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The tests were run, but whoever reads the reports would not hear of all of them. What the process should exit with
    /// is never a success.
    #[error("the reports of this run are not whole: {error}")]
    Unreported { error: ReportError, exit_code: i32 },
    #[error("cannot {action}: {source}")]
    Io { action: &'static str, source: std::io::Error },
}

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub struct RunResult {
    exit_code: ExitCode,
    summary: Summary,
}

impl RunResult {
    /// What the process should exit with.
    pub fn exit_code(&self) -> i32 {
        self.exit_code.get().into()
    }

    /// How many tests ended in each verdict.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }
}

/// Runs the tests of a configuration and writes its reports.
pub struct Orchestrator {
    config: Config,
    frameworks: Vec<Framework>,
    stream_output: bool,
}

impl Orchestrator {
    /// For one group of tests; `verbose` streams what they print.
    #[expect(clippy::needless_pass_by_value, reason = "the framework is handed over")]
    pub fn new(config: Config, framework: impl TestFramework, verbose: bool) -> Self {
        Self::for_groups(config, vec![framework.framework().clone()], verbose)
    }

    /// For several groups; `verbose` streams what they print.
    pub fn for_groups(config: Config, frameworks: Vec<Framework>, verbose: bool) -> Self {
        let stream_output = verbose || config.offload.stream_output;
        Self { config, frameworks, stream_output }
    }

    /// Runs these tests in the pool's sandboxes, which are destroyed in the end. SIGINT, SIGTERM and SIGHUP end the run early.
    ///
    /// # Errors
    /// The reports could not be written, or the sandboxes do not give what the framework needs.
    pub async fn run_with_tests(&self, tests: &Discovered, pool: SandboxPool) -> Result<RunResult, RunError> {
        let framework = &self.frameworks[0];
        if !pool.is_isolated() && framework.needs_private_directory().await.map_err(RunError::Nothing)? {
            let message = format!("the tests of group `{}` need a private directory each", framework.group());
            return Err(RunError::Nothing(
                Failure::new("not-isolated", message)
                    .with_help("create the pool with `SandboxPool::new().isolated(true)`"),
            ));
        }
        let (sender, messages) = mpsc::unbounded_channel();
        if let Some(provider) = pool.provider() {
            provider.log_to(log_sink(&sender));
        }
        let found =
            Message::Discovered { group: GroupIndex::new(0), duration: Duration::ZERO, result: Ok(tests.clone()) };
        // The receiver is right here.
        let _ = sender.send(found);
        let memory = Memory::of(&self.config, sender.clone());
        let search = Search::new(self.frameworks.clone(), sender);
        let signals = listen()?;
        let mask = self.mask(&self.config.provider.env);
        self.dispatch(Sources { pool, search, memory, messages }, None, mask, signals).await
    }

    /// Finds the tests and creates the sandboxes at the same time, and runs.
    ///
    /// # Errors
    /// No test could be found, or the reports could not be written.
    pub async fn run(&self, overrides: &RunOverrides) -> Result<RunResult, RunError> {
        let env = merged(&self.config.provider.env, &overrides.env);
        let provider = Provider::from_config(&self.config, &env);
        let (sender, messages) = mpsc::unbounded_channel();
        provider.log_to(log_sink(&sender));
        let signals = listen()?;
        let mut isolated = false;
        for framework in &self.frameworks {
            framework.log_to(log_sink(&sender));
            isolated |= framework.needs_private_directory().await.map_err(RunError::Nothing)?;
        }
        let memory = Memory::of(&self.config, sender.clone());
        let mut search = Search::new(self.frameworks.clone(), sender);
        search.start(self.found_by_worker(&provider, isolated));
        let mut pool = SandboxPool::new().isolated(isolated).rebuild(overrides.rebuild);
        let max_parallel = overrides.max_parallel.unwrap_or(self.config.offload.max_parallel);
        let mask = self.mask(&env);
        pool.start(max_parallel, &provider, &self.sandbox_config(env, &overrides.copy_dirs));
        self.dispatch(Sources { pool, search, memory, messages }, overrides.shard, mask, signals).await
    }

    /// The group whose first worker finds its tests on the way: it sees what a command on this machine would see, and has
    /// collected everything when it begins.
    fn found_by_worker(&self, provider: &Provider, isolated: bool) -> Option<GroupIndex> {
        if !provider.is_this_machine() || isolated {
            return None;
        }
        let has_workers = |framework: &Framework| framework.has_workers().unwrap_or(false);
        self.frameworks.iter().position(has_workers).map(GroupIndex::new)
    }

    fn sandbox_config(&self, env: Vec<(String, String)>, copy_dirs: &[CopyDir]) -> SandboxConfig {
        let base = self.config.working_dir();
        let copy_dirs = self.config.provider.copy_dirs.iter().chain(copy_dirs);
        SandboxConfig {
            id: self.config.provider.kind.clone(),
            working_dir: None,
            env,
            copy_dirs: copy_dirs.map(|dir| (base.join(&dir.local), PathBuf::from(&dir.remote))).collect(),
        }
    }

    async fn dispatch(
        &self,
        mut sources: Sources,
        shard: Option<Shard>,
        mask: Mask,
        signals: Signals,
    ) -> Result<RunResult, RunError> {
        let places = match self.places(sources.pool.run_id(), &mask) {
            Ok(places) => places,
            Err(error) => {
                // Sandboxes are being created by now. What was not destroyed `offload clean` finds.
                let _ = sources.pool.close().await;
                return Err(error);
            }
        };
        let Places { scratch, artifacts, reporter } = places;
        let rules = Rules {
            artifacts,
            mask: mask.clone(),
            retry_count: self.config.offload.retry_count,
            limit: Duration::from_secs(self.config.offload.test_timeout_secs),
            stream: self.stream_output,
            early_workers: early_workers(&sources.pool),
            shard,
            groups: self.frameworks.iter().map(|framework| self.group_rules(framework)).collect(),
        };
        let started = Event::RunStarted {
            run_id: sources.pool.run_id().clone(),
            version: env!("CARGO_PKG_VERSION"),
            started: jiff::Timestamp::now().to_string(),
            provider: self.config.provider.kind.clone(),
            max_parallel: sources.pool.capacity(),
        };
        let catalog = Catalog::new(self.frameworks.clone());
        let mut dispatcher = Dispatcher::new(rules, catalog, sources, reporter, scratch.path().to_owned());
        dispatcher.emit(&started);
        for framework in &self.frameworks {
            dispatcher.emit(&Event::DiscoveryStarted { group: framework.group().clone() });
        }
        let Finished { exit_code, summary, reporter, undiscovered } = dispatcher.run(signals).await;
        if let Err(error) = reporter.finish() {
            return Err(RunError::Unreported { error, exit_code: exit_code.without_reports().get().into() });
        }
        match undiscovered.into_iter().next() {
            Some(mut failure) if exit_code == ExitCode::NothingFound => {
                mask.failure(&mut failure);
                Err(RunError::Nothing(failure))
            }
            _ => Ok(RunResult { exit_code, summary }),
        }
    }

    /// For what tests find in their environment.
    fn mask(&self, env: &[(String, String)]) -> Mask {
        Mask::with_own(env, &self.config.report.mask)
    }

    /// Makes everything ready that a run writes to.
    fn places(&self, run_id: &RunId, mask: &Mask) -> Result<Places, RunError> {
        let scratch = scratch::make(run_id)
            .map_err(|source| RunError::Io { action: "make a temporary directory (is TMPDIR right?)", source })?;
        let artifacts = Artifacts::of(&self.artifact_globs()?, &self.config.output_dir(), scratch.path());
        let reporter = Reporter::new(self.report_options(mask.clone()))?;
        Ok(Places { scratch, artifacts, reporter })
    }

    fn artifact_globs(&self) -> Result<Vec<ArtifactGlob>, RunError> {
        self.config.report.artifact_globs().map_err(|(_, why)| {
            RunError::Nothing(Failure::new("invalid-settings", format!("a pattern of `artifacts` is wrong: {why}")))
        })
    }

    fn group_rules(&self, framework: &Framework) -> GroupRules {
        // A framework that was made in code need not be in the configuration.
        let config = self.config.groups.get(framework.group().as_str()).cloned().unwrap_or_default();
        GroupRules {
            max_parallel: config.max_parallel.unwrap_or(usize::MAX),
            exclusive: config.exclusive,
            singly: config.schedule_individual,
            keeps_files_whole: config.split == Split::Never,
            // Those that come with offload judge the exit code themselves.
            minds_exit: !framework.is_built_in() && !config.ignores_exit,
        }
    }

    fn report_options(&self, mask: Mask) -> ReportOptions {
        ReportOptions {
            junit: self.config.junit_path(),
            output_dir: self.config.output_dir(),
            console: Console::Auto,
            stream_output: self.stream_output,
            mask,
        }
    }
}

/// Where a run writes.
struct Places {
    scratch: TempDir,
    artifacts: Option<Artifacts>,
    reporter: Reporter,
}

/// On this machine each early worker takes time from the search for tests.
fn early_workers(pool: &SandboxPool) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let here = pool.provider().is_some_and(Provider::is_this_machine);
    if here { pool.capacity().min(cores()) } else { pool.capacity() }
}

/// The configured variables with those of the command line over them.
fn merged(configured: &[(String, String)], given: &[(String, String)]) -> Vec<(String, String)> {
    let mut merged: Vec<_> =
        configured.iter().filter(|(name, _)| given.iter().all(|(other, _)| other != name)).cloned().collect();
    merged.extend_from_slice(given);
    merged
}

fn log_sink(sender: &mpsc::UnboundedSender<Message>) -> LogSink {
    let sender = sender.clone();
    Arc::new(move |level, message| {
        // Without a dispatcher the run is over.
        let _ = sender.send(Message::Log(level, message));
    })
}

fn listen() -> Result<Signals, RunError> {
    Signals::listen().map_err(|source| RunError::Io { action: "listen for signals", source })
}
