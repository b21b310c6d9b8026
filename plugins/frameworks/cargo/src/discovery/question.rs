//! The command that asks what the list does not say: which tests nextest's overrides are about, and why tests are ignored.

use std::collections::HashMap;
use std::fmt::Write;

use offload_plugin::framework::{FinishedRun, RunPlan};
use offload_plugin::shell;
use offload_plugin::types::{Command, Context, Exit, Failure};
use serde::Deserialize;

use super::listing::{Listed, contents};
use crate::built::Built;
use crate::name::TestName;
use crate::nextest::{self, Groups, Places};
use crate::settings::Settings;
use crate::trouble;

const GROUPS: &str = "groups";
const THREADS: &str = "threads";
const IGNORED: &str = "ignored";

/// The longest script that is passed as an argument; Linux takes 128 KiB.
const LONGEST: usize = 100 << 10;

/// The longest reason that is told.
const LONGEST_REASON: usize = 500;

/// After how many days the notes of runs that left them are removed.
const KEPT_DAYS: u32 = 1;

/// Asks what has to be asked, if anything has.
pub(super) fn plan(listed: &Listed, settings: &Settings, context: &Context) -> Option<RunPlan> {
    let file = |name: &str| format!("{}{name}", context.scratch);
    let [binaries, packages, config] = ["binaries.json", "known-packages.json", "threads.toml"].map(file);
    let built = Built::of(&listed.listing, &listed.place, listed.packages.as_deref(), None);
    let mut show = ["cargo", "nextest", "show-config", "test-groups"].map(str::to_owned).to_vec();
    show.extend(settings.run_options());
    match &built {
        Some(built) => {
            show.extend(["--binaries-metadata".to_owned(), binaries.clone()]);
            if built.packages.is_some() {
                show.extend(["--cargo-metadata".to_owned(), packages.clone()]);
            }
        }
        None => show.extend(settings.build_options()),
    }
    let show = shell::join(show);
    let as_groups = listed.config.as_ref().and_then(|config| config.with_threads_as_groups());
    let mut script = String::new();
    let mut files = Vec::new();
    if listed.config.as_ref().is_some_and(|config| config.has_groups()) {
        let _ = writeln!(script, "{show} >{} || exit", shell::quote(&file(GROUPS)));
        files.push(file(GROUPS));
    }
    if as_groups.is_some() {
        let (config, answer) = (shell::quote(&config), shell::quote(&file(THREADS)));
        let _ = writeln!(script, "{show} --config-file {config} >{answer} || exit");
        files.push(file(THREADS));
    }
    let asks = list_ignored(listed);
    if !asks.is_empty() && script.len() + asks.len() < LONGEST {
        let _ = writeln!(script, "{{ {asks}}} >{} </dev/null 2>/dev/null", shell::quote(&file(IGNORED)));
        files.push(file(IGNORED));
    }
    script.push_str(&prepare_set_up(listed, context));
    if script.is_empty() {
        return None;
    }
    let read = r#"sed -n -e "1w $1" -e "2{/./w $2" -e "}" -e "3,\$w $3""#;
    let script = format!("{read}\n{script}exit 0");
    let mut plan = RunPlan::new(Command::script(&script, [binaries.as_str(), &packages, &config]));
    plan.stdin = built.map_or_else(|| "\n\n".to_owned(), |built| built.lines()).into_bytes();
    plan.stdin.extend(as_groups.unwrap_or_default().into_bytes());
    plan.result_files = files;
    Some(plan)
}

/// Has each binary list its ignored tests with their reasons, which only the harness knows. It tells them in a form that is
/// not stable yet: what cannot do that tells nothing.
fn list_ignored(listed: &Listed) -> String {
    let mut asks = String::new();
    for (id, suite) in listed.listing.suites.iter().filter(|(_, suite)| suite.has_skipped()) {
        let (Some(path), Some(cwd)) = (suite.text("binary-path"), suite.text("cwd")) else { continue };
        let directory = path.rsplit_once('/').map_or(".", |(directory, _)| directory);
        let libraries = format!("{}:{directory}", listed.listing.libraries().unwrap_or(directory));
        let heading = serde_json::json!({ "binary": id }).to_string();
        let [path, cwd, libraries, heading] = [path, cwd, &libraries, &heading].map(shell::quote);
        let _ = write!(
            asks,
            "printf '\\n%s\\n' {heading}; (cd {cwd} && RUSTC_BOOTSTRAP=1 \
             LD_LIBRARY_PATH={libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}} DYLD_FALLBACK_LIBRARY_PATH={libraries} \
             {path} --list --ignored --format json -Z unstable-options); "
        );
    }
    asks
}

/// Makes room for notes of what set-up scripts have run, and removes those of earlier runs.
fn prepare_set_up(listed: &Listed, context: &Context) -> String {
    let has_scripts = listed.config.as_ref().is_some_and(|config| !config.set_up_scripts().is_empty());
    let Some(all) = listed.state().filter(|_| has_scripts) else { return String::new() };
    let own = format!("{all}/{}", context.nonce);
    let once = Places::once(&own);
    let [all, own, once, script] = [all, own, once, nextest::ONCE.to_owned()].map(|word| shell::quote(&word));
    format!(
        "mkdir -p {own} && printf '%s\\n' {script} >{once} || exit\n\
         find {all} -mindepth 1 -maxdepth 1 -mtime +{KEPT_DAYS} -exec rm -rf {{}} + 2>/dev/null\n"
    )
}

/// What was answered.
#[derive(Default)]
pub(super) struct Answers {
    pub groups: Groups,
    /// As which group each test that needs more than one thread was shown.
    pub threads: Groups,
    /// Why tests are ignored, by their ids.
    pub reasons: HashMap<String, String>,
}

impl Answers {
    /// # Errors
    /// nextest did not answer, or cannot be understood: what it promises tests could not be kept.
    pub fn of(run: &FinishedRun, listed: &Listed) -> Result<Self, Failure> {
        if run.output.exit != Exit::Code(0) {
            let failure = trouble::explain(&run.output, "discovery-failed");
            let message = format!(
                "what nextest's configuration promises tests (test-group, threads-required, set-up scripts) cannot be found out: {}",
                failure.message
            );
            return Err(Failure { message, ..failure });
        }
        let text = |name: &str| String::from_utf8_lossy(contents(run, name).unwrap_or_default()).into_owned();
        let known = |id: &str| {
            let name = TestName::of_id(id);
            name.is_some_and(|name| {
                listed.listing.suites.get(name.binary_id).is_some_and(|suite| suite.testcases.contains_key(name.name))
            })
        };
        Ok(Self {
            groups: nextest::read_groups(&text(GROUPS), known)?,
            threads: nextest::read_groups(&text(THREADS), known)?,
            reasons: reasons(&text(IGNORED)),
        })
    }
}

/// A heading of ours, or what a harness says of a test.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Line {
    binary: Option<String>,
    name: String,
    ignore_message: String,
}

fn reasons(text: &str) -> HashMap<String, String> {
    let mut reasons = HashMap::new();
    let mut binary_id = String::new();
    for line in text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
        if let Some(binary) = line.binary {
            binary_id = binary;
            continue;
        }
        let reason: String = line.ignore_message.trim().chars().take(LONGEST_REASON).collect();
        if !reason.is_empty() {
            reasons.insert(TestName { binary_id: &binary_id, name: &line.name }.to_string(), reason);
        }
    }
    reasons
}
