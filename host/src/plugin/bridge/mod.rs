//! Resident helpers of plugins: one process for all instances of a plugin, spoken to in JSON-RPC.

mod helper;
mod message;
mod registry;

pub use helper::Helper;
pub use registry::Helpers;

#[cfg(test)]
mod tests;
