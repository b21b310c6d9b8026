// The shell scripts that do the work. What they work on comes as arguments, so that no name is ever read as shell text.

// Makes TMPDIR/$1 with `work`, a copy of $2, and `scratch`; then copies pairs of a directory and where it goes to.
const CREATE = `
sandbox=\${TMPDIR:-/tmp}/$1 original=$2
case $sandbox in /*) ;; *) sandbox=$PWD/$sandbox ;; esac
shift 2
fail() {
    rm -rf "$sandbox"
    exit 1
}
mkdir -m 700 "$sandbox" || exit 1
mkdir "$sandbox/work" "$sandbox/scratch" || fail
if [ -n "$original" ]; then
    cp -Rp "$original/." "$sandbox/work" || fail
fi
while [ $# -gt 1 ]; do
    case $2 in /*) to=$2 ;; *) to=$sandbox/work/$2 ;; esac
    mkdir -p "$to" && cp -Rp "$1/." "$to" || fail
    shift 2
done
printf '%s' "$sandbox"
`;

// Runs a command in the directory $1, or in $2 as seen from there. Variables are set by `env`: offload lets a plugin set
// only those of the shell itself that it was granted by name.
const EXEC = `
cd "$1" || exit 126
if [ -n "$2" ]; then cd "$2" || exit 126; fi
shift 2
exec env "$@"
`;

// Copies files: pairs of what, as seen from $1, and where to. Prints the positions of those that do not exist, from 0.
const DOWNLOAD = `
cd "$1" || exit 1
shift
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
`;

// Removes directories. Tests leave some behind that nobody may write to.
const DESTROY = `
failed=0
for sandbox do
    rm -rf "$sandbox" 2>/dev/null || { chmod -R u+rwx "$sandbox" 2>/dev/null; rm -rf "$sandbox" || failed=1; }
done
exit "$failed"
`;

export function create(name, original, copyDirs) {
  return script(CREATE, [name, original ?? '', ...copyDirs.flatMap(({ local, remote }) => [local, remote])]);
}

export function exec(sandbox, { argv, env, cwd }) {
  const variables = env.map(([name, value]) => `${name}=${value}`);
  return script(EXEC, [`${sandbox}/work`, cwd ?? '', ...variables, ...argv]);
}

export function download(sandbox, files) {
  return script(DOWNLOAD, [`${sandbox}/work`, ...files.flatMap(({ remote, local }) => [unambiguous(remote), local])]);
}

export function destroy(sandboxes) {
  return script(DESTROY, sandboxes);
}

function script(text, args) {
  return { argv: ['sh', '-c', text, 'sh', ...args], env: [] };
}

// A path that no program takes for an option.
function unambiguous(path) {
  return path.startsWith('-') ? `./${path}` : path;
}
