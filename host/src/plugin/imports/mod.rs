//! What components may call.

mod bridge;
mod host;
mod http;
mod io;
mod process;

pub use bridge::Connection;
pub(super) use http::Gate;
pub use io::SharedStdio;
