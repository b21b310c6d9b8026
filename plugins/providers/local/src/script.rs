//! The shell scripts that do this provider's work on the file system. What they work on comes as arguments, so that no
//! name is ever read as shell text.

use offload_plugin::types::Command;

use crate::links::MEND;

/// Makes `offload-<run>/<name>` under TMPDIR and, where `$3` is not empty, a copy of that directory in its `work`. Where `$4` is not
/// empty it makes that directory as well, relative to the new one. Prints the new directory's path. Exit code 3: the original
/// holds every place where the copy could go.
const CREATE: &str = r#"
run=$1 name=$2 original=$3 tmp=$4
# Physical paths, since one is looked for inside the other.
physical() { (CDPATH= cd -- "$1" && pwd -P); }
base=$(physical "${TMPDIR:-/tmp}") || exit 1
if [ -n "$original" ]; then
    original=$(physical "$original") || exit 1
    case "${base%/}/" in "${original%/}/"*) base=$(physical /tmp) || exit 1 ;; esac
    case "${base%/}/" in "${original%/}/"*) exit 3 ;; esac
fi
shared=${base%/}/offload-$run
scratch=$shared/$name

# A sandbox that goes at this moment may take the shared directory along: hence more than one try.
tries=0
while :; do
    mkdir -m 700 "$shared" 2>/dev/null
    if [ -L "$shared" ] || { [ -d "$shared" ] && [ ! -O "$shared" ]; }; then
        echo "$shared belongs to somebody else" >&2
        exit 1
    fi
    # Names are used once in a run: what is there was left by a creation that was broken off.
    rm -rf "$scratch"
    complaint=$(mkdir -m 700 "$scratch" 2>&1) && break
    tries=$((tries + 1))
    [ "$tries" -lt 5 ] || { rmdir "$shared" 2>/dev/null; printf '%s\n' "$complaint" >&2; exit 1; }
done
if [ -n "$tmp" ]; then
    case $tmp in /*) ;; *) tmp=$scratch/$tmp ;; esac
    # As above.
    rm -rf "$tmp"
    mkdir -m 700 "$tmp" || { rmdir "$scratch" "$shared"; exit 1; }
fi

# Shares the blocks of files where the file system can.
copy() {
    if [ "$(uname)" = Darwin ]; then
        cp -Rpc "$original/." "$scratch/work" 2>/dev/null || cp -Rp "$original/." "$scratch/work"
    elif cp --help 2>&1 | grep -q -e --reflink; then
        cp -a --reflink=auto "$original/." "$scratch/work"
    else
        cp -a "$original/." "$scratch/work"
    fi
}
if [ -n "$original" ]; then
    # Discovery runs meanwhile, and files that it removes while they are copied spoil one try.
    tries=0
    until complaint=$({ copy && mend_links "$original" "$scratch/work" ""; } 2>&1); do
        chmod -R u+rwx "$scratch/work" 2>/dev/null
        rm -rf "$scratch/work"
        tries=$((tries + 1))
        if [ "$tries" -ge 3 ]; then
            rm -rf "$scratch" ${tmp:+"$tmp"}
            rmdir "$shared" 2>/dev/null
            printf '%s\n' "$complaint" >&2
            exit 1
        fi
    done
fi
printf '%s' "$scratch"
"#;

/// Copies what is in `$1` into `$2`. Exit code 3: `$1` is no directory.
const COPY_DIRECTORY: &str = r#"
[ -d "$1" ] || exit 3
case $1 in -*) from=./$1 ;; *) from=$1 ;; esac
case $2 in -*) to=./$2 ;; *) to=$2 ;; esac
physical() { (CDPATH= cd -- "$1" && pwd -P); }
mkdir -p "$to" && cp -Rp "$from/." "$to" && from=$(physical "$from") && to=$(physical "$to") || exit 1
mend_links "$from" "$to" kept
"#;

/// Copies files: pairs of what and where to. Prints the positions of pairs whose file does not exist, counted from 0. Exit
/// code 3: the sandbox's directory, `$1`, does not exist any more. Exit code 4: something else than a file is in the place of one.
const COPY_FILES: &str = r#"
[ -d "$1" ] || exit 3
shift
position=0
while [ $# -gt 1 ]; do
    if [ -f "$1" ]; then
        cp "$1" "$2" || exit 1
    elif [ -e "$1" ]; then
        echo "$1 is not a regular file" >&2
        exit 4
    else
        echo "$position"
    fi
    shift 2
    position=$((position + 1))
done
"#;

const IS_DIRECTORY: &str = r#"[ -d "$1" ]"#;

/// Removes directories, and a run's directory that holds some of them once it is empty.
const REMOVE: &str = r#"
remove() {
    # Tests leave directories behind that nobody may write to.
    rm -rf "$1" 2>/dev/null || { chmod -R u+rwx "$1" 2>/dev/null; rm -rf "$1"; }
}
removing=
for scratch do
    # As in the list of what is left.
    [ ! -L "${scratch%/*}" ] || continue
    remove "$scratch" &
    removing="$removing $!"
done
failed=0
for process in $removing; do
    wait "$process" || failed=1
done
for scratch do
    # What the run's sandboxes share stays until the run ends.
    case ${scratch%/*} in */offload-*) rmdir "${scratch%/*}" 2>/dev/null ;; esac
done
exit "$failed"
"#;

/// Prints of each sandbox under TMPDIR, or in `/tmp`, its directory, run, name, time and control group, each with NUL behind it.
const LEFTOVERS: &str = r#"
list() {
    for scratch in "$1"/offload-[0-9]*-[0-9]*-*/*/; do
        scratch=${scratch%/}
        shared=${scratch%/*}
        # Anybody may put a link of such a name there, which leads to what is mine.
        for directory in "$shared" "$scratch"; do
            { [ -d "$directory" ] && [ ! -L "$directory" ] && [ -O "$directory" ]; } || continue 2
        done
        # Nothing is known of the age where `date` reads no files.
        run=${shared##*/offload-} name=${scratch##*/}
        group=$(find /sys/fs/cgroup -type d -name "offload-$run-$name" 2>/dev/null | head -n 1)
        printf '%s\0%s\0%s\0%s\0%s\0' "$scratch" "$run" "$name" "$(date -r "$scratch" +%s 2>/dev/null)" "$group"
    done
}
base=$(CDPATH= cd -- "${TMPDIR:-/tmp}" && pwd -P) || exit 1
list "${base%/}"
common=$(CDPATH= cd /tmp && pwd -P) || exit 0
[ "$common" = "$base" ] || list "$common"
"#;

/// Runs lines that end what still runs, each for itself.
const END: &str = r#"
for line do
    sh -c "$line" </dev/null >/dev/null 2>&1
done
exit 0
"#;

/// Prints a word for each that can be used: the shell `$1`, the working directory `$2`, and TMPDIR.
const EXAMINE: &str = r#"
command -v "$1" >/dev/null 2>&1 && echo shell
[ -d "${2:-.}" ] && echo working-dir
[ -w "${TMPDIR:-/tmp}" ] && echo temporary
exit 0
"#;

pub fn create(run_id: &str, name: &str, original: Option<&str>, tmp: Option<&str>) -> Command {
    Command::script(&format!("{MEND}{CREATE}"), [run_id, name, original.unwrap_or_default(), tmp.unwrap_or_default()])
}

pub fn copy_directory(from: &str, to: &str) -> Command {
    Command::script(&format!("{MEND}{COPY_DIRECTORY}"), [from, to])
}

/// Both sides of each pair are absolute.
pub fn copy_files<'a>(scratch: &'a str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Command {
    let words = pairs.into_iter().flat_map(|(from, to)| [from, to]);
    Command::script(COPY_FILES, std::iter::once(scratch).chain(words))
}

/// Exit code 0: it is one.
pub fn is_directory(path: &str) -> Command {
    Command::script(IS_DIRECTORY, [path])
}

pub fn remove<'a>(directories: impl IntoIterator<Item = &'a str>) -> Command {
    Command::script(REMOVE, directories)
}

pub fn leftovers() -> Command {
    Command::script(LEFTOVERS, [])
}

/// Runs these lines of [`offload_plugin::inside`].
pub fn end<'a>(lines: impl IntoIterator<Item = &'a str>) -> Command {
    Command::script(END, lines)
}

pub fn examine(shell: &str, working_dir: Option<&str>) -> Command {
    Command::script(EXAMINE, [shell, working_dir.unwrap_or_default()])
}

#[cfg(test)]
mod tests;
