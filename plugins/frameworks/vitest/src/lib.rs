//! The framework `vitest`: tests of JavaScript and TypeScript.
//!
//! Discovery and batches are one `vitest run` with a reporter and a runner of ours (`javascript/`), which keep a journal in
//! the attempt's scratch directory. The runner sits in the processes that run the tests: it has exactly those run that were
//! asked for, also where several have one name, and notes when each begins and ends.
//!
//! Nothing is told before a batch is over, since its end can still make an error of a test that passed (`blame`).

#![forbid(unsafe_code)]

mod blame;
mod command;
mod component;
mod discovery;
mod journal;
mod mishap;
mod results;
mod settings;

pub use component::Vitest;
pub use settings::Settings;
