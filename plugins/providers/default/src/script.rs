//! The shell scripts that run on this machine around the person's commands. What they work on comes as arguments.

use offload_plugin::types::Command;

use crate::inside::GREETING;
use crate::settings::Settings;

/// What [`copy_in`] prints once the whole directory is on its way.
pub const PACKED: &str = "offload-packed";

/// What it prints instead when there is no such directory.
pub const NO_DIRECTORY: &str = "offload-no-directory";

/// Sends the directory `$1`, after the line `$3`, to the command line `$2`; prints `$4` when all was sent, and `$5` if there
/// is no such directory. POSIX pipelines hide how their first command ended: it says so itself, past the pipe.
const COPY_IN: &str = r#"
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

/// Runs the command line `$1`, which makes the files named after it; prints the positions of those that do not exist
/// then, counted from 0.
const DOWNLOAD: &str = r#"
line=$1
shift
rm -f "$@"
sh -c "$line" >&2
status=$?
position=0
for file do
    [ -e "$file" ] || echo "$position"
    position=$((position + 1))
done
exit "$status"
"#;

/// Runs pairs of command lines side by side: one that tidies up, whatever comes of it, and one that destroys. Prints for
/// each that did not destroy its position, counted from 0, the exit code and the end of what it said, then NUL.
const DESTROY: &str = r#"
tidy() {
    sh -c "$1" </dev/null >/dev/null 2>&1 &
    tidying=$!
    # A sandbox that no longer answers must not keep its own end waiting: ten seconds at most.
    waited=0
    while kill -0 "$tidying" 2>/dev/null && [ "$waited" -lt 100 ]; do
        sleep 0.1
        waited=$((waited + 1))
    done
    [ "$waited" -lt 100 ] || kill -9 "$tidying"
}
destroy() {
    tidy "$2" 2>/dev/null
    said=$(sh -c "$3" 2>&1 >/dev/null </dev/null)
    status=$?
    # One write of less than PIPE_BUF: those of others do not get in between.
    [ "$status" -eq 0 ] || printf '%s %s %s\0' "$1" "$status" "$(printf %s "$said" | tail -c 2048)"
}
position=0
while [ $# -gt 1 ]; do
    destroy "$position" "$1" "$2" &
    shift 2
    position=$((position + 1))
done
wait
"#;

/// A line of the person's own.
pub fn line(settings: &Settings, line: String) -> Command {
    started(settings, Command::new(["sh".to_owned(), "-c".to_owned(), line]))
}

/// Sends a directory to the line of an exec that runs [`crate::inside::unpack`].
pub fn copy_in(settings: &Settings, directory: &str, exec_line: &str) -> Command {
    script(settings, COPY_IN, [directory, exec_line, GREETING, PACKED, NO_DIRECTORY])
}

/// Runs a line of `download_command` that makes these local files.
pub fn download<'a>(settings: &Settings, line: &'a str, locals: impl IntoIterator<Item = &'a str>) -> Command {
    script(settings, DOWNLOAD, [line].into_iter().chain(locals))
}

/// Runs pairs of lines that tidy up and that destroy.
pub fn destroy(settings: &Settings, lines: &[(String, String)]) -> Command {
    script(settings, DESTROY, lines.iter().flat_map(|(tidying, destroying)| [tidying.as_str(), destroying.as_str()]))
}

fn script<'a>(settings: &Settings, text: &'a str, arguments: impl IntoIterator<Item = &'a str>) -> Command {
    started(settings, Command::script(text, arguments))
}

/// Where and with what the person's commands run.
fn started(settings: &Settings, command: Command) -> Command {
    let env = settings.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    Command { env, cwd: settings.working_dir.clone(), ..command }
}

#[cfg(test)]
mod tests;
