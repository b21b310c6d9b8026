"""Which tests there are, and what they are called."""

from componentize_py_types import Err
from tests.suite import Suite

TESTS = """
import unittest

class Numbers(unittest.TestCase):
    def test_one(self):
        pass

    def test_two(self):
        pass
"""


class Discovery(Suite):
    def ids(self, *paths: str) -> list[str]:
        return [test.id for test in self.discover(*paths).tests]

    def test_tests_are_called_as_unittest_calls_them(self) -> None:
        self.write("package/__init__.py", "")
        self.write("package/test_it.py", TESTS)
        [one, two] = self.discover().tests
        self.assertEqual((one.id, two.id), ("package.test_it.Numbers.test_one", "package.test_it.Numbers.test_two"))
        self.assertEqual((one.classname, one.name), ("package.test_it.Numbers", "test_one"))
        self.assertEqual((one.unit, one.file, one.line), ("package/test_it.py", "package/test_it.py", 5))

    def test_an_imported_class_is_run_in_both_files(self) -> None:
        self.write("test_a.py", TESTS)
        self.write("test_b.py", "from test_a import Numbers\n")
        elsewhere = [f"test_a.Numbers.test_{number} [test_b.py]" for number in ["one", "two"]]
        self.assertEqual(self.ids(), ["test_a.Numbers.test_one", "test_a.Numbers.test_two", *elsewhere])

    def test_what_load_tests_makes_is_found(self) -> None:
        self.write("it.py", '"""\n>>> 1 + 1\n2\n"""\n')
        self.write(
            "test_it.py",
            TESTS
            + "\nimport doctest, it\ndef load_tests(loader, tests, pattern):\n"
            + "    return unittest.TestSuite([tests, Numbers('test_one'), doctest.DocTestSuite(it)])\n",
        )
        numbers = ["test_it.Numbers.test_one", "test_it.Numbers.test_two", "test_it.Numbers.test_one #2"]
        self.assertEqual(self.ids(), [*numbers, "it [test_it.py]"])
        self.assertEqual(self.statuses(), dict.fromkeys(self.ids(), "passed"))

    def test_what_cannot_be_loaded_is_a_problem(self) -> None:
        self.write("test_it.py", TESTS)
        self.write("test_bad.py", "import nonexistent\n")
        self.write("test_skip.py", "import unittest\nraise unittest.SkipTest('not here')\n")
        self.write("test_load.py", "def load_tests(loader, tests, pattern):\n    return 1 / 0\n")
        found = self.discover()
        self.assertEqual(len(found.tests), 2)
        problems = [(problem.id, problem.status, problem.message) for problem in found.problems]
        self.assertEqual(
            problems,
            [
                ("test_bad", "error", "ModuleNotFoundError: No module named 'nonexistent'"),
                ("test_load", "error", "ZeroDivisionError: division by zero"),
                ("test_skip", "skipped", "not here"),
            ],
        )
        self.assertIn("Traceback", found.problems[0].details or "")

    def test_a_list_that_is_not_whole_is_a_failure(self) -> None:
        self.write("test_it.py", "import os\nos._exit(0)\n")
        with self.assertRaises(Err) as raised:
            self.discover()
        self.assertEqual(raised.exception.value.code, "discovery-failed")
        self.settings.start_dir = "nowhere"
        with self.assertRaises(Err) as raised:
            self.discover()
        self.assertIn("Start directory is not importable", raised.exception.value.message)

    def test_paths_narrow_it(self) -> None:
        self.write("package/__init__.py", "")
        self.write("package/test_a.py", TESTS)
        self.write("package/test_ab.py", TESTS)
        a = ["package.test_a.Numbers.test_one", "package.test_a.Numbers.test_two"]
        for path in ["package/test_a.py", "./package/test_a.py", "package.test_a", "package.test_a.Numbers"]:
            self.assertEqual(self.ids(path), a, path)
        self.assertEqual(self.ids(a[1]), [a[1]])
        self.assertEqual(len(self.ids("package/")), 4)

    def test_the_settings_are_those_of_unittest(self) -> None:
        self.write("src/check_it.py", TESTS)
        self.settings.start_dir, self.settings.pattern, self.settings.failfast = "src", "check*.py", True
        self.assertEqual(self.ids()[0], "check_it.Numbers.test_one")
        self.assertEqual(self.discover().max_failures, 1)
        self.assertEqual(self.discover().tests[0].unit, "src/check_it.py")
        self.settings.top_level_dir = "."
        self.write("src/__init__.py", "")
        self.assertEqual(self.ids()[0], "src.check_it.Numbers.test_one")
