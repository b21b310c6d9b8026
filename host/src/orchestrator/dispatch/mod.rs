//! The one place that puts events in order.

mod crew;
mod dispatcher;
mod handout;
mod intake;
mod news;
mod sandboxes;
mod search;
mod second_look;
mod unstable;

pub(super) use dispatcher::{Dispatcher, Finished, GroupRules, Message, Rules, Sources};
pub(super) use search::Search;
