//! The shell scripts that make a control group for a sandbox, read it and remove it.

use offload_plugin::types::Command;

/// Finds where control groups are, and our own one.
const FIND: &str = r#"
while read -r _ mount type _; do
    [ "$type" != cgroup2 ] || break
    mount=
done </proc/self/mounts
own=$(sed -n 's/^0:://p' /proc/self/cgroup)
[ -d "$mount$own" ] || own=
"#;

/// Makes the group `$1` below our own one, `$mount$own`, or below one above that, wherever the controllers `$2` can be had; then writes
/// pairs of files and contents. Prints the group's directory. Exit code 3: it is not allowed here, for the reason that was printed.
const MAKE: &str = r#"
name=$1 controllers=$2
shift 2
refuse() { printf '%s\n' "$1"; exit 3; }
[ -n "$mount" ] || refuse "there are no control groups of version 2"
for controller in $controllers; do
    grep -qw -e "$controller" "$mount/cgroup.controllers" ||
        refuse "the controller $controller is not one of version 2 here: $mount has $(tr '\n' ' ' <"$mount/cgroup.controllers")"
done
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
        why=$( (printf '%s' "$2" >"$group/$1") 2>&1) || { rmdir "$group"; refuse "$why"; }
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
    let mut arguments = vec![name, &controllers];
    arguments.extend(files.iter().flat_map(|(file, contents)| [*file, contents.as_str()]));
    Command::script(&format!("{FIND}{MAKE}"), arguments)
}

pub fn killed(group: &str) -> Command {
    Command::script(KILLED, [group])
}

pub fn remove<'a>(groups: impl IntoIterator<Item = &'a str>) -> Command {
    Command::script(REMOVE, groups)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::{Command as Process, Output};

    use super::*;

    fn run(command: &Command) -> Output {
        Process::new(&command.argv[0]).args(&command.argv[1..]).output().expect("sh starts")
    }

    /// A directory that looks like a hierarchy of control groups: the root hands memory on, and ours is below it.
    fn hierarchy(name: &str) -> String {
        let root = std::env::temp_dir().join(format!("local-cgroup-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("a/own")).expect("directories can be made");
        fs::write(root.join("cgroup.controllers"), "cpu memory pids\n").expect("a file can be written");
        fs::write(root.join("cgroup.subtree_control"), "cpu memory\n").expect("a file can be written");
        fs::write(root.join("a/cgroup.subtree_control"), "memory\n").expect("a file can be written");
        root.to_str().expect("paths are UTF-8").to_owned()
    }

    fn make_in(root: &str, controllers: &str, pairs: &[&str]) -> (Option<i32>, String) {
        let script = format!("mount={root} own=/a/own\n{MAKE}");
        let done = run(&Command::script(&script, [&["offload-r-s", controllers], pairs].concat()));
        (done.status.code(), String::from_utf8_lossy(&done.stdout).trim().to_owned())
    }

    #[test]
    fn a_group_is_made_where_all_controllers_are_handed_on() {
        let root = hierarchy("made");
        // Our own group cannot hand anything on: it is a directory here, as it has processes elsewhere.
        fs::create_dir(format!("{root}/a/own/cgroup.subtree_control")).expect("a directory can be made");
        let made = make_in(&root, "memory", &["memory.max", "7", "memory.swap.max", "0"]);
        assert_eq!(made, (Some(0), format!("{root}/a/offload-r-s")));
        assert_eq!(fs::read_to_string(format!("{root}/a/offload-r-s/memory.max")).expect("a file"), "7");
        assert!(!fs::exists(format!("{root}/a/offload-r-s/memory.swap.max")).expect("known"), "there is no swap here");
        let made = make_in(&root, "memory cpu", &["cpu.max", "1000 100000"]);
        assert_eq!(made, (Some(0), format!("{root}/offload-r-s")));
        fs::remove_dir_all(root).expect("the directory goes");
    }

    #[test]
    fn what_is_missing_is_named() {
        let root = hierarchy("missing");
        fs::create_dir(format!("{root}/a/own/cgroup.subtree_control")).expect("a directory can be made");
        let (code, why) = make_in(&root, "memory io", &[]);
        assert_eq!(code, Some(3));
        assert!(why.contains("the controller io is not one of version 2 here"), "{why}");
        let (code, why) = make_in(&root, "pids", &[]);
        assert_eq!(code, Some(3));
        assert!(why.contains("has processes of its own and does not hand pids on"), "{why}");
        let done = run(&Command::script(&format!("mount= own=\n{MAKE}"), ["offload-r-s", "memory"]));
        assert_eq!(
            (done.status.code(), done.stdout.as_slice()),
            (Some(3), b"there are no control groups of version 2\n".as_slice())
        );
        fs::remove_dir_all(root).expect("the directory goes");
    }

    /// A real group, without any limit, wherever the machine lets us make one.
    #[test]
    #[expect(clippy::print_stderr, reason = "a skipped test says so by name")]
    fn what_is_in_a_group_ends_with_it() {
        let made = run(&make(&format!("offload-test-{}", std::process::id()), &[], &[]));
        let group = String::from_utf8(made.stdout).expect("paths are UTF-8").trim().to_owned();
        if made.status.code() == Some(3) {
            eprintln!("skipped: cgroup::what_is_in_a_group_ends_with_it: {group}");
            return;
        }
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let enter = Command::script(ENTER, [group.as_str(), "sh", "-c", "setsid sleep 300 & exec sleep 300"]);
        let mut entered = Process::new(&enter.argv[0]).args(&enter.argv[1..]).spawn().expect("sh starts");
        while fs::read_to_string(format!("{group}/cgroup.procs")).expect("a list").lines().count() < 2 {
            assert!(entered.try_wait().expect("it is ours").is_none(), "it ended before it was in the group");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        // Nobody waits for a child of ours but we: it would keep the group.
        let waiting = std::thread::spawn(move || entered.wait().expect("it is ours"));
        let removed = run(&remove([group.as_str()]));
        assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
        assert!(!waiting.join().expect("it ended").success());
        assert!(!fs::exists(&group).expect("known"));
        assert!(run(&remove([group.as_str()])).status.success(), "one that is gone is no failure");
    }
}
