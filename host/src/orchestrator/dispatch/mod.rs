//! The one place that puts events in order.

mod dispatcher;
mod intake;
mod news;

pub(super) use dispatcher::{Dispatcher, Finished, Message, Rules};
