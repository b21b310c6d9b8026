"""`python -m unittest` that notes every test's outcome as {test id: status} in the file that PLAIN_OUTCOMES names.

It is deliberately another program than the one that the example plugin uses, so that the two cannot share a mistake: it asks the
result that unittest's own runner made, when all is over.
"""

import json
import os
import unittest


def tests_of(suite):
    if isinstance(suite, unittest.TestSuite):
        return [test for inner in suite for test in tests_of(inner)]
    return [suite]


def name(test):
    # What stands in for a module is called after it.
    return test.id().removeprefix("unittest.loader._FailedTest.").removeprefix("unittest.loader.ModuleSkipped.")


class Result(unittest.TextTestResult):
    def startTest(self, test):
        self.started = [*getattr(self, "started", []), test]
        super().startTest(test)


class Runner(unittest.TextTestRunner):
    resultclass = Result

    def run(self, suite):
        tests = tests_of(suite)
        result = super().run(suite)
        outcomes = {name(test): "passed" for test in tests}
        successes = [(test, None) for test in result.unexpectedSuccesses]
        for status, entries in [
            ("xfailed", result.expectedFailures),
            ("skipped", result.skipped),
            ("failed", successes + result.failures),
            ("error", result.errors),
        ]:
            for test, _ in entries:
                for concerned in self.concerned(getattr(test, "test_case", test), tests, result.started):
                    outcomes[name(concerned)] = status
        with open(os.environ["PLAIN_OUTCOMES"], "w", encoding="utf-8") as file:
            json.dump(outcomes, file)
        return result

    def concerned(self, test, tests, started):
        """The test, or where it is a fixture of a class or module those that could not run, or the one that ran last."""
        if isinstance(test, unittest.TestCase):
            return [test]
        fixture, place = test.id().rstrip(")").split(" (")
        kinds = [(type(test), test) for test in tests]
        own = [test for kind, test in kinds if place in (kind.__module__, f"{kind.__module__}.{kind.__qualname__}")]
        ran = [test for test in own if test in started]
        return ran[-1:] if fixture.startswith("tearDown") else [test for test in own if test not in ran]


unittest.main(module=None, testRunner=Runner)
