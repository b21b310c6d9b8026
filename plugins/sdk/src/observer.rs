//! Results while the command still runs.

pub use crate::bindings::observer::exports::offload::plugin::observer::{Event, UnitListing};

use crate::bindings::observer::exports::offload::plugin::observer::Guest;
use crate::framework::Framework;
use crate::instance;
use crate::types::Exit;

/// A framework that reads what its commands print as they print it.
pub trait Observer: Framework {
    /// What the next bytes of a stream, `stdout` or `stderr`, say. They are cut anywhere.
    fn observe(&mut self, source: &str, bytes: Vec<u8>) -> Vec<Event>;

    /// What is left to say now that the process ended.
    fn ended(&mut self, _exit: Exit) -> Vec<Event> {
        Vec::new()
    }
}

impl<P: Observer> Guest for P {
    fn observe(source: String, bytes: Vec<u8>) -> Vec<Event> {
        instance::ask(|plugin: &mut P| plugin.observe(&source, bytes))
    }

    fn ended(exit: Exit) -> Vec<Event> {
        instance::ask(|plugin: &mut P| plugin.ended(exit))
    }
}
