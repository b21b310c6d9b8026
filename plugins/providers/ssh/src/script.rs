//! The shell scripts that run on this machine around ssh. What they work on comes as arguments.

use offload_plugin::shell::join;
use offload_plugin::types::Command;

use crate::client::Client;
use crate::seats::Seat;

/// Makes a private directory for the connections of a run and prints its path. A process stays behind that ends the
/// connections, by the program in the arguments, and removes the directory as soon as the run itself has ended, however that
/// came about.
///
/// ssh listens at a path of at most 108 bytes on Linux and 104 elsewhere, and adds 17 to it while it makes it. Blanks, quotes and
/// percent signs in it mean something else to it. Where TMPDIR is no such path, /tmp takes its place.
const OPEN: &str = r#"
umask 077
place=$(cd "${TMPDIR:-/tmp}" && pwd) || exit 1
case $place in *[!A-Za-z0-9/._+-]*) place=/tmp ;; esac
[ "${#place}" -le 55 ] || place=/tmp
place=$(mktemp -d "$place/offload-ssh-XXXXXX") || exit 1
run=$PPID
{
    trap '' HUP INT TERM
    while kill -0 "$run"; do sleep 0.2 || sleep 1; done
    for socket in "$place"/*.socket; do
        [ ! -S "$socket" ] || "$@" -F none -o ControlPath="$socket" -O exit offload
    done
    rm -rf "$place"
} </dev/null >/dev/null 2>&1 &
printf '%s\n' "$place"
"#;

/// Takes for the sandbox slot `$2` the first of the seats named after it that no other slot has, and prints its name. `$1` is
/// the directory of the run. A seat that the slot took before is its own: of the sandbox that was there nobody knows any more.
const TAKE_SEAT: &str = r#"
place=$1
slot=$2
shift 2
for seat do
    if mkdir "$place/seat-$seat" 2>/dev/null; then
        true >"$place/seat-$seat/$slot"
    elif [ ! -e "$place/seat-$seat/$slot" ]; then
        continue
    fi
    echo "$seat"
    exit
done
"#;

/// Gives the seat `$2` back.
const LEAVE_SEAT: &str = r#"rm -rf "$1/seat-$2""#;

/// Runs the command lines in the arguments side by side. Prints for each, in their order, the exit code, a blank and what it
/// said, then NUL. `$1` begins the path of a directory for that.
const SIDE_BY_SIDE: &str = r#"
place=$(mktemp -d "${1:-${TMPDIR:-/tmp}/offload-ssh-}XXXXXX") || exit 1
trap 'rm -rf "$place"' EXIT
shift
position=0
for line do
    {
        sh -c "$line" </dev/null >"$place/$position" 2>&1
        echo "$?" >"$place/$position.status"
    } &
    position=$((position + 1))
done
wait
count=$position
position=0
while [ "$position" -lt "$count" ]; do
    printf '%s ' "$(cat "$place/$position.status")"
    cat "$place/$position"
    printf '\0'
    position=$((position + 1))
done
"#;

/// Prints the end of what ssh wrote to its log `$1`.
const SAID: &str = r#"[ ! -f "$1" ] || tail -n 20 "$1""#;

/// Runs the line `$2`; where that fails, adds what ssh wrote to its log `$1` in the meantime.
const EXPLAINED: &str = r#"
before=$({ wc -c <"$1"; } 2>/dev/null) || before=0
sh -c "$2"
status=$?
[ "$status" -eq 0 ] || tail -c +"$((before + 1))" "$1" >&2 2>/dev/null
exit "$status"
"#;

pub fn open(client: &Client<'_>) -> Command {
    client.started(Command::script(OPEN, client.program()))
}

pub fn take_seat(place: &str, slot: u32, seats: &[Seat]) -> Command {
    let slot = slot.to_string();
    let names: Vec<_> = seats.iter().map(|seat| seat.name()).collect();
    Command::script(TAKE_SEAT, [place, slot.as_str()].into_iter().chain(names.iter().map(String::as_str)))
}

pub fn leave_seat(place: &str, seat: Seat) -> Command {
    Command::script(LEAVE_SEAT, [place, seat.name().as_str()])
}

/// `place` is the directory of the run, where there is one.
pub fn side_by_side(client: &Client<'_>, place: Option<&str>, lines: &[String]) -> Command {
    let beginning = place.map(|place| format!("{place}/said-")).unwrap_or_default();
    let arguments = [beginning.as_str()].into_iter().chain(lines.iter().map(String::as_str));
    client.started(Command::script(SIDE_BY_SIDE, arguments))
}

pub fn said(log: &str) -> Command {
    Command::script(SAID, [log])
}

/// A line of ssh that says itself why it failed, where it writes that to a log.
pub fn explained(log: Option<&str>, line: String) -> String {
    match log {
        Some(log) => join(["sh", "-c", EXPLAINED, "offload", log, &line]),
        None => line,
    }
}

#[cfg(test)]
mod tests;
