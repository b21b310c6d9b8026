"""The plugin without offload: plain functions over plain data."""

import unittest
from unittest import mock

import app
import printed
from componentize_py_types import Err
from wit_world.exports.framework import Discovery_Found, Discovery_Run, FinishedRun
from wit_world.imports import host
from wit_world.imports.types import Captured, Context, Exit_Code

CONTEXT = Context(scratch="/tmp/attempt-1-", nonce="n", attempt=1, memo=None)


def finished(exit: int, stdout: str) -> FinishedRun:
    """A command that ended."""
    return FinishedRun(Captured(Exit_Code(exit), stdout.encode(), b"why"), [])


class FrameworkTest(unittest.TestCase):
    def setUp(self) -> None:
        self.framework = app.Framework()
        self.settings("{}")

    def settings(self, table: str) -> None:
        """The group's table, as offload gives it."""
        patch = mock.patch.object(host, "settings", return_value=table)
        patch.start()
        self.addCleanup(patch.stop)

    def test_tests_are_those_that_the_program_lists(self) -> None:
        plan = self.framework.discover(CONTEXT, [], [])
        assert isinstance(plan, Discovery_Run)
        self.assertEqual(plan.value.command.argv, ["@NAME@", "list"])
        for paths, ids in [([], ["one", "two words"]), (["one"], ["one"])]:
            found = self.framework.discover(CONTEXT, paths, [finished(0, "one\ntwo words\n")])
            assert isinstance(found, Discovery_Found)
            self.assertEqual([test.id for test in found.value.tests], ids)

    def test_a_list_that_is_not_whole_is_a_failure(self) -> None:
        for run, message in [
            (finished(1, "one\n"), "@NAME@ could not list its tests: why"),
            (finished(0, "\0"), "@NAME@ printed a list of tests that is no text"),
        ]:
            with self.assertRaises(Err) as raised:
                self.framework.discover(CONTEXT, [], [run])
            self.assertEqual(raised.exception.value.message, message)

    def test_the_program_is_told_what_to_run(self) -> None:
        self.settings('{"program": "other"}')
        plan = self.framework.run_command(CONTEXT, [app.test("a"), app.test("é")])
        self.assertEqual((plan.command.argv, plan.stdin), (["other", "run"], "a\né\n".encode()))

    def test_a_program_that_is_not_there_is_named(self) -> None:
        with self.assertRaises(Err) as raised:
            self.framework.parse_results(CONTEXT, [app.test("a")], finished(127, ""))
        self.assertEqual(raised.exception.value.code, "not-started")

    def test_only_what_was_asked_for_is_told(self) -> None:
        outcomes = self.framework.parse_results(CONTEXT, [app.test("a")], finished(1, "ok a\nok b\n"))
        self.assertEqual([outcome.id for outcome in outcomes], ["a"])


class PrintedTest(unittest.TestCase):
    def check(self, output: str, expected: list[tuple[str, str, str | None]]) -> None:
        told = printed.outcomes(output.encode()).values()
        self.assertEqual([(outcome.id, outcome.status, outcome.message) for outcome in told], expected)

    def test_each_test_is_what_was_last_said_of_it(self) -> None:
        self.check(
            "begin a\nok a\nbegin b\nFAILED b: 1 is not 2: no\nbegin c\n",
            [("a", "passed", None), ("b", "failed", "1 is not 2: no"), ("c", "running", None)],
        )

    def test_of_what_is_not_told_nothing_is_said(self) -> None:
        self.check("", [])
        self.check("okay a\nbeginning b\nFAIL", [])
