//! One warm test process in each sandbox that takes tests while it runs.

pub use crate::bindings::worker::exports::offload::plugin::worker::Launch;

use crate::bindings::worker::exports::offload::plugin::worker::Guest;
use crate::instance;
use crate::observer::Observer;
use crate::types::{Context, Failure, Test};

/// A framework that can keep a process warm. What the process answers comes through [`Observer`]. It runs its tests in the
/// order in which they were assigned, the last of them only once it knows what comes next.
pub trait Worker: Observer {
    /// The process, and what it is told at once. One that is to `discover` tells what it `found` before it takes tests.
    ///
    /// # Errors
    /// Whatever keeps it from being started: the group's tests are run in batches then.
    fn start(&mut self, context: &Context, discover: bool) -> Result<Launch, Failure>;

    /// What hands these tests over on its standard input.
    fn assign(&mut self, tests: &[Test]) -> Vec<u8>;

    /// What asks for tests back that it has not begun; it answers `returned`.
    fn withdraw(&mut self, tests: &[String]) -> Vec<u8>;

    /// What asks it to finish what it has, and to exit.
    fn finish(&mut self) -> Vec<u8>;
}

impl<P: Worker> Guest for P {
    fn start(context: Context, discover: bool) -> Result<Launch, Failure> {
        instance::with(|plugin: &mut P| plugin.start(&context, discover))
    }

    fn assign(tests: Vec<Test>) -> Vec<u8> {
        instance::ask(|plugin: &mut P| plugin.assign(&tests))
    }

    fn withdraw(tests: Vec<String>) -> Vec<u8> {
        instance::ask(|plugin: &mut P| plugin.withdraw(&tests))
    }

    fn finish() -> Vec<u8> {
        instance::ask(P::finish)
    }
}
