//! `cargo xtask …`: what a developer and continuous integration run.

mod backends;
mod bench;
mod components;
mod console;
mod demo;
mod example_unittest;
mod fetch;
mod javascript;
mod npm;
mod package;
mod program;
mod python;
mod release;
mod simulate;
mod test;
mod toolchain;
mod vitest;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "What developers and CI run in this workspace")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Format, clippy, unit, property, snapshot, doc and end-to-end tests: everything that CI runs
    Test,
    /// Build offload and watch it run a small suite with a failing and a flaky test
    Demo,
    /// Test and build the example plugins that are written in other languages
    Examples,
    /// Bring the real suites that the end-to-end tests and the benchmarks run
    Fetch {
        /// Where to, instead of target/suites
        dir: Option<PathBuf>,
    },
    /// Run the schedule over durations that are made up or recorded: makespan over its bound
    Simulate {
        /// `--help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Package the crate `offload` with its components, so that it installs where there is no WebAssembly target
    Package,
    /// Measure what the project promises about speed and size
    Bench {
        #[command(subcommand)]
        which: bench::Which,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Test => test::run(),
        Task::Demo => demo::run(),
        Task::Examples => example_unittest::build().and_then(|()| javascript::example()),
        Task::Fetch { dir } => fetch::run(dir.as_deref()),
        Task::Simulate { arguments } => simulate::run(&arguments),
        Task::Package => package::run(),
        Task::Bench { which } => bench::run(&which),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
