//! What a configuration means, with the defaults of the documentation.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    artifact_glob::ArtifactGlob,
    copy_dir::CopyDir,
    document::Document,
    pins::Pins,
    plugins::PluginConfig,
    redaction::{Names, Settings},
};

/// Where tests run, which tests, and how they are reported.
#[derive(Clone, Debug)]
pub struct Config {
    pub offload: OffloadConfig,
    pub provider: ProviderConfig,
    /// In the order of the file; all of one framework.
    pub groups: IndexMap<String, GroupConfig>,
    pub report: ReportConfig,
    pub history: HistoryConfig,
    /// Components that do not come with offload, by the names that `type` uses; in the order of the file.
    pub plugins: IndexMap<String, PluginConfig>,
    /// The digests that they are held against.
    pub pins: Pins,
    /// The absolute directory of the configuration file.
    pub root: PathBuf,
    /// Shows mistakes in place; absent from a configuration that was built in code.
    pub(super) document: Option<Arc<Document>>,
}

impl Config {
    /// A configuration without groups: the local provider, and the default of everything else.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            offload: OffloadConfig::default(),
            provider: ProviderConfig::default(),
            groups: IndexMap::new(),
            report: ReportConfig::default(),
            history: HistoryConfig::default(),
            plugins: IndexMap::new(),
            pins: Pins::default(),
            root: root.into(),
            document: None,
        }
    }

    /// Where discovery runs, and what other relative paths start from.
    pub fn working_dir(&self) -> PathBuf {
        resolve(&self.root, self.offload.working_dir.as_deref())
    }

    /// Where reports are written.
    pub fn output_dir(&self) -> PathBuf {
        resolve(&self.working_dir(), Some(&self.report.output_dir))
    }

    /// Where earlier runs are remembered.
    pub fn history_path(&self) -> PathBuf {
        resolve(&self.root, Some(&self.history.path))
    }

    /// Where the JUnit report is written, if it is wanted.
    pub fn junit_path(&self) -> Option<PathBuf> {
        self.report.junit.then(|| resolve(&self.output_dir(), Some(&self.report.junit_file)))
    }
}

// The comments on the fields of this file are also what users read below an error.

/// How the tests are run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OffloadConfig {
    /// How many sandboxes run tests at once.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_parallel: usize,
    /// How many seconds a batch of tests may take.
    // A bound, since the clock cannot be asked for every number of seconds from now.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub test_timeout_secs: u64,
    /// How often a failed test is tried again.
    #[schemars(range(max = 4_294_967_295u32))]
    pub retry_count: u32,
    /// Where tests are discovered and run; relative to the configuration file.
    #[schemars(with = "String", length(min = 1))]
    pub working_dir: Option<PathBuf>,
    /// Whether the output of tests is shown as it comes.
    pub stream_output: bool,
}

impl Default for OffloadConfig {
    fn default() -> Self {
        Self { max_parallel: 10, test_timeout_secs: 900, retry_count: 3, working_dir: None, stream_output: false }
    }
}

/// Where the tests run.
#[derive(Clone)]
pub struct ProviderConfig {
    /// The `type` of the provider.
    pub kind: String,
    /// As written.
    pub working_dir: Option<PathBuf>,
    /// What every command in a sandbox finds in its environment; variables are expanded.
    pub env: Vec<(String, String)>,
    pub copy_dirs: Vec<CopyDir>,
    /// How long one command of the provider may take.
    pub timeout_secs: Option<u64>,
    /// The whole table except `type`, for the provider itself; variables in `env` are expanded.
    pub settings: Map<String, Value>,
}

impl ProviderConfig {
    /// The provider's working directory, or `base` if it has none of its own.
    pub fn working_dir_in(&self, base: &Path) -> PathBuf {
        resolve(base, self.working_dir.as_deref())
    }
}

impl Default for ProviderConfig {
    fn default() -> Self {
        Self {
            kind: "local".to_owned(),
            working_dir: None,
            env: Vec::new(),
            copy_dirs: Vec::new(),
            timeout_secs: None,
            settings: Map::new(),
        }
    }
}

impl fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderConfig")
            .field("kind", &self.kind)
            .field("working_dir", &self.working_dir)
            .field("env", &Names(&self.env))
            .field("copy_dirs", &self.copy_dirs)
            .field("timeout_secs", &self.timeout_secs)
            .field("settings", &Settings(&self.settings))
            .finish()
    }
}

/// Which tests, and what finds, runs and judges them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupConfig {
    /// The `type` of the framework.
    pub kind: String,
    /// As written.
    pub working_dir: Option<PathBuf>,
    /// How many sandboxes may run tests of the group at once.
    pub max_parallel: Option<usize>,
    /// Whether no test of another group may run at the same time.
    pub exclusive: bool,
    /// Whether each test is handed out by itself.
    pub schedule_individual: bool,
    /// Whether tests of one file may run in several sandboxes.
    pub split: Split,
    /// Whether a plugin's verdicts are accepted without a warning where they contradict the exit code of its command.
    pub ignores_exit: bool,
    /// The table without what only the host reads, for the framework itself.
    pub settings: Map<String, Value>,
}

/// Whether tests of one file may run in several sandboxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// Where that makes the run shorter, by what earlier runs or the run itself show.
    #[default]
    Auto,
    Never,
}

impl GroupConfig {
    /// The group's working directory, or `base` if it has none of its own.
    pub fn working_dir_in(&self, base: &Path) -> PathBuf {
        resolve(base, self.working_dir.as_deref())
    }
}

/// What is written about a run, and where.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReportConfig {
    /// The directory of all reports; relative to the working directory.
    #[schemars(with = "String", length(min = 1))]
    pub output_dir: PathBuf,
    /// Whether a JUnit report is written.
    pub junit: bool,
    /// The JUnit report; relative to `output_dir`, which it may leave.
    #[schemars(with = "String", length(min = 1))]
    pub junit_file: PathBuf,
    /// Files to keep of each sandbox, in `artifacts` of `output_dir`: patterns below its working directory, such as
    /// `screenshots/**/*.png`.
    pub artifacts: Vec<String>,
    /// Variables whose values no log and no report shows, beside those whose names sound like secrets (`API_TOKEN`).
    pub mask: Vec<String>,
}

impl ReportConfig {
    /// The patterns of `artifacts`.
    ///
    /// # Errors
    /// The place of the first that is none, counted from 0, and why.
    pub fn artifact_globs(&self) -> Result<Vec<ArtifactGlob>, (usize, String)> {
        let globs = self.artifacts.iter().enumerate();
        globs.map(|(place, pattern)| ArtifactGlob::new(pattern).map_err(|why| (place, why))).collect()
    }
}

impl Default for ReportConfig {
    fn default() -> Self {
        Self {
            output_dir: "test-results".into(),
            junit: true,
            junit_file: "junit.xml".into(),
            artifacts: Vec::new(),
            mask: Vec::new(),
        }
    }
}

/// What is remembered of earlier runs, and where.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HistoryConfig {
    /// Whether runs are remembered, and later ones planned by that.
    pub enabled: bool,
    /// The file that they are kept in; relative to the configuration file.
    #[schemars(with = "String", length(min = 1))]
    pub path: PathBuf,
}

impl Default for HistoryConfig {
    fn default() -> Self {
        Self { enabled: true, path: ".offload/history.db".into() }
    }
}

/// What one sandbox is made with.
#[derive(Clone, Default)]
pub struct SandboxConfig {
    /// Tells this sandbox from the others of the run.
    pub id: String,
    /// Where commands run in it, unless they say otherwise.
    pub working_dir: Option<PathBuf>,
    /// What every command in it finds in its environment.
    pub env: Vec<(String, String)>,
    /// Directories of this machine and where they go in the sandbox.
    pub copy_dirs: Vec<(PathBuf, PathBuf)>,
}

impl fmt::Debug for SandboxConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxConfig")
            .field("id", &self.id)
            .field("working_dir", &self.working_dir)
            .field("env", &Names(&self.env))
            .field("copy_dirs", &self.copy_dirs)
            .finish()
    }
}

/// Joins, and leaves out any `.` on the way.
fn resolve(base: &Path, path: Option<&Path>) -> PathBuf {
    path.map_or_else(|| base.to_owned(), |path| base.join(path)).components().collect()
}
