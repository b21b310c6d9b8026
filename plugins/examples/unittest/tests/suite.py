"""A suite in a temporary directory, found and run with the commands that the plugin names."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import commands
import findings
from settings import Settings
from wit_world.exports.framework import FinishedRun, ResultFile, RunPlan
from wit_world.imports.types import Captured, Context, Exit_Code, Exit_Signal, Found, Outcome, Test


class Suite(unittest.TestCase):
    """A test of what becomes of some files."""

    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.directory = Path(place.name, "suite")
        self.directory.mkdir()
        self.settings = Settings(python=sys.executable)
        self.attempts = 0

    def write(self, path: str, text: str) -> None:
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def discover(self, *paths: str) -> Found:
        context = self.attempt()
        return findings.found(self.settings, list(paths), self.finish(commands.discovery(self.settings, context)))

    def run_tests(self, tests: list[Test]) -> dict[str, Outcome]:
        """What became of these tests, by their ids."""
        run = self.finish(commands.run(self.settings, self.attempt(), tests))
        told = findings.outcomes(self.settings, tests, run)
        outcomes = {outcome.id: outcome for outcome in told}
        self.assertEqual(len(outcomes), len(told), "each test has one outcome")
        return outcomes

    def statuses(self) -> dict[str, str]:
        """What became of all tests."""
        return {id: outcome.status for id, outcome in self.run_tests(self.discover().tests).items()}

    def attempt(self) -> Context:
        self.attempts += 1
        return Context(f"{self.directory.parent}/{self.attempts}-", "nonce", self.attempts, None)

    def finish(self, plan: RunPlan) -> FinishedRun:
        """What offload does with a plan."""
        ended = subprocess.run(plan.command.argv, input=plan.stdin, capture_output=True, cwd=self.directory)
        exit = Exit_Code(ended.returncode) if ended.returncode >= 0 else Exit_Signal(-ended.returncode)
        files = [ResultFile(path, Path(path).read_bytes() if Path(path).exists() else None) for path in plan.result_files]
        return FinishedRun(Captured(exit, ended.stdout, ended.stderr), files)
