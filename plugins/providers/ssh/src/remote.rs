//! The command lines that run on the hosts.
//!
//! sshd hands a line to the login shell of the person, whichever that is. All that it has to understand is `exec`, words and
//! quotes: the script in them is for `sh`.

use offload_plugin::inside;
use offload_plugin::shell::quote;

use crate::sandbox::Sandbox;

/// What scripts print before what they found.
pub const READY: &str = "offload-ready";
pub const CREATED: &str = "offload-created";
pub const ENDED: &str = "offload-ended";
pub const CUT: &str = "offload-cut";
pub const MISSING: &str = "offload-missing";
pub const UNWRITABLE: &str = "offload-unwritable";
pub const LEFT: &str = "offload-left";

/// Makes a sandbox of the run `$1` that is called `$2`; its commands run in `$3` or, without that, in a directory of its own.
/// Standard input is the file with its variables. Prints `$4` and the two directories, each on a line.
const CREATE: &str = r#"
umask 077
scratch=$(mktemp -d "${TMPDIR:-/tmp}/offload.$1.$2.XXXXXX") || exit 1
scratch=$(cd "$scratch" && pwd -P) || exit 1
furnish() {
    work=${3:-$scratch/work}
    mkdir -p "$work" && work=$(cd "$work" && pwd) && mkdir "$scratch/tmp" && cat >"$scratch/environment" &&
        printf '%s\n' "$4" "$scratch" "$work"
}
furnish "$@" || { rm -rf "$scratch"; exit 1; }
"#;

/// Runs the line `$4`, which ends in `exec`, for the exec `$3` in the sandbox `$1`, starting in `$2`. Ends with its exit code;
/// 255 is the code of ssh itself, so that one that is the line's own is written down.
///
/// What the line leaves running in its group is killed, as it would be on this machine: otherwise it would keep the session
/// open. That is done once the shell itself has ended, which is in the same group and has to tell the exit code first.
///
/// Where no one is left at the other end of the session, the line `$5` ends all that belongs to the exec. It runs without the
/// variables by which that is found, since it must not be the first to end.
const EXEC: &str = r#"
scratch=$1 exec_id=$3 line=$4 end=$5
[ -f "$scratch/environment" ] && [ ! -e "$scratch/cancelled-$exec_id" ] || exit 255
session=$PPID
if kill -0 "$session" 2>/dev/null; then
    {
        while kill -0 "$session"; do sleep 5; done
        exec env -i PATH="$PATH" sh -c "$end"
    } </dev/null >/dev/null 2>&1 &
fi
(
    export TMPDIR="$scratch/tmp"
    . "$scratch/environment"
    cd "$2" && eval "$line"
)
status=$?
[ "$status" -ne 255 ] || true >"$scratch/ended-$exec_id"
if kill -0 "-$$" 2>/dev/null; then
    {
        tries=0
        while kill -0 "$$" && [ "$tries" -lt 60 ]; do
            sleep 0.05 || sleep 1
            tries=$((tries + 1))
        done
        kill -9 "-$$"
    } </dev/null >/dev/null 2>&1 &
fi
exit "$status"
"#;

/// Says what became of the exec `$2` in the sandbox `$1`: prints `$3` if it ended with exit code 255, `$4` if it did not.
/// Prints nothing if there is no such sandbox.
const INQUIRE: &str = r#"
if [ -e "$1/ended-$2" ]; then echo "$3"; elif [ -f "$1/environment" ]; then echo "$4"; fi
"#;

/// Ends the exec `$2` in the sandbox `$1` by the line `$3`, also if it has yet to begin.
const CANCEL: &str = r#"
[ ! -d "$1" ] || true >"$1/cancelled-$2"
eval "$3"
"#;

/// Removes the directories that come after the line `$1`, which ends all that runs in them.
const DESTROY: &str = r#"
eval "$1"
shift
status=0
for scratch do
    # What was killed just now may have been about to write a file.
    tries=0
    until said=$(rm -rf "$scratch" 2>&1); do
        # Tests leave directories behind that nobody may write to.
        chmod -R u+rwx "$scratch" 2>/dev/null
        tries=$((tries + 1))
        if [ "$tries" -ge 5 ]; then
            printf '%s\n' "$said" >&2
            status=1
            break
        fi
        sleep 0.2
    done
done
exit "$status"
"#;

/// Prints a line with the mark `$1`, the time and the path of every sandbox that is ours.
const LIST: &str = r#"
for scratch in "${TMPDIR:-/tmp}"/offload.*.*.??????; do
    [ -d "$scratch" ] && [ -O "$scratch" ] || continue
    created=$(stat -c %Y "$scratch/environment" || stat -f %m "$scratch/environment" || echo unknown) 2>/dev/null
    printf '%s %s %s\n' "$1" "$created" "$(cd "$scratch" && pwd -P)"
done
"#;

/// Prints `$1` and what the host is, then lines with `$2` for each program that is missing, or with `$3` where no directory
/// can be made.
const EXAMINE: &str = r#"
echo "$1 $(uname -sm)"
for program in tar grep mktemp cat rm mkdir env sleep; do
    command -v "$program" >/dev/null || echo "$2 $program"
done
place=$(mktemp -d "${TMPDIR:-/tmp}/offload-examined-XXXXXX") && rmdir "$place" || echo "$3 ${TMPDIR:-/tmp}"
"#;

/// Whether there is a POSIX shell.
pub fn greet() -> String {
    script("echo \"$1\"", &[READY])
}

pub fn create(run_id: &str, name: &str, remote_dir: Option<&str>) -> String {
    script(CREATE, &[run_id, name, remote_dir.unwrap_or_default(), CREATED])
}

/// Runs a line of [`inside::command`] in a directory of the host.
pub fn exec(sandbox: &Sandbox, exec_id: &str, line: &str) -> String {
    let [exec_mark, sandbox_mark] = [format!("OFFLOAD_EXEC_ID={exec_id}"), sandbox.mark()];
    let arguments = [&sandbox.scratch, &sandbox.work, exec_id, line, &inside::kill(exec_id)];
    started(&["env", &exec_mark, &sandbox_mark, "sh"], EXEC, &arguments)
}

pub fn inquire(sandbox: &Sandbox, exec_id: &str) -> String {
    script(INQUIRE, &[&sandbox.scratch, exec_id, ENDED, CUT])
}

pub fn cancel(sandbox: &Sandbox, exec_id: &str) -> String {
    script(CANCEL, &[&sandbox.scratch, exec_id, &inside::kill(exec_id)])
}

/// Writes standard input to a file of the sandbox.
pub fn store(path: &str) -> String {
    script(&inside::store(path), &[])
}

/// Unpacks what comes into a directory. What comes to an early end is from somebody who has gone, and nobody else will remove
/// the sandbox.
pub fn unpack(sandbox: &Sandbox, directory: &str) -> String {
    let line = format!("({}) || {{ rm -rf {}; exit 1; }}", inside::unpack(directory), quote(&sandbox.scratch));
    script(&line, &[])
}

/// Ends all that runs in these sandboxes and removes them.
pub fn destroy(sandboxes: &[&Sandbox]) -> String {
    let marks: Vec<_> = sandboxes.iter().map(|sandbox| sandbox.mark()).collect();
    let end = inside::kill_marked(&marks);
    let directories = sandboxes.iter().map(|sandbox| sandbox.scratch.as_str());
    script(DESTROY, &[end.as_str()].into_iter().chain(directories).collect::<Vec<_>>())
}

pub fn list() -> String {
    script(LIST, &[LEFT])
}

pub fn examine() -> String {
    script(EXAMINE, &[READY, MISSING, UNWRITABLE])
}

fn script(text: &str, arguments: &[&str]) -> String {
    started(&["sh"], text, arguments)
}

fn started(shell: &[&str], text: &str, arguments: &[&str]) -> String {
    let words = [&["exec"], shell, &["-c", text, "offload"], arguments].concat();
    words.into_iter().map(literal).collect::<Vec<_>>().join(" ")
}

/// One word that POSIX shells and fish read back as exactly `word`. In fish a backslash means something between single quotes,
/// so it stands outside of them, as the quote itself does.
fn literal(word: &str) -> String {
    if quote(word) == word {
        return word.to_owned();
    }
    let mut quoted = String::from("'");
    for character in word.chars() {
        match character {
            '\'' => quoted.push_str(r"'\''"),
            '\\' => quoted.push_str(r"'\\'"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests;
