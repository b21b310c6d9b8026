//! The shell scripts that do the work. What they work on comes as arguments, so that no name is ever read as shell text.

use offload_plugin::prelude::*;

/// Makes a directory whose name begins with `$1`, copies what is in `$2` into its `work`, and what is in each further pair's
/// first directory into its second one, which is relative to that. Prints the directory's path.
const CREATE: &str = r#"
set -eu
sandbox=$(mktemp -d "${TMPDIR:-/tmp}/$1XXXXXX")
# Offload knows nothing of a sandbox that could not be made, so nobody else would clear it away.
trap '[ $? -eq 0 ] || rm -rf "$sandbox"' EXIT
mkdir "$sandbox/work" "$sandbox/tmp"
cp -Rp "$2/." "$sandbox/work"
shift 2
while [ $# -gt 1 ]; do
    case $2 in /*) target=$2 ;; *) target=$sandbox/work/$2 ;; esac
    mkdir -p "$target"
    cp -Rp "$1/." "$target"
    shift 2
done
printf '%s' "$sandbox"
"#;

/// Runs a command in the directory `$1`. Variables come next, and then the command: `env` knows them apart by their `=`, which
/// the name of a program could have as well, hence the second shell.
const EXEC: &str = r#"
cd -- "$1" || exit 126
shift
exec env "$@"
"#;
const COMMAND: [&str; 4] = ["sh", "-c", r#"exec "$@""#, "offload"];

/// Copies files: pairs of what and where to. Prints the positions of pairs whose file does not exist, counted from 0.
const COPY_FILES: &str = r#"
position=0
while [ $# -gt 1 ]; do
    if [ -e "$1" ]; then
        cp "$1" "$2" || exit 1
    else
        echo "$position"
    fi
    shift 2
    position=$((position + 1))
done
"#;

/// Removes directories; one that is already gone is fine.
const REMOVE: &str = r#"
failed=0
for sandbox do
    # Tests leave directories behind that nobody may write to.
    rm -rf "$sandbox" 2>/dev/null || { chmod -R u+rwx "$sandbox"; rm -rf "$sandbox" || failed=1; }
done
exit "$failed"
"#;

pub fn create<'a>(prefix: &'a str, project: &'a str, copy_dirs: &'a [Transfer]) -> Command {
    let pairs = copy_dirs.iter().flat_map(|pair| [pair.local.as_str(), pair.remote.as_str()]);
    Command::script(CREATE, [prefix, project].into_iter().chain(pairs))
}

/// The command in a directory, with its variables: those that offload sets name the sandbox and the command, by which all its
/// processes can be found.
pub fn exec(directory: &str, command: &Command) -> Command {
    let variables: Vec<_> = command.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let words = [directory].into_iter().chain(variables.iter().map(String::as_str)).chain(COMMAND);
    Command::script(EXEC, words.chain(command.argv.iter().map(String::as_str)))
}

pub fn copy_files<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Command {
    Command::script(COPY_FILES, pairs.into_iter().flat_map(|(from, to)| [from, to]))
}

pub fn remove<'a>(sandboxes: impl IntoIterator<Item = &'a str>) -> Command {
    Command::script(REMOVE, sandboxes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    /// A directory for one test; it is gone when the test ends.
    struct Place(PathBuf);

    impl Place {
        fn new(test: &str) -> Self {
            let place = std::env::temp_dir().join(format!("@NAME@-{test}-{}", std::process::id()));
            fs::create_dir_all(&place).expect("a directory can be made");
            Self(place)
        }

        fn path(&self, name: &str) -> String {
            self.0.join(name).display().to_string()
        }

        fn write(&self, name: &str, text: &str) {
            let file = self.0.join(name);
            fs::create_dir_all(file.parent().expect("it lies in a directory")).expect("a directory can be made");
            fs::write(file, text).expect("a file can be written");
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// What offload would do with the command: runs it, and gives the exit code and what it printed.
    fn run(command: &Command) -> (Option<i32>, String) {
        let mut process = std::process::Command::new(&command.argv[0]);
        let output = process.args(&command.argv[1..]).output().expect("sh starts");
        (output.status.code(), String::from_utf8(output.stdout).expect("it prints UTF-8"))
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_sandbox_has_copies_and_goes_away() {
        let place = Place::new("life");
        place.write("it's a project/src/a.txt", "a");
        place.write("data/b.txt", "b");
        let copies = [Transfer { local: place.path("data"), remote: "in/side".to_owned() }];
        // The directory that TMPDIR stands for is the same for all tests: each has a prefix of its own.
        let prefix = format!("@NAME@-{}-", std::process::id());
        let (code, sandbox) = run(&create(&prefix, &place.path("it's a project"), &copies));
        assert_eq!(code, Some(0));
        assert_eq!(fs::read_to_string(format!("{sandbox}/work/src/a.txt")).expect("it was copied"), "a");
        assert_eq!(fs::read_to_string(format!("{sandbox}/work/in/side/b.txt")).expect("it was copied"), "b");
        assert!(fs::metadata(format!("{sandbox}/tmp")).expect("it is there").is_dir());
        for _ in ["there", "already gone"] {
            assert_eq!(run(&remove([sandbox.as_str()])).0, Some(0));
            assert!(fs::metadata(&sandbox).is_err());
        }
    }

    #[test]
    fn what_could_not_be_made_leaves_nothing() {
        let place = Place::new("half");
        let prefix = format!("@NAME@-half-{}-", std::process::id());
        let (code, _) = run(&create(&prefix, &place.path("missing"), &[]));
        assert_ne!(code, Some(0));
        let mut names = fs::read_dir(std::env::temp_dir()).expect("it is a directory").flatten();
        assert!(!names.any(|entry| entry.file_name().to_string_lossy().starts_with(&prefix)));
    }

    #[test]
    fn commands_keep_their_words_their_variables_and_their_exit_code() {
        let place = Place::new("exec");
        let env = vec![("ONE".to_owned(), "it's $HOME `id`\nand more".to_owned())];
        let script = r#"printf '%s|' "$PWD" "$ONE" "$@"; exit 3"#;
        let command = Command { argv: words(&["sh", "-c", script, "x", "a b", "", "c=d", "*"]), env, cwd: None };
        let directory = place.path(".");
        let here = fs::canonicalize(&directory).expect("it is there").display().to_string();
        let (code, printed) = run(&exec(&here, &command));
        assert_eq!((code, printed), (Some(3), format!("{here}|it's $HOME `id`\nand more|a b||c=d|*|")));
        assert_eq!(run(&exec(&place.path("missing"), &command)).0, Some(126));
    }

    #[test]
    fn files_are_copied_and_those_that_are_missing_are_told() {
        let place = Place::new("files");
        place.write("a b", "text");
        let pairs = [(place.path("none"), place.path("1")), (place.path("a b"), place.path("2"))];
        let pairs = pairs.iter().map(|(from, to)| (from.as_str(), to.as_str()));
        assert_eq!(run(&copy_files(pairs)), (Some(0), "0\n".to_owned()));
        assert_eq!(fs::read_to_string(place.path("2")).expect("it was copied"), "text");
    }
}
