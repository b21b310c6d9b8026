//! This program once more in its own place, where addresses are scarce.
//!
//! The allocator of glibc sets 64 MiB of addresses aside for each thread that allocates, most of which nobody ever uses: a run has a
//! dozen threads. How many of these arenas there are is only read from the environment, when a process starts.

use std::os::unix::process::CommandExt;

use crate::limits;

/// How many arenas there may be.
const ARENAS: &str = "MALLOC_ARENA_MAX";

/// Says that [`ARENAS`] was set here: what this process starts finds neither.
const OURS: &str = "OFFLOAD_FEW_ARENAS";

/// Where the address space of this process is limited, begins it again with few arenas. Returns where that is not needed, has
/// been done, or cannot be done: then it may still be enough.
pub fn begin_again_with_few_arenas() {
    if limits::address_space().is_none() || std::env::var_os(ARENAS).is_some() || !cfg!(target_env = "gnu") {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let mut again = std::process::Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    // Only an error comes back from there.
    let _ = again.args(arguments).env(ARENAS, "1").env(OURS, "1").exec();
}

/// Has a command find the environment that this program was started in.
pub(super) fn forget(command: &mut tokio::process::Command) {
    if std::env::var_os(OURS).is_some() {
        command.env_remove(ARENAS).env_remove(OURS);
    }
}
