//! What components may call.

mod host;
mod io;
mod process;

pub use io::SharedStdio;
