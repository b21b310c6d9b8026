//! The shell scripts that make a control group for a sandbox, read it and remove it.

use offload_plugin::types::Command;

/// Makes the group `$1` below our own one, or below one above that, wherever the controllers `$2` can be had; then writes
/// pairs of files and contents. Prints the group's directory. Exit code 3: it is not allowed here, for the reason that was printed.
const MAKE: &str = r#"
name=$1 controllers=$2
shift 2
refuse() { printf '%s\n' "$1"; exit 3; }
mount=${CGROUP_MOUNT-$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)}
[ -n "$mount" ] || refuse "there are no control groups of version 2"
for controller in $controllers; do
    grep -qw -e "$controller" "$mount/cgroup.controllers" ||
        refuse "the controller $controller is not one of version 2 here: $mount has $(tr '\n' ' ' <"$mount/cgroup.controllers")"
done
own=${CGROUP_OWN-$(sed -n 's/^0:://p' /proc/self/cgroup)}
own=${own%/}

# Whether the children of group $1 have all controllers. Our own group may be asked for it, but those above are others'.
gives() {
    for controller in $controllers; do
        grep -qw -e "$controller" "$1/cgroup.subtree_control" && continue
        [ "$1" = "$mount$own" ] && { echo "+$controller" >"$1/cgroup.subtree_control"; } 2>/dev/null && continue
        return 1
    done
}
above=$own why=
while :; do
    parent=$mount$above
    if gives "$parent"; then
        if why=$(mkdir "$parent/$name" 2>&1); then break; fi
    elif [ -z "$why" ]; then
        why="$parent has processes of its own and does not hand $controllers on"
    fi
    [ -n "$above" ] || refuse "$why"
    above=${above%/*}
done
group=$parent/$name
while [ $# -gt 1 ]; do
    # Without swap there is no file for it.
    if [ -e "$group/$1" ] || [ "$1" != memory.swap.max ]; then
        why=$( { printf '%s' "$2" >"$group/$1"; } 2>&1) || { rmdir "$group"; refuse "$why"; }
    fi
    shift 2
done
# Whoever may make a group may still not move processes into it, if that is to happen across what was delegated.
why=$(sh -c 'echo $$ >"$1/cgroup.procs"' offload "$group" 2>&1) || { rmdir "$group"; refuse "$why"; }
printf '%s\n' "$group"
"#;

/// Prints how many processes of the group `$1` were killed since they had too much memory.
const KILLED: &str = r#"sed -n 's/^oom_kill //p' "$1/memory.events""#;

/// Ends all that is in the groups, and removes them.
const REMOVE: &str = r#"
failed=0
for group do
    [ -d "$group" ] || continue
    echo 1 >"$group/cgroup.kill" 2>/dev/null || kill -9 $(cat "$group/cgroup.procs") 2>/dev/null
    tries=0
    # What was killed takes a moment to go.
    until complaint=$(rmdir "$group" 2>&1); do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { printf '%s\n' "$complaint" >&2; failed=1; break; }
        sleep 0.05
    done
done
exit "$failed"
"#;

/// What a shell does first to be in the group `$1`, before it becomes what the other arguments say.
pub const ENTER: &str = r#"echo $$ >"$1/cgroup.procs" || exit 126; shift; exec "$@""#;

pub fn make(name: &str, controllers: &[&str], files: &[(&str, String)]) -> Command {
    let controllers = controllers.join(" ");
    let pairs = files.iter().flat_map(|(file, contents)| [*file, contents.as_str()]);
    Command::script(MAKE, [name, controllers.as_str()].into_iter().chain(pairs))
}

pub fn killed(group: &str) -> Command {
    Command::script(KILLED, [group])
}

pub fn remove<'a>(groups: impl IntoIterator<Item = &'a str>) -> Command {
    Command::script(REMOVE, groups)
}
