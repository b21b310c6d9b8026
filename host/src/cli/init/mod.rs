//! `offload init`

mod template;
mod write;

pub(super) use write::init;
