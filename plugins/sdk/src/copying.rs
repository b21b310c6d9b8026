//! Directories of this machine, sent into a sandbox as a tar stream through a command that runs there.

use crate::inside;
use crate::types::{Captured, Command, Failure};

/// What [`send`] prints once the whole directory is on its way.
const PACKED: &str = "offload-packed";

/// What it prints instead when there is no such directory.
const NO_DIRECTORY: &str = "offload-no-directory";

/// Sends the directory `$1`, after the line `$3`, to the command line `$2`; prints `$4` when all was sent, and `$5` if there
/// is no such directory. POSIX pipelines hide how their first command ended: it says so itself, past the pipe.
const SEND: &str = r#"
[ -d "$1" ] || { printf '%s\n' "$5"; exit 1; }
case $1 in /*) directory=$1 ;; *) directory=./$1 ;; esac
pack() {
    COPYFILE_DISABLE=1 tar -C "$directory" -cf - .
    status=$?
    # GNU tar's 1 is no error: discovery, which runs meanwhile, changed or removed a file of its own.
    if [ "$status" -eq 1 ] && tar --version 2>/dev/null | grep -q GNU; then status=0; fi
    return "$status"
}
{ { printf '%s\n' "$3" && pack && printf '%s\n' "$4" >&3; } | sh -c "$2" 3>&-; } 3>&1
"#;

/// Sends a directory to `exec_line`, a shell line of this machine that runs [`inside::unpack`] in the sandbox and passes
/// standard input on. [`outcome`] reads what became of it.
pub fn send(directory: &str, exec_line: &str) -> Command {
    Command::script(SEND, [directory, exec_line, inside::GREETING, PACKED, NO_DIRECTORY])
}

/// What became of [`send`]; `pass_stdin_on` tells a person how standard input gets there.
///
/// # Errors
/// `copy-failed`: there is no such directory, standard input did not arrive, or what a program said.
pub fn outcome(
    finished: &Captured,
    local: &str,
    remote: &str,
    sandbox: &str,
    pass_stdin_on: &str,
) -> Result<(), Failure> {
    let printed = String::from_utf8_lossy(&finished.stdout);
    if printed.contains(inside::COPIED) && printed.contains(PACKED) {
        return Ok(());
    }
    Err(if printed.contains(NO_DIRECTORY) {
        Failure::new("copy-failed", format!("{local} is no directory, so it cannot be copied to {remote}"))
            .with_help("name existing directories in copy_dirs and --copy-dir")
    } else if printed.contains(inside::NO_STDIN) {
        Failure::new("copy-failed", format!("copying {local} into {sandbox} failed: no standard input came there"))
            .with_help(pass_stdin_on)
    } else {
        let message = format!("copying {local} to {remote} in {sandbox} failed: {}", finished.complaint());
        Failure::new("copy-failed", message).with_help(pass_stdin_on)
    })
}

#[cfg(test)]
mod tests;
