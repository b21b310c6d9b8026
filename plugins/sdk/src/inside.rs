//! POSIX command lines that run in a sandbox, for providers whose commands are started by a shell there.

use crate::shell::{join, quote};
use crate::types::{Command, Failure};

/// What a line that brings files in prints at its end.
pub const COPIED: &str = "offload-copied";
/// What it prints instead when its standard input is not ours.
pub const NO_STDIN: &str = "offload-no-stdin";
/// The first line of what it is sent, to tell our standard input from none.
pub const GREETING: &str = "offload-copy";

/// The command with its directory and variables.
///
/// # Errors
/// `invalid-environment`, for a variable that no shell can set.
pub fn command(command: &Command) -> Result<String, Failure> {
    let mut line = String::new();
    if let Some(cwd) = &command.cwd {
        line.push_str(&format!("cd {} && ", quote(&unambiguous(cwd))));
    }
    check_names(&command.env)?;
    for (name, value) in &command.env {
        line.push_str(&format!("export {name}={} && ", quote(value)));
    }
    line.push_str("exec ");
    line.push_str(&join(&command.argv));
    Ok(line)
}

/// Whether a shell can set variables of these names.
///
/// # Errors
/// `invalid-environment`, for one that no shell can set.
pub fn check_names(variables: &[(String, String)]) -> Result<(), Failure> {
    match variables.iter().find(|(name, _)| !is_variable_name(name)) {
        None => Ok(()),
        Some((name, _)) => {
            Err(Failure::new("invalid-environment", format!("no shell can set a variable named {name:?}"))
                .with_help("use letters, digits and underscores in [provider.env] and --env"))
        }
    }
}

/// Makes a directory that nobody else can look into.
pub fn make_directory(path: &str) -> String {
    format!("umask 077 && mkdir -p {}", quote(&unambiguous(path)))
}

/// Removes our own directory, and the run's once it is empty.
pub fn remove_scratch(scratch: &str) -> String {
    let shared = scratch.rsplit_once('/').map_or("", |(shared, _)| shared);
    format!("rm -rf {}; rmdir {}", quote(scratch), quote(shared))
}

/// Writes standard input to a file.
pub fn store(path: &str) -> String {
    let path = quote(&unambiguous(path));
    format!("umask 077 && cat >{path} && test -s {path} && echo {COPIED}")
}

/// Runs a command line that is in a file.
pub fn run_stored(path: &str) -> String {
    format!(". {}", quote(&unambiguous(path)))
}

/// Unpacks a tar archive that follows [`GREETING`] on standard input.
pub fn unpack(directory: &str) -> String {
    let directory = quote(&unambiguous(directory));
    // The owners on this machine mean nothing there: hence "o".
    format!(
        "IFS= read -r greeting && [ \"$greeting\" = {GREETING} ] || {{ echo {NO_STDIN}; exit 1; }}; \
         mkdir -p {directory} && cd {directory} && tar -xof - && echo {COPIED}"
    )
}

/// Kills every process that was started by an exec, wherever it moved itself.
pub fn kill(exec_id: &str) -> String {
    kill_marked(&[format!("OFFLOAD_EXEC_ID={exec_id}")])
}

/// Kills every process that an exec in this sandbox of this run left behind, wherever it moved itself.
pub fn kill_all(run_id: &str, sandbox_name: &str) -> String {
    kill_marked(&[format!("OFFLOAD_SANDBOX={run_id}/{sandbox_name}")])
}

/// Kills every process that was started with one of these variables, given as `NAME=value`. It takes as many rounds as it
/// needs: a process may start another one while it is looked for. One grep looks at all processes, where it can read what
/// ends with NUL: two programs for each process take seconds on a busy machine.
pub fn kill_marked(variables: &[String]) -> String {
    let marks = variables.iter().map(|variable| format!("-e {}", quote(variable))).collect::<Vec<_>>().join(" ");
    format!(
        r#"if printf 'a\0b\0' | grep -qzFx -e b 2>/dev/null; then
    marked() {{ grep -lszFx {marks} /proc/[0-9]*/environ; }}
else
    marked() {{
        for environ in /proc/[0-9]*/environ; do
            {{ tr '\0' '\n' <"$environ" | grep -Fqx {marks}; }} 2>/dev/null && echo "$environ"
        done
    }}
fi
rounds=0
while [ "$rounds" -lt 100 ]; do
    found=
    for environ in $(marked); do
        pid=${{environ#/proc/}}
        kill -9 "${{pid%/environ}}" 2>/dev/null && found=1
    done
    [ -n "$found" ] || break
    rounds=$((rounds + 1))
done"#
    )
}

/// The path so that no program takes it for an option, and `cd` not for a name to look up in CDPATH.
fn unambiguous(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("./{path}") }
}

fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests;
