//! What `[provider]` may say with `type = "slurm"`.

use std::collections::BTreeMap;

use offload_plugin::prelude::*;

/// Sandboxes in allocations of a Slurm cluster, one each.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Settings {
    /// Partition in which the allocations are made; by default the cluster's own default.
    #[schemars(length(min = 1))]
    pub partition: Option<String>,
    /// Account that is charged.
    #[schemars(length(min = 1))]
    pub account: Option<String>,
    /// Quality of service of the allocations.
    #[schemars(length(min = 1))]
    pub qos: Option<String>,
    /// How long an allocation may last, as salloc's --time takes it: minutes, HH:MM:SS or D-HH:MM. Slurm ends it then, and what it
    /// was running is run again elsewhere. By default what the partition says.
    #[schemars(regex(pattern = r"^[0-9]+(:[0-9]+){0,2}$|^[0-9]+-[0-9]+(:[0-9]+){0,2}$"))]
    pub time: Option<String>,
    /// Processors of each sandbox.
    #[serde(default = "default_cpus")]
    #[schemars(range(min = 1))]
    pub cpus: u32,
    /// Memory of each sandbox, as salloc's --mem takes it: megabytes, or a number with K, M, G or T.
    #[schemars(regex(pattern = r"^[0-9]+[KMGTkmgt]?$"))]
    pub memory: Option<String>,
    /// Generic resources of each sandbox, as salloc's --gres takes them, such as gpu:1.
    #[schemars(length(min = 1))]
    pub gres: Option<String>,
    /// Features that the node must have, as salloc's --constraint takes them.
    #[schemars(length(min = 1))]
    pub constraint: Option<String>,
    /// More arguments for salloc, such as --reservation=NAME.
    #[serde(default)]
    pub extra_args: Vec<String>,
    /// Directory on this machine that relative paths start from; relative to the working directory of `[offload]`, and by default the
    /// same.
    // The host makes it absolute.
    #[schemars(length(min = 1))]
    pub working_dir: Option<String>,
    /// Directory on the nodes in which the tests run. By default it has the same path as working_dir, which a cluster's nodes share with
    /// this machine; with a relative path in copy_dirs, a directory of each sandbox's own.
    #[schemars(regex(pattern = "^/"))]
    pub remote_dir: Option<String>,
    /// Directory on the nodes below which each sandbox has one for its result files, removed with it. By default TMPDIR as the nodes
    /// have it, or /tmp.
    #[schemars(regex(pattern = "^/"))]
    pub scratch: Option<String>,
    /// Directories to bring into each sandbox, as local:remote. Where a remote path is relative, each sandbox works in a directory of its
    /// own that holds nothing else, unless remote_dir is set.
    // They come with each sandbox's specification.
    #[serde(default)]
    #[schemars(inner(regex(pattern = "^.+:.+$")))]
    pub copy_dirs: Vec<String>,
    /// Environment variables of the tests, on top of those that offload itself was started with.
    // They come back with every command.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// How long a call of Slurm's commands may take, in seconds, waiting for an allocation included; tests are bounded by
    /// test_timeout_secs instead.
    // The host watches this.
    #[schemars(range(min = 1))]
    pub timeout_secs: Option<u64>,
    /// How long to wait for an allocation, in seconds, before the cluster counts as full.
    #[serde(default = "default_queue_timeout_secs")]
    #[schemars(range(min = 1))]
    pub queue_timeout_secs: u64,
}

fn default_cpus() -> u32 {
    1
}

fn default_queue_timeout_secs() -> u64 {
    600
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_a_default() {
        let settings: Settings = offload_plugin::settings::parse("{}").expect("an empty table is complete");
        assert_eq!(settings.cpus, 1);
        assert_eq!(settings.queue_timeout_secs, 600);
        assert_eq!(settings.partition, None);
    }
}
