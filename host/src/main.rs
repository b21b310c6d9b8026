//! The command `offload`.

use std::process::ExitCode;

fn main() -> ExitCode {
    offload::cli::main()
}
