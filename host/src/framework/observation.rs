//! What a framework says while its command runs.

use super::convert;
use crate::model::{Discovered, GroupName, Outcome, Test, TestId};
use crate::plugin::contract::Observed;

/// What a framework says of one test.
#[derive(Clone, Debug, PartialEq)]
pub enum Reported {
    Ended(Box<Outcome>),
    /// It failed, and the framework itself runs it again: how it ended follows.
    Rerun(Box<Outcome>),
    /// What is wrong with the process as a whole, whatever its tests say; the id is what that is called.
    Session(Box<Outcome>),
    /// It had begun, and not ended when its process did.
    Running {
        seconds: f64,
    },
}

/// One thing that a framework says.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    Started(TestId),
    Finished(TestId, Reported),
    /// Only a worker says this and what follows: it takes tests.
    Ready,
    /// It was started to discover, and has found these; more may follow.
    Part(Discovered),
    /// As above, and this is the end of it.
    Found(Discovered),
    /// What a unit really holds.
    Unit(Vec<Test>),
    /// These were handed to it, and it gives them back unrun.
    Returned(Vec<TestId>),
    /// So many warnings were counted in its process.
    Warnings(u32),
    /// It printed this, outside of any test.
    Output(Vec<u8>),
}

pub(super) fn observations(group: &GroupName, events: Vec<Observed>) -> Vec<Observation> {
    events
        .into_iter()
        .map(|event| match event {
            Observed::Ready => Observation::Ready,
            Observed::Part(found) => Observation::Part(convert::found(group, found)),
            Observed::Found(found) => Observation::Found(convert::found(group, found)),
            Observed::Started(id) => Observation::Started(TestId::new(id)),
            Observed::Finished(outcome) => {
                let (id, reported) = convert::reported(outcome);
                Observation::Finished(id, reported)
            }
            Observed::Unit(listing) => {
                Observation::Unit(listing.tests.into_iter().map(|test| convert::test(group, test)).collect())
            }
            Observed::Returned(ids) => Observation::Returned(ids.into_iter().map(TestId::new).collect()),
            Observed::Warnings(count) => Observation::Warnings(count),
            Observed::Output(bytes) => Observation::Output(bytes),
        })
        .collect()
}
