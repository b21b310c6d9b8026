"""The commands that find tests and that run them."""

import json
from pathlib import Path

from settings import Settings
from wit_world.exports.framework import RunPlan
from wit_world.imports.types import Command, Context, Test

# Read while the component is built: it has no files when it is used.
_SCRIPTS = {name: Path(__file__).with_name("scripts").joinpath(f"{name}.py").read_text() for name in ["loading", "discover", "run"]}


def discovery(settings: Settings, context: Context) -> RunPlan:
    """Finds all tests, and writes them to a file."""
    return _plan(settings, "discover", found_path(context), b"")


def run(settings: Settings, context: Context, tests: list[Test]) -> RunPlan:
    """Runs exactly these tests, and writes what becomes of them to a file."""
    files = {test.unit for test in tests}
    # Without all of them known, everything has to be looked through.
    request = {"ids": [test.id for test in tests], "files": None if None in files else sorted(files)}
    # There may be many, so they go to standard input rather than among the arguments.
    return _plan(settings, "run", journal_path(context), json.dumps(request).encode())


def found_path(context: Context) -> str:
    """Where a discovery writes what it found."""
    return f"{context.scratch}found.json"


def journal_path(context: Context) -> str:
    """Where a run writes what becomes of its tests: a file that no other attempt has."""
    return f"{context.scratch}journal.jsonl"


def _plan(settings: Settings, script: str, path: str, stdin: bytes) -> RunPlan:
    source = "\n\n".join([_SCRIPTS["loading"], _SCRIPTS[script]])
    command = Command([*settings.python_words(), "-c", source, settings.json(), path], [], None)
    return RunPlan(command, stdin, [path])
