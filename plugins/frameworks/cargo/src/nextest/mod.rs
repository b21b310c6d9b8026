//! What nextest is configured to do beyond running a test: which of it offload keeps up over all sandboxes, and how.

mod config;
mod groups;
mod once;

pub use config::{Config, Threads};
pub use groups::{Groups, read as read_groups};
pub use once::{Places, SCRIPT as ONCE};
