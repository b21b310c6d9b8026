"""Files that nobody planned for."""

import unittest

import findings
from componentize_py_types import Err
from settings import Settings
from wit_world.exports.framework import FinishedRun, ResultFile
from wit_world.imports.types import Captured, Exit_Code, Test


class Findings(unittest.TestCase):
    def outcomes(self, journal: bytes) -> list[tuple[str, str, float]]:
        tests = [Test(id, None, None, None, None, None, [], False, 0) for id in ["a", "b", "c"]]
        told = findings.outcomes(Settings(), tests, self.run_with(journal))
        return [(outcome.id, outcome.status, outcome.duration) for outcome in told]

    def run_with(self, contents: bytes) -> FinishedRun:
        return FinishedRun(Captured(Exit_Code(0), b"", b""), [ResultFile("journal", contents)])

    def test_a_test_that_began_is_running_for_as_long_as_is_known(self) -> None:
        journal = b'{"begin": "a", "at": 1}\n{"end": "a", "status": "passed", "duration": 2, "at": 3}\n{"begin": "b", "at": 3.5}\n'
        self.assertEqual(self.outcomes(journal), [("a", "passed", 2.0), ("b", "running", 0.0)])
        journal += b'{"end": "other", "status": "passed", "at": 5}\n{"end": "b", "sta'
        self.assertEqual(self.outcomes(journal), [("a", "passed", 2.0), ("b", "running", 1.5)])

    def test_what_makes_no_sense_is_no_outcome(self) -> None:
        for journal in [b"", b"\xff", b"[]", b"{", b'{"begin": ["a"]}', b'{"end": {"a": 1}}', b"1e999", b'"\\ud800"']:
            self.assertEqual(self.outcomes(journal), [], journal)
        for status in [b'"fine"', b"[]", b"null"]:
            self.assertEqual(self.outcomes(b'{"end": "a", "status": %s, "duration": -1}' % status), [("a", "error", 0.0)])

    def test_what_is_nested_too_deep_is_not_read(self) -> None:
        for opening, closing in [(b"[", b"]"), (b'{"a":', b"}")]:
            self.assertEqual(self.outcomes(opening * 100_000), [])
            line = b'{"end": "a", "status": "passed", "more": %s1%s}'
            self.assertEqual(self.outcomes(line % (opening * 30, closing * 30)), [])
            self.assertEqual(self.outcomes(line % (opening * 10, closing * 10)), [("a", "passed", 0.0)])
        # What a test compares may have many brackets.
        told = rb'{"end": "a", "status": "failed", "details": "%s \" \\"}' % (b"[{" * 1000)
        self.assertEqual(self.outcomes(told), [("a", "failed", 0.0)])

    def test_halves_of_characters_do_not_leave_the_component(self) -> None:
        told = b'{"problem": {"id": "a\\udc80", "status": "error", "message": "\\ud800"}}\n{"whole": true}'
        [problem] = findings.found(Settings(), [], self.run_with(told)).problems
        self.assertEqual((problem.id, problem.message), ("a?", "?"))

    def test_a_list_without_its_end_is_no_list(self) -> None:
        with self.assertRaises(Err) as raised:
            findings.found(Settings(), [], self.run_with(b'{"test": {"id": "a"}}\n'))
        self.assertEqual(raised.exception.value.code, "discovery-failed")
