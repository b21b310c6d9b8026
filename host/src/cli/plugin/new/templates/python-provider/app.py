"""Where tests run: @NAME@, for offload. This is the component.

Offload calls `prepare` once, then makes sandboxes with `create`, runs commands in them with `exec`, fetches what these wrote with
`download`, and ends with `destroy`. The plugin itself has no files and no network: it starts programs of this machine, those that
it asks for and is granted. The types are made from the contract in `wit/`.
"""

import json

import scripts
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.metadata import Info
from wit_world.exports.provider import Created, ImageSpec, Prepared, SandboxSpec, Transfer
from wit_world.imports import host, process
from wit_world.imports.io import Stdio
from wit_world.imports.types import Captured, Command, Exit, Exit_Code, Exit_Signal, Failure

# What the names of all directories begin with.
PREFIX = "offload-@NAME@-"

# How much of what a program complained is shown, in characters.
COMPLAINT = 2000

# What [provider] in offload.toml may say, as a JSON Schema. Offload holds the table against it before anything runs, and shows the
# descriptions below whatever is wrong there. Those that are here are what offload itself acts on.
SETTINGS = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "@NAME@",
    "description": "Sandboxes that are directories of this machine.",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        # Offload makes it absolute, and says it also where nobody has set it.
        "working_dir": {
            "type": "string",
            "minLength": 1,
            "description": "Directory of which each sandbox has a copy; relative to the working directory of [offload], and by "
            "default the same.",
        },
        # They come with each sandbox's specification.
        "copy_dirs": {
            "type": "array",
            "items": {"type": "string", "pattern": "^.+:.+$"},
            "default": [],
            "description": "Directories to bring into each sandbox besides, as local:remote.",
        },
        # They come with every command.
        "env": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "default": {},
            "description": "Environment variables of the tests.",
        },
        # Offload watches this.
        "timeout_secs": {
            "type": "integer",
            "minimum": 1,
            "description": "How long making, copying and removing may take, in seconds.",
        },
    },
}


class Metadata(exports.Metadata):
    """What the plugin says of itself."""

    def describe(self) -> Info:
        return Info(
            name="@NAME@",
            version="0.1.0",
            description="runs tests in directories of this machine",
            settings_schema=json.dumps(SETTINGS),
            # What it does not ask for, nobody can grant.
            requests=["run:sh"],
        )


class Provider(exports.Provider):
    """Where tests run. A sandbox is a directory with a copy of the project in `work`, and room for offload's own files in `tmp`.
    Its path is the sandbox's id."""

    def prepare(self, spec: ImageSpec) -> Prepared:
        """The place to build an image that all sandboxes are made of; `create` is told its name in `spec.image`. Directories
        need none."""
        return Prepared(image=None, max_sandboxes=None)

    def create(self, spec: SandboxSpec) -> Created:
        """Makes one sandbox. Nothing of it may be left behind by a failure: only what is returned is ever destroyed."""
        project = json.loads(host.settings()).get("working_dir", ".")
        pairs = [(directory.local, directory.remote) for directory in spec.copy_dirs]
        finished = process.capture(script(scripts.create(PREFIX, project, pairs)), b"")
        if finished.exit != Exit_Code(0):
            message = f"the directory of {spec.name} could not be made: {complaint(finished)}"
            # Another try may succeed: files come and go while they are copied.
            raise Err(Failure("create-failed", message, None, retryable=True))
        sandbox = checked(finished.stdout.decode(errors="replace"))
        return Created(sandbox, f"{sandbox}/tmp")

    def exec(self, sandbox: str, exec_id: str, command: Command, stdio: Stdio) -> Exit:
        """Runs a command to its end. Its streams go through offload: the plugin never sees them."""
        directory = located(checked(sandbox), command.cwd or ".")
        return process.run(script(scripts.execute(directory, command.env, command.argv)), stdio)

    def cancel(self, sandbox: str, exec_id: str) -> None:
        """Ends a running command. The processes are this machine's, where offload has ended them. Elsewhere this is the place to
        do it."""
        checked(sandbox)

    def download(self, sandbox: str, files: list[Transfer]) -> list[str]:
        """Copies files out of the sandbox; returns the remote paths that do not exist, which is no failure: the test may have
        ended before it wrote one."""
        checked(sandbox)
        pairs = [(located(sandbox, file.remote), file.local) for file in files]
        finished = process.capture(script(scripts.copy_files(pairs)), b"")
        if finished.exit != Exit_Code(0):
            raise Err(Failure("download-failed", f"files of {sandbox} could not be copied: {complaint(finished)}", None, False))
        missing = {line for line in finished.stdout.decode(errors="replace").split("\n") if line}
        return [file.remote for position, file in enumerate(files) if str(position) in missing]

    def destroy(self, sandboxes: list[str]) -> None:
        """Destroys sandboxes; one that is already gone is no failure."""
        finished = process.capture(script(scripts.remove([checked(sandbox) for sandbox in sandboxes])), b"")
        if finished.exit != Exit_Code(0):
            raise Err(Failure("destroy-failed", f"directories could not be removed: {complaint(finished)}", None, False))


def script(argv: list[str]) -> Command:
    return Command(argv, env=[], cwd=None)


def checked(sandbox: str) -> str:
    """The id, if it is one of ours: what is removed with `rm -r` is looked at twice."""
    steps = sandbox.split("/")
    if not sandbox.startswith("/") or ".." in steps or not steps[-1].removeprefix(PREFIX) or not steps[-1].startswith(PREFIX):
        raise Err(Failure("unknown-sandbox", f"{sandbox!r} names no sandbox of @NAME@", None, False))
    return sandbox


def located(sandbox: str, path: str) -> str:
    """A path as offload says it: relative ones start from the copy of the project."""
    return path if path.startswith("/") else f"{sandbox}/work/{path}"


def complaint(output: Captured) -> str:
    """What a program said when it did not do what it was asked: the end of its errors, or how it ended."""
    said = output.stderr.decode(errors="replace").strip()[-COMPLAINT:]
    if said:
        return said
    kind = "signal" if isinstance(output.exit, Exit_Signal) else "exit code"
    return f"{kind} {output.exit.value}"
