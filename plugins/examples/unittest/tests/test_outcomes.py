"""What becomes of tests, held against what unittest says of them."""

import commands
from componentize_py_types import Err
from tests.suite import Suite
from wit_world.imports.types import Exit_Code

# Each test's name says what has to become of it.
EVERYTHING = """
import sys
import unittest

class Outcomes(unittest.TestCase):
    def test_passed(self):
        print("something")

    def test_failed(self):
        self.assertEqual(1, 2)

    def test_error(self):
        raise ValueError("one line\\nand another")

    def test_error_by_exit(self):
        sys.exit(0)

    @unittest.skip("why not")
    def test_skipped(self):
        pass

    @unittest.expectedFailure
    def test_xfailed(self):
        self.fail("as expected")

    @unittest.expectedFailure
    def test_failed_to_fail(self):
        pass

    def test_passed_subtests(self):
        for number in range(3):
            with self.subTest(number=number):
                pass

    def test_failed_subtest(self):
        for number in range(3):
            with self.subTest("odd", number=number):
                self.assertEqual(number % 2, 0)

    def test_error_after_failed_subtest(self):
        with self.subTest(first=True):
            self.fail()
        raise ValueError

    def test_skipped_subtest(self):
        with self.subTest(number=1):
            self.skipTest("not this")

    def test_error_in_cleanup(self):
        self.addCleanup(lambda: 1 / 0)

class Passed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ready = True

    def test_passed(self):
        self.assertTrue(self.ready)

class ErrorInSetUp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise OSError("no room")

    def test_error_one(self):
        pass

    def test_error_two(self):
        pass

class ErrorInTearDown(unittest.TestCase):
    @classmethod
    def tearDownClass(cls):
        raise OSError("still in use")

    def test_1_passed(self):
        pass

    def test_2_error(self):
        pass

class SkippedInSetUp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise unittest.SkipTest("not here")

    def test_skipped(self):
        pass

@unittest.skip("none of them")
class Skipped(unittest.TestCase):
    def test_skipped(self):
        pass
"""

STATUSES = ["passed", "failed", "error", "skipped", "xfailed"]


class Outcomes(Suite):
    def test_every_outcome_is_told(self) -> None:
        self.write("test_it.py", EVERYTHING)
        statuses = self.statuses()
        self.assertEqual(len(statuses), 19)
        for id, status in statuses.items():
            expected = [word for word in id.rsplit(".")[-1].split("_") if word in STATUSES]
            self.assertEqual(status, expected[0], id)

    def test_each_says_why(self) -> None:
        self.write("test_it.py", EVERYTHING)
        outcomes = self.run_tests(self.discover().tests)
        messages = {id.removeprefix("test_it."): outcome.message for id, outcome in outcomes.items()}
        for id, message in [
            ("Outcomes.test_passed", None),
            ("Outcomes.test_failed", "AssertionError: 1 != 2"),
            ("Outcomes.test_error", "ValueError: one line"),
            ("Outcomes.test_skipped", "why not"),
            ("Outcomes.test_failed_to_fail", "it was expected to fail, and passed"),
            ("Outcomes.test_failed_subtest", "[odd] (number=1): AssertionError: 1 != 0"),
            ("ErrorInSetUp.test_error_two", "setUpClass (test_it.ErrorInSetUp): OSError: no room"),
            ("ErrorInTearDown.test_2_error", "tearDownClass (test_it.ErrorInTearDown): OSError: still in use"),
            ("SkippedInSetUp.test_skipped", "setUpClass (test_it.SkippedInSetUp): not here"),
        ]:
            self.assertEqual(messages[id], message)
        self.assertIn("and another", outcomes["test_it.Outcomes.test_error"].details or "")

    def test_exactly_these_are_run_and_other_files_are_left_alone(self) -> None:
        self.write("test_it.py", EVERYTHING)
        self.write("test_other.py", "import pathlib\npathlib.Path('loaded').touch()\n")
        found = self.discover().tests
        (self.directory / "loaded").unlink()
        chosen = [test for test in found if test.id.endswith("test_2_error") or test.id.endswith("Passed.test_passed")]
        outcomes = self.run_tests(chosen)
        self.assertEqual(set(outcomes), {test.id for test in chosen})
        self.assertFalse((self.directory / "loaded").exists())

    def test_modules_are_set_up_and_torn_down(self) -> None:
        for module, fixture in [("up", "def setUpModule(): 1 / 0\n"), ("down", "def tearDownModule(): 1 / 0\n")]:
            tests = "import unittest\nclass A(unittest.TestCase):\n    def test_1(self): pass\n    def test_2(self): pass\n"
            self.write(f"test_{module}.py", tests + fixture)
        self.write("test_last.py", tests)
        self.assertEqual(
            self.statuses(),
            {
                "test_down.A.test_1": "passed",
                "test_down.A.test_2": "error",
                "test_last.A.test_1": "passed",
                "test_last.A.test_2": "passed",
                "test_up.A.test_1": "error",
                "test_up.A.test_2": "error",
            },
        )

    def test_a_crash_costs_the_test_that_ran(self) -> None:
        crash = "import os, unittest\nclass A(unittest.TestCase):\n"
        for name in ["1_passed", "2_crashed", "3_passed"]:
            crash += f"    def test_{name}(self): {'os._exit(0)' if 'crashed' in name else 'pass'}\n"
        self.write("test_it.py", crash)
        outcomes = {id[-8:]: outcome.status for id, outcome in self.run_tests(self.discover().tests).items()}
        self.assertEqual(outcomes, {"1_passed": "passed", "_crashed": "running"})

    def test_a_crash_around_a_class_is_that_of_the_test_it_was_for(self) -> None:
        def tests(name: str, fixture: str) -> str:
            body = f"    @classmethod\n    def {fixture}(cls): os._exit(0)\n" if fixture else ""
            return f"class {name}(unittest.TestCase):\n{body}    def test_1(self): pass\n    def test_2(self): pass\n"

        self.write("test_it.py", "import os, unittest\n" + tests("A", "") + tests("B", "tearDownClass"))
        expected = {"test_it.A.test_1": "passed", "test_it.A.test_2": "passed", "test_it.B.test_1": "passed"}
        self.assertEqual(self.statuses(), expected | {"test_it.B.test_2": "running"})
        self.write("test_it.py", "import os, unittest\n" + tests("A", "") + tests("B", "setUpClass"))
        self.assertEqual(self.statuses(), expected | {"test_it.B.test_1": "running"})

    def test_a_child_that_comes_back_tells_nothing(self) -> None:
        self.write(
            "test_it.py",
            "import os, unittest\nclass A(unittest.TestCase):\n"
            "    def test_1(self):\n        if os.fork() == 0: self.fail('in the child')\n        os.wait()\n"
            "    def test_2(self): pass\n",
        )
        self.assertEqual(self.statuses(), {"test_it.A.test_1": "passed", "test_it.A.test_2": "passed"})

    def test_what_is_not_there_any_more_is_an_error(self) -> None:
        self.write("test_it.py", EVERYTHING)
        found = self.discover().tests
        self.write("test_it.py", "raise ImportError('changed')\n")
        run = self.finish(commands.run(self.settings, self.attempt(), found[:2]))
        self.assertEqual(run.output.exit, Exit_Code(0), run.output.stderr)
        outcomes = self.run_tests(found[:2])
        self.assertEqual([outcome.status for outcome in outcomes.values()], ["error", "error"])
        for outcome in outcomes.values():
            self.assertEqual(outcome.message, "it is not among the tests that unittest finds where it was to run")
            self.assertIn("ImportError: changed", outcome.details or "")

    def test_what_tests_print_can_be_held_back(self) -> None:
        self.write("test_it.py", "import unittest\nclass A(unittest.TestCase):\n    def test_it(self): print('hi'); self.fail()\n")
        found = self.discover().tests
        self.settings.buffer = True
        self.assertIn("Stdout:\nhi", self.run_tests(found)["test_it.A.test_it"].details or "")

    def test_nothing_is_wrong_with_odd_text(self) -> None:
        self.write("test_it.py", "import unittest\nclass A(unittest.TestCase):\n    def test_é日(self): self.fail('\\udc80 \\0 é')\n")
        [(id, outcome)] = self.run_tests(self.discover().tests).items()
        self.assertEqual((id, outcome.message), ("test_it.A.test_é日", "AssertionError: \\udc80 \0 é"))

    def test_a_python_that_is_not_there_is_a_failure(self) -> None:
        self.write("test_it.py", EVERYTHING)
        found = self.discover().tests
        for python, why in [("sh -c 'exit 127'", "exit code 127"), ("sh -c 'echo why >&2; exit 1'", "why")]:
            self.settings.python = python
            with self.assertRaises(Err) as raised:
                self.run_tests(found)
            self.assertEqual(raised.exception.value.code, "unittest-failed")
            self.assertIn(why, raised.exception.value.message)
        # One that was killed had no time to say anything.
        self.settings.python = "sh -c 'kill -9 $$'"
        self.assertEqual(self.run_tests(found), {})
