//! The command line: what was typed, what it means, and then one call.

mod args;
mod clean;
mod collect;
mod doctor;
mod history;
mod init;
mod merge;
mod output;
mod plugin;
mod project;
mod run;
mod validate;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Args, Command};
use output::{complain, print};

use crate::limits;
use crate::plugin::compiler;
use crate::process::begin_again_with_few_arenas;

/// What offload exits with when it did not come to run a test.
const NOTHING_RUN: u8 = 3;

/// Does what the arguments of this process say.
pub fn main() -> ExitCode {
    begin_again_with_few_arenas();
    if std::env::args_os().nth(1).is_some_and(|argument| argument == compiler::ARGUMENT) {
        return compiler::compile().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    compiler::is_this_program();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    log();
    if let Err(error) = limits::need_the_least() {
        return failed(&anyhow::Error::new(error).context("cannot start"));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(workers()).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::new(error).context("cannot start")),
    };
    let code = runtime.block_on(execute(args));
    // What still blocks a thread, such as a pipe that nobody closes, must not keep the process.
    runtime.shutdown_background();
    code.map_or_else(|error| failed(&error), ExitCode::from)
}

async fn execute(args: Args) -> anyhow::Result<u8> {
    let Args { config, verbose, command } = args;
    limits::outlive_large_files();
    match command {
        Command::Run(options) => run::run(&config, verbose, options).await,
        Command::Collect(options) => collect::collect(&config, options.format).await,
        Command::Merge(options) => merge::merge_runs(&config, options).await,
        Command::History(options) => history::history(&config, &options),
        Command::Clean(options) => clean::clean(&config, &options).await,
        Command::Doctor => doctor::doctor(&config).await,
        Command::Validate => validate::validate(&config).await,
        Command::Plugin(options) => plugin::plugin(&config, options.command).await,
        Command::Init(options) => init::init(&config, &options),
    }
}

/// The host waits far more than it computes: a few threads serve hundreds of sandboxes.
fn workers() -> usize {
    if limits::address_space().is_some() {
        // Each has memory of its own, for which addresses are set aside.
        return 2;
    }
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get).clamp(2, 4)
}

/// `OFFLOAD_LOG` is a filter as of `tracing-subscriber`; nothing is logged without it.
fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("OFFLOAD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

fn usage(error: &clap::Error) -> ExitCode {
    let help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let text = error.render();
    if help {
        print(&if console::colors_enabled() { text.ansi().to_string() } else { text.to_string() });
        return ExitCode::SUCCESS;
    }
    complain(&if console::colors_enabled_stderr() { text.ansi().to_string() } else { text.to_string() });
    ExitCode::from(NOTHING_RUN)
}

fn failed(error: &anyhow::Error) -> ExitCode {
    complain(&output::render(error));
    ExitCode::from(NOTHING_RUN)
}
