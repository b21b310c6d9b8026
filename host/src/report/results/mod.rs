//! What the events say of each test, and `results.json`.

mod fold;
mod json;
mod spool;

use fold::ShardRecord;
pub(super) use fold::{Record, Results, Try};
pub(super) use spool::{Names, Texts};
