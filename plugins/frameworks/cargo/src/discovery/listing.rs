//! The command that lists tests, and what it listed.

use std::collections::BTreeMap;

use offload_plugin::framework::{FinishedRun, RunPlan};
use offload_plugin::types::{Command, Context, Exit, Failure};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::nextest::{Config, Places};
use crate::settings::Settings;
use crate::trouble;

/// The list goes through a file, since only so much of standard output is kept; and it says where it was made. What cargo
/// says of the packages is asked for beside it, for the batches: nextest asks anew for each command that is not told. What
/// nextest is configured to do is brought along.
const SCRIPT: &str = r#"list=$1 place=$2 packages=$3 config=$4 around=$5; shift 5
pwd -P >"$place" || exit
printf '%s\n' "$NEXTEST_PROFILE" "$(getconf _NPROCESSORS_ONLN)" >"$around"
cargo metadata --format-version 1 --all-features --filter-platform host-tuple >"$packages" 2>/dev/null &
asked=$!
(root=$(cargo locate-project --workspace --message-format plain) && cp "${root%/*}/.config/nextest.toml" "$config") 2>/dev/null &
copied=$!
"$@" >"$list"; ended=$?
wait "$asked" || rm -f "$packages"
wait "$copied"
exit "$ended""#;

const FILES: [&str; 5] = [LIST, PLACE, PACKAGES, CONFIG, AROUND];
const LIST: &str = "list.json";
const PLACE: &str = "place";
const PACKAGES: &str = "packages.json";
const CONFIG: &str = "nextest.toml";
/// The profile that the environment names, and how many processors there are.
const AROUND: &str = "around";

pub fn plan(settings: &Settings, context: &Context) -> RunPlan {
    let files = FILES.map(|name| format!("{}{name}", context.scratch)).to_vec();
    let words = files.iter().map(String::as_str).chain(["cargo", "nextest", "list", "--message-format", "json"]);
    let mut command = Command::script(SCRIPT, words);
    command.argv.extend(settings.selection());
    RunPlan { result_files: files, ..RunPlan::new(command) }
}

/// What the first command told.
pub(super) struct Listed {
    pub listing: Listing,
    pub place: Vec<u8>,
    pub packages: Option<Vec<u8>>,
    pub config: Option<Config>,
    pub cpus: u64,
}

impl Listed {
    /// # Errors
    /// A build that failed, a missing nextest, or a listing that cannot be read.
    pub fn of(run: &FinishedRun, settings: &Settings) -> Result<Self, Failure> {
        if run.output.exit != Exit::Code(0) {
            return Err(trouble::explain(&run.output, "discovery-failed"));
        }
        let file = |name: &str| contents(run, name);
        let listing = serde_json::from_slice(file(LIST).unwrap_or_default()).map_err(|error| {
            Failure::new(
                "discovery-failed",
                format!("the list of tests that cargo-nextest printed cannot be read: {error}"),
            )
            .with_help("update it: cargo install cargo-nextest --locked")
        })?;
        let around = String::from_utf8_lossy(file(AROUND).unwrap_or_default()).into_owned();
        let (profile, cpus) = around.trim_end().rsplit_once('\n').unwrap_or_default();
        let profile = settings.profile.as_deref().unwrap_or(profile);
        let config = file(CONFIG).map(|text| Config::parse(&String::from_utf8_lossy(text), Some(profile)));
        Ok(Self {
            listing,
            place: file(PLACE).unwrap_or_default().to_vec(),
            packages: file(PACKAGES).map(<[u8]>::to_vec),
            config: config.transpose()?,
            cpus: cpus.parse().ok().filter(|cpus| *cpus > 0).unwrap_or(1),
        })
    }

    /// Where runs note what of the set-up has been done, each in a directory of its own.
    pub fn state(&self) -> Option<String> {
        Some(format!("{}/nextest/offload", self.listing.target()?))
    }

    /// The configuration that batches on this machine use instead of the project's own, where they do.
    pub fn config_for_batches(&self, context: &Context) -> Option<String> {
        let config = self.config.as_ref()?;
        let packages: Value = serde_json::from_slice(self.packages.as_deref()?).ok()?;
        let workspace = packages.get("workspace_root")?.as_str()?.to_owned();
        let target = self.listing.target()?.to_owned();
        config.for_batches(&Places { workspace, target, state: format!("{}/{}", self.state()?, context.nonce) })
    }
}

/// What is in the file of this name, where it was made.
pub(super) fn contents<'a>(run: &'a FinishedRun, name: &str) -> Option<&'a [u8]> {
    run.files.iter().find(|file| file.path.ends_with(name))?.contents.as_deref()
}

#[derive(Deserialize)]
pub(crate) struct Listing {
    #[serde(rename = "rust-build-meta", default)]
    pub(crate) build: Value,
    #[serde(rename = "rust-suites")]
    pub(crate) suites: BTreeMap<String, Suite>,
}

impl Listing {
    /// The directory that is built in.
    fn target(&self) -> Option<&str> {
        self.build.get("target-directory")?.as_str()
    }

    /// The directory of the libraries that come with the compiler, which a test may be linked to.
    pub(super) fn libraries(&self) -> Option<&str> {
        self.build.pointer("/platforms/host/libdir/path")?.as_str()
    }
}

#[derive(Deserialize)]
pub(crate) struct Suite {
    /// What nextest says of the binary itself.
    #[serde(flatten)]
    pub(crate) binary: Map<String, Value>,
    /// Empty for a binary that the user's default filter leaves out.
    #[serde(default)]
    pub(super) testcases: BTreeMap<String, Case>,
}

impl Suite {
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.binary.get(key)?.as_str()
    }

    pub(super) fn has_skipped(&self) -> bool {
        self.testcases.values().any(|case| case.skipped() == Some(true))
    }
}

#[derive(Deserialize)]
pub(crate) struct Case {
    #[serde(rename = "filter-match")]
    filter_match: FilterMatch,
}

#[derive(Deserialize)]
struct FilterMatch {
    status: String,
    reason: Option<String>,
}

impl Case {
    /// Whether the test is listed and ignored; absent for one that the user's filters leave out.
    pub(super) fn skipped(&self) -> Option<bool> {
        match (self.filter_match.status.as_str(), self.filter_match.reason.as_deref()) {
            ("matches", _) => Some(false),
            (_, Some("ignored")) => Some(true),
            _ => None,
        }
    }
}
