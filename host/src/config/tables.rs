//! The tables of the file as they are written, and the JSON Schema that is made from them.

use std::{collections::BTreeMap, path::PathBuf, sync::LazyLock};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Deserialize;
use serde_json::Value;

use super::plugins::PluginConfig;
use super::schema::{HistoryConfig, OffloadConfig, ReportConfig, Split};

/// The file as a whole. What only a plugin understands is left to the schema that the plugin carries.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FileTables {
    /// How the tests are run.
    #[serde(default)]
    pub(super) offload: OffloadConfig,
    /// Where the tests run.
    #[serde(default)]
    #[schemars(with = "ProviderTable")]
    pub(super) provider: Option<ProviderTable>,
    /// Which tests, by the names of their groups.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "minLength": 1 }))]
    pub(super) groups: BTreeMap<String, GroupTable>,
    /// What is written about a run, and where.
    #[serde(default)]
    pub(super) report: ReportConfig,
    /// What is remembered of earlier runs, and where.
    #[serde(default)]
    pub(super) history: HistoryConfig,
    /// Components that do not come with offload, by the names that `type` uses.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "minLength": 1 }))]
    pub(super) plugins: BTreeMap<String, PluginConfig>,
}

/// The keys of `[provider]` that mean the same for every provider.
#[derive(Deserialize, JsonSchema)]
pub(super) struct ProviderTable {
    /// The kind of provider: "local", for example.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Where commands run; relative to the working directory of [offload].
    #[serde(default)]
    #[schemars(with = "String", length(min = 1))]
    pub(super) working_dir: Option<PathBuf>,
    /// Environment variables for the sandboxes, each with a text as its value.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// Directories to copy into each sandbox: ["./src:/app/src"], for example.
    #[serde(default)]
    pub(super) copy_dirs: Vec<String>,
    /// How many seconds one command of the provider may take.
    #[serde(default)]
    #[schemars(with = "u64", range(min = 1, max = 1_000_000_000))]
    pub(super) timeout_secs: Option<u64>,
}

/// The keys of `[groups.<name>]` that mean the same for every framework.
#[derive(Deserialize, JsonSchema)]
pub(super) struct GroupTable {
    /// The framework of the group's tests: "pytest", for example.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Where this group's commands run; relative to the working directory of [offload].
    #[serde(default)]
    #[schemars(with = "String", length(min = 1))]
    pub(super) working_dir: Option<PathBuf>,
    /// How many sandboxes may run tests of this group at once.
    #[serde(default)]
    #[schemars(with = "usize", range(min = 1, max = 100_000))]
    pub(super) max_parallel: Option<usize>,
    /// Whether no test of another group may run while one of this group does.
    #[serde(default)]
    pub(super) exclusive: bool,
    /// Whether each test is handed to a sandbox by itself.
    #[serde(default)]
    pub(super) schedule_individual: bool,
    /// Whether tests of one file may run in several sandboxes: where that makes the run shorter ("auto"), or never ("never").
    #[serde(default)]
    pub(super) split: Split,
    /// Whether offload warns when a plugin says that all tests of a command passed although the command ended with an error.
    #[serde(default = "yes")]
    pub(super) trust_exit: bool,
}

fn yes() -> bool {
    true
}

/// The keys of a group that its framework never sees.
pub(super) const HOST_KEYS: [&str; 5] = ["max_parallel", "exclusive", "schedule_individual", "split", "trust_exit"];

/// Without references, so that the place of a mistake in the schema is also the place of its description.
pub(super) static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<FileTables>().to_value()
});

/// The table of the host in which `key` belongs.
pub(super) fn home_of(key: &str) -> Option<&'static str> {
    ["offload", "report", "history"]
        .into_iter()
        .find(|table| SCHEMA["properties"][table]["properties"].get(key).is_some())
}
