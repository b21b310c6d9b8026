"""The shell scripts that do the work, as commands. What they work on comes as arguments, so that no name is ever read as shell
text."""

# Makes a directory whose name begins with $1, copies what is in $2 into its `work`, and what is in each further pair's first
# directory into its second one, which is relative to that. Prints the directory's path.
CREATE = r"""
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
"""

# Runs a command in the directory $1. Variables come next, and then the command: `env` knows them apart by their `=`, which the
# name of a program could have as well, hence the second shell.
EXECUTE = r"""
cd -- "$1" || exit 126
shift
exec env "$@"
"""
COMMAND = ["sh", "-c", 'exec "$@"', "offload"]

# Copies files: pairs of what and where to. Prints the positions of pairs whose file does not exist, counted from 0.
COPY_FILES = r"""
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
"""

# Removes directories; one that is already gone is fine.
REMOVE = r"""
failed=0
for sandbox do
    # Tests leave directories behind that nobody may write to.
    rm -rf "$sandbox" 2>/dev/null || { chmod -R u+rwx "$sandbox"; rm -rf "$sandbox" || failed=1; }
done
exit "$failed"
"""


def create(prefix: str, project: str, pairs: list[tuple[str, str]]) -> list[str]:
    return _command(CREATE, prefix, project, *_flat(pairs))


def execute(directory: str, env: list[tuple[str, str]], argv: list[str]) -> list[str]:
    """The command in a directory, with its variables: those that offload sets name the sandbox and the command, by which all its
    processes can be found."""
    return _command(EXECUTE, directory, *[f"{name}={value}" for name, value in env], *COMMAND, *argv)


def copy_files(pairs: list[tuple[str, str]]) -> list[str]:
    return _command(COPY_FILES, *_flat(pairs))


def remove(sandboxes: list[str]) -> list[str]:
    return _command(REMOVE, *sandboxes)


def _command(script: str, *arguments: str) -> list[str]:
    return ["sh", "-c", script, "offload", *arguments]


def _flat(pairs: list[tuple[str, str]]) -> list[str]:
    return [path for pair in pairs for path in pair]
