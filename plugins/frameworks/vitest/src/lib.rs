//! The framework `vitest`: tests of JavaScript and TypeScript.
//!
//! Discovery, batches and workers are one `vitest run` with a reporter and a runner of ours (`javascript/`), which keep a
//! journal in the attempt's scratch directory. The runner sits in the processes that run the tests: it has exactly those run
//! that were asked for, also where several have one name, and notes when each begins and ends. The reporter sits in vitest
//! itself: in discovery and in a worker it takes over before the first file, has vitest go through what it is asked for, and
//! says on standard output what the journal says.

#![forbid(unsafe_code)]

mod command;
mod component;
mod discovery;
mod journal;
mod mishap;
mod results;
mod session;
mod settings;
mod worker;

pub use component::Vitest;
pub use settings::Settings;
