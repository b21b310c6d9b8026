//! What may be typed.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand, ValueEnum};

use super::plugin::PluginName;
use crate::config::{CopyDir, EnvVar};
use crate::model::Shard;
use crate::plugin::Kind;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Run a project's tests in parallel across sandboxes.
#[derive(Debug, Parser)]
#[command(name = "offload", version, styles = STYLES, after_help = EXIT_CODES)]
pub(super) struct Args {
    /// Configuration file.
    #[arg(short, long, global = true, value_name = "PATH", default_value = "offload.toml")]
    pub(super) config: PathBuf,
    /// Say more; with `run`, stream what tests print.
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0  all tests passed
  1  some tests failed or weren't run
  2  all tests passed, but some were flaky
  3  no test was found, or usage or configuration did not allow to look
  129, 130, 143  ended early by SIGHUP, SIGINT, SIGTERM";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run tests.
    Run(RunArgs),
    /// Discover tests without running them.
    Collect(CollectArgs),
    /// Join the results of shards into one report and exit code.
    Merge(MergeArgs),
    /// Show what earlier runs say: the slowest, the flakiest and the newly failing tests.
    History(HistoryArgs),
    /// Remove sandboxes that earlier runs left behind.
    Clean(CleanArgs),
    /// Say what keeps the configured provider from working here, and what mends it.
    Doctor,
    /// Begin, list, inspect and pin plugins.
    Plugin(PluginArgs),
    /// Validate the configuration file.
    Validate,
    /// Initialize a new configuration file.
    Init(InitArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// Override the maximum of parallel sandboxes.
    #[arg(short, long, value_name = "N", value_parser = parallel)]
    pub(super) parallel: Option<usize>,
    /// Run only the K-th of N parts of the tests, cut by how long they take.
    #[arg(long, value_name = "K/N", conflicts_with = "collect_only")]
    pub(super) shard: Option<Shard>,
    /// Only discover tests, don't run them.
    #[arg(long)]
    pub(super) collect_only: bool,
    /// A directory to copy to each sandbox; may be repeated.
    #[arg(long, value_name = "LOCAL:REMOTE")]
    pub(super) copy_dir: Vec<CopyDir>,
    /// An environment variable to set in sandboxes; may be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) env: Vec<EnvVar>,
    /// Build the sandboxes' image anew, even if nothing has changed.
    #[arg(long)]
    pub(super) rebuild: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct CollectArgs {
    /// How to print the tests: an id a line, or one object with all that is known of each.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// One object, for programs.
    Json,
}

#[derive(Debug, clap::Args)]
pub(super) struct MergeArgs {
    /// The output directories of the runs.
    #[arg(required = true, value_name = "DIR")]
    pub(super) directories: Vec<PathBuf>,
    /// Where the joined reports go.
    #[arg(short, long, value_name = "DIR", default_value = "test-results")]
    pub(super) output_dir: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct HistoryArgs {
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// How many tests to list of each kind.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub(super) limit: usize,
}

#[derive(Debug, clap::Args)]
pub(super) struct CleanArgs {
    /// Only those of this run, also if it was not of this machine.
    #[arg(long, value_name = "ID")]
    pub(super) run: Option<String>,
    /// Only those that are as old as this, such as 30m, 12h or 2d, also of runs that were not of this machine.
    #[arg(long, value_name = "TIME")]
    pub(super) older_than: Option<Age>,
    /// Only say what would be removed.
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// A length of time as it is typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Age(pub(super) Duration);

impl FromStr for Age {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let span: jiff::Span = text.parse().map_err(|_| "it must be a time such as 30m, 12h or 2d")?;
        let time = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours());
        let time = time.map_err(|_| "it must be in days, hours, minutes or seconds")?;
        time.try_into().map(Self).map_err(|_| "it must not be negative")
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct PluginArgs {
    #[command(subcommand)]
    pub(super) command: PluginCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Begin a plugin of your own: a small project that builds and passes its test.
    New(PluginNewArgs),
    /// List the plugins that come with offload and those of the configuration, with their grants.
    List(PluginListArgs),
    /// Show what a component is, and what it would need.
    Inspect(PluginInspectArgs),
    /// Try every function of a component with good and hostile input.
    Check(PluginCheckArgs),
    /// Call a component's functions from standard input, for its tests: JSON-RPC 2.0, a message a line.
    Drive(PluginDriveArgs),
    /// Pin the digests of the configuration's plugins in offload.lock.
    Lock,
}

#[derive(Debug, clap::Args)]
pub(super) struct PluginNewArgs {
    /// What `type` in offload.toml will say, such as my-runner.
    pub(super) name: PluginName,
    /// What it is: where tests run, or how they are found, run and judged.
    #[arg(long, value_enum)]
    pub(super) kind: NewKind,
    /// What it is written in.
    #[arg(long, value_enum)]
    pub(super) lang: Language,
    /// The directory to make, instead of one of that name here.
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum NewKind {
    /// Where tests run.
    Provider,
    /// How tests are found, run and judged.
    Framework,
}

impl From<NewKind> for Kind {
    fn from(kind: NewKind) -> Self {
        match kind {
            NewKind::Provider => Self::Provider,
            NewKind::Framework => Self::Framework,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Language {
    Rust,
    Javascript,
    Python,
}

impl Language {
    /// As it is typed.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Javascript => "javascript",
            Self::Python => "python",
        }
    }

    /// As it is written.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Javascript => "JavaScript",
            Self::Python => "Python",
        }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct PluginListArgs {
    /// How to print them.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Debug, clap::Args)]
pub(super) struct PluginInspectArgs {
    /// The file of the component.
    pub(super) file: PathBuf,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Debug, clap::Args)]
pub(super) struct PluginDriveArgs {
    /// The file of the component.
    pub(super) file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct PluginCheckArgs {
    /// The file of the component.
    pub(super) file: PathBuf,
    /// A TOML file with the keys of the plugin's table; without it, one is made up after its schema.
    #[arg(long, value_name = "FILE")]
    pub(super) settings: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// Where tests run: local, docker, ssh, slurm, modal or default.
    #[arg(short, long, default_value = "local")]
    pub(super) provider: String,
    /// How tests are found and run: pytest, cargo, vitest, go or default.
    #[arg(short, long, default_value = "pytest")]
    pub(super) framework: String,
    /// Overwrite a file that exists.
    #[arg(long)]
    pub(super) force: bool,
}

fn parallel(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least one sandbox is needed".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("it must be a whole number of at least 1".into()),
    }
}
