//! `offload plugin new`

mod guide;
mod name;
mod project;
mod vendored;
mod write;

pub(in crate::cli) use name::PluginName;
pub(super) use write::new_project;
