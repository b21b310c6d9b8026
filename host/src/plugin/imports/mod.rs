//! What components may call.

mod host;
mod http;
mod io;
mod process;

pub(super) use http::Gate;
pub use io::SharedStdio;
