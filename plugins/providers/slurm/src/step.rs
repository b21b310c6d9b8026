//! Steps: what srun runs in an allocation.

/// The beginning of every step's command line; `$job` is the allocation's number. Steps share all that the allocation has, however many
/// run at once, and do not start in a directory that only this machine has.
pub const STEP: &str =
    r#"srun --jobid="$job" --overlap --nodes=1 --ntasks=1 --mem=0 --cpu-bind=none --mpi=none --chdir=/ --export=ALL"#;

/// Finds `$base`, the directory below which sandboxes have theirs, if `$1` does not say: TMPDIR came along from another machine, and
/// need not exist on the node.
const BASE: &str = r#"
base=$1
if [ -z "$base" ]; then
    base=${TMPDIR:-/tmp}
    [ -d "$base" ] && [ -w "$base" ] || base=/tmp
fi
base=${base%/}
"#;

/// Makes the directory `$2` below `$1`, and the one in which commands run: `$3` is `shared` for `$4` itself, `copy` for a copy of it,
/// and `empty` for an empty one. Prints the base. Exit code 3: there is no directory `$4`.
const FURNISH: &str = r#"
mkdir -p "$base"
scratch=$base/$2
shared=${scratch%/*}
# A sandbox that goes at this moment may take the shared directory along: hence more than one try.
tries=0
while :; do
    mkdir -m 700 "$shared" 2>/dev/null
    if [ -L "$shared" ] || { [ -d "$shared" ] && [ ! -O "$shared" ]; }; then
        echo "$shared belongs to somebody else" >&2
        exit 1
    fi
    complaint=$(mkdir -m 700 "$scratch" 2>&1) && break
    tries=$((tries + 1))
    [ "$tries" -lt 5 ] || { printf '%s\n' "$complaint" >&2; exit 1; }
done
[ "$3" = empty ] || [ -d "$4" ] || { echo "there is no directory $4 on $(hostname)" >&2; exit 3; }
if [ "$3" = copy ]; then
    # Discovery runs meanwhile, and files that it removes while they are copied spoil one try.
    tries=0
    until complaint=$(cp -a "$4/." "$scratch/work" 2>&1); do
        chmod -R u+rwx "$scratch/work" 2>/dev/null
        rm -rf "$scratch/work"
        tries=$((tries + 1))
        [ "$tries" -lt 3 ] || { printf '%s\n' "$complaint" >&2; exit 1; }
    done
elif [ "$3" = empty ]; then
    mkdir "$scratch/work" || exit 1
fi
printf '%s\n' "$base"
"#;

/// Removes the directory `$2` below `$1`, and the run's once it is empty.
const CLEAR: &str = r#"
scratch=$base/$2
# Tests leave directories behind that nobody may write to.
rm -rf "$scratch" 2>/dev/null || { chmod -R u+rwx "$scratch" 2>/dev/null; rm -rf "$scratch"; }
rmdir "${scratch%/*}" 2>/dev/null
:
"#;

/// What is run on the node to make a sandbox's directories.
pub fn furnish() -> String {
    format!("{BASE}{FURNISH}")
}

/// What is run on the node, and on this machine in case it is shared, to remove them.
pub fn clear() -> String {
    format!("{BASE}{CLEAR}")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::{Command, Output};

    use super::*;

    fn run(script: &str, arguments: &[&str]) -> Output {
        Command::new("sh").args(["-c", script, "offload"]).args(arguments).output().expect("sh starts")
    }

    fn base(name: &str) -> String {
        let path = std::env::temp_dir().join(format!("slurm-step-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("a directory can be made");
        path.to_str().expect("paths are UTF-8").to_owned()
    }

    #[track_caller]
    fn check_furnished(base: &str, place: &str, kind: &str, directory: &str) {
        let done = run(&furnish(), &[base, place, kind, directory]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(String::from_utf8_lossy(&done.stdout), format!("{base}\n"));
    }

    #[test]
    fn directories_are_made_and_removed() {
        let base = base("made");
        let project = format!("{base}/it's a $project");
        fs::create_dir(&project).expect("a directory can be made");
        fs::write(format!("{project}/file"), "text").expect("a file can be written");
        check_furnished(&base, "offload-r/one", "shared", &project);
        check_furnished(&base, "offload-r/two", "copy", &project);
        check_furnished(&base, "offload-r/three", "empty", "");
        assert!(!fs::exists(format!("{base}/offload-r/one/work")).expect("known"));
        assert_eq!(fs::read_to_string(format!("{base}/offload-r/two/work/file")).expect("a copy"), "text");
        assert!(fs::exists(format!("{base}/offload-r/three/work")).expect("known"));
        for place in ["offload-r/one", "offload-r/two", "offload-r/three", "offload-r/never"] {
            assert!(run(&clear(), &[&base, place]).status.success());
        }
        assert!(!fs::exists(format!("{base}/offload-r")).expect("known"));
        fs::remove_dir_all(base).expect("the directory goes");
    }

    #[test]
    fn a_missing_directory_is_told_apart() {
        let base = base("missing");
        for kind in ["shared", "copy"] {
            let done = run(&furnish(), &[&base, &format!("offload-r/{kind}"), kind, "/no/such place"]);
            assert_eq!(done.status.code(), Some(3));
            assert!(String::from_utf8_lossy(&done.stderr).contains("/no/such place"));
        }
        fs::remove_dir_all(base).expect("the directory goes");
    }

    #[test]
    fn the_base_is_one_that_exists() {
        let script = format!("{BASE}printf %s \"$base\"");
        let with = |temporary: &str| {
            let output = Command::new("sh").args(["-c", &script, "offload", ""]).env("TMPDIR", temporary).output();
            String::from_utf8(output.expect("sh starts").stdout).expect("paths are UTF-8")
        };
        assert_eq!(with("/no/such"), "/tmp");
        assert_eq!(with("/tmp/"), "/tmp");
        assert_eq!(run(&script, &["/given/"]).stdout, b"/given");
    }
}
