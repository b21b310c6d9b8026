"""Tests of @NAME@, for offload: the component.

A framework starts nothing and reads no file. It says which command to run, is told what came of it, and says what that means.
Offload calls the methods of the two classes below; their types are made from the contract in `wit/`.
"""

import json

import printed
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.framework import Discovery, Discovery_Found, Discovery_Run, FinishedRun, RunPlan
from wit_world.exports.metadata import Info
from wit_world.imports import host
from wit_world.imports.types import Command, Context, Exit_Code, Failure, Found, Outcome, Test

# What a group's table in offload.toml may say, as a JSON Schema. Offload holds the table against it before anything runs, and
# shows the descriptions below whatever is wrong there.
SETTINGS = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "@NAME@",
    "description": "A group of tests of @NAME@.",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "program": {
            "type": "string",
            "minLength": 1,
            "default": "@NAME@",
            "description": "The program that runs the tests.",
        },
        # Offload acts on this one by itself; without it here, nobody could set it.
        "working_dir": {
            "type": "string",
            "minLength": 1,
            "description": "Directory that the group's commands run in.",
        },
    },
}


class Metadata(exports.Metadata):
    """What the plugin says of itself."""

    def describe(self) -> Info:
        return Info(
            name="@NAME@",
            version="0.1.0",
            description="Tests of @NAME@",
            settings_schema=json.dumps(SETTINGS),
            # What it does not ask for, nobody can grant. Another `program` has to be named here, too; "run:*" stands for any.
            requests=["run:@NAME@"],
        )


class Framework(exports.Framework):
    """How tests are found, run and judged. An instance of the component serves one discovery, or one command that runs tests:
    what belongs together within one of these can be kept in this object."""

    def needs(self) -> list[str]:
        """What the group needs of a sandbox: "private-directory", if two that share one would write the same file."""
        return []

    def discover(self, context: Context, paths: list[str], previous: list[FinishedRun]) -> Discovery:
        """Called with nothing first, and then with what became of the command that it asked for. That runs on this machine."""
        if not previous:
            return Discovery_Run(RunPlan(command("list"), b"", []))
        output = previous[-1].output
        # A list that is not whole is no list: a test that nobody knows of is a test that nobody runs.
        if output.exit != Exit_Code(0):
            message = f"@NAME@ could not list its tests: {printed.complaint(output)}"
            raise Err(Failure("discovery-failed", message, f"run `{program()} list` by hand", False))
        try:
            ids = printed.listed(output.stdout)
        except ValueError as error:
            raise Err(Failure("discovery-failed", f"@NAME@ printed {error}", None, False)) from error
        # `paths`, if there are any, are all that the person wants to know of.
        tests = [test(id) for id in ids if not paths or id in paths]
        return Discovery_Found(Found(tests, problems=[], max_failures=None, deselected=[], memo=None))

    def run_command(self, context: Context, tests: list[Test]) -> RunPlan:
        """One command that runs exactly these tests, wherever the sandbox is. Ids may be of any characters and there may be
        many, so they go to its standard input rather than among its arguments."""
        stdin = "".join(f"{test.id}\n" for test in tests).encode()
        return RunPlan(command("run"), stdin, [])

    def parse_results(self, context: Context, tests: list[Test], run: FinishedRun) -> list[Outcome]:
        """What the command told of the tests, also if it was ended early. A test of which nothing is known gets no outcome:
        offload hands it out again rather than take it for green."""
        told = printed.outcomes(run.output.stdout)
        # By these a shell says that it could not start the program: no batch of tests would fare better.
        if not told and run.output.exit in (Exit_Code(126), Exit_Code(127)):
            message = f"@NAME@ did not start in the sandbox: {printed.complaint(run.output)}"
            raise Err(Failure("not-started", message, "install it where the tests run", False))
        # Only of those that were asked for: an id is the runner's own, and comes back as it was given.
        return [told[test.id] for test in tests if test.id in told]


def program() -> str:
    """What the group's table says, which has the shape that the schema describes."""
    return json.loads(host.settings()).get("program", "@NAME@")


def command(verb: str) -> Command:
    """The program, in the directory and with the variables that the place has where it will run."""
    return Command(argv=[program(), verb], env=[], cwd=None)


def test(id: str) -> Test:
    """A test of which only the id is known."""
    return Test(id, unit=None, file=None, line=None, name=None, classname=None, tags=[], skipped=False, stage=0)
