"""What a group of type `unittest` may say in offload.toml."""

import json
import shlex
from dataclasses import asdict, dataclass
from typing import Any

from componentize_py_types import Err
from wit_world.imports.types import Failure

# Offload holds a group's table against this before anything runs; the descriptions are what people read below a mistake.
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "unittest",
    "description": "A group of tests of Python's unittest.",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "python": {
            "type": "string",
            "minLength": 1,
            "default": "python3",
            "description": 'The command that runs Python, possibly with arguments, e.g. "uv run python".',
        },
        "start_dir": {
            "type": "string",
            "minLength": 1,
            "default": ".",
            "description": "Where discovery starts, as with unittest's --start-directory: a directory or a package.",
        },
        "pattern": {
            "type": "string",
            "minLength": 1,
            "default": "test*.py",
            "description": "Which files have tests, as with unittest's --pattern.",
        },
        "top_level_dir": {
            "type": "string",
            "minLength": 1,
            "description": "The project's directory that imports start from, as with unittest's --top-level-directory; "
            "by default start_dir.",
        },
        "buffer": {
            "type": "boolean",
            "default": False,
            "description": "Whether what tests print is held back, as with unittest's --buffer, and shown with those that fail.",
        },
        "failfast": {
            "type": "boolean",
            "default": False,
            "description": "Whether the whole run stops after the first failure, as with unittest's --failfast.",
        },
        # Offload acts on this one by itself; without it here, nobody could set it.
        "working_dir": {
            "type": "string",
            "minLength": 1,
            "description": "Directory that the group's commands run in.",
        },
    },
}


@dataclass
class Settings:
    """A group's table."""

    python: str = "python3"
    start_dir: str = "."
    pattern: str = "test*.py"
    top_level_dir: str | None = None
    buffer: bool = False
    failfast: bool = False
    working_dir: str | None = None

    @classmethod
    def parse(cls, table: str) -> "Settings":
        """The table as offload gives it, which has the shape that the schema describes."""
        settings = cls(**json.loads(table))
        settings.python_words()
        return settings

    def python_words(self) -> list[str]:
        """The command that is Python."""
        try:
            words = shlex.split(self.python)
        except ValueError as error:
            raise unusable(f"`python` of the group, {self.python!r}, cannot be split into words: {error}") from error
        if not words:
            raise unusable("`python` of the group is empty")
        return words

    def json(self) -> str:
        """What the scripts are told."""
        return json.dumps(asdict(self))

    def by_hand(self) -> str:
        """A command line that shows a person what discovery saw."""
        words = ["-m", "unittest", "discover", "-s", self.start_dir, "-p", self.pattern]
        if self.top_level_dir is not None:
            words += ["-t", self.top_level_dir]
        return f"{self.python} {shlex.join(words)}"


def unusable(message: str) -> Err[Failure]:
    help = 'set it to a command such as "python3" or "uv run python", or leave it out'
    return Err(Failure("invalid-settings", message, help, False))
