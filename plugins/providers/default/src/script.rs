//! The shell scripts that run on this machine around the person's commands. What they work on comes as arguments.

use offload_plugin::types::Command;

use crate::settings::Settings;

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

/// Prints the positions of the programs that are not there, counted from 0.
const MISSING: &str = r#"
position=0
for program do
    command -v "$program" >/dev/null 2>&1 || echo "$position"
    position=$((position + 1))
done
"#;

/// Looks for programs.
pub fn missing(settings: &Settings, programs: &[&str]) -> Command {
    script(settings, MISSING, programs.iter().copied())
}

/// A line of the person's own.
pub fn line(settings: &Settings, line: String) -> Command {
    started(settings, Command::new(["sh".to_owned(), "-c".to_owned(), line]))
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
pub fn started(settings: &Settings, command: Command) -> Command {
    let env = settings.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    Command { env, cwd: settings.working_dir.clone(), ..command }
}

#[cfg(test)]
mod tests;
