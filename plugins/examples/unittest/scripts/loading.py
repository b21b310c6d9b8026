"""What discovery and runs have in common: unittest's own loader, and what the tests that it finds are called.

This is no module: it stands in front of discover.py and of run.py, in a program that is passed to `python3 -c` with two
arguments: the settings as JSON, and the file to write.
"""

import json
import os
import sys
import unittest


class Loader(unittest.TestLoader):
    """unittest's loader. It remembers the module that each test came from, and looks into the given files only."""

    def __init__(self, files=None):
        super().__init__()
        self.files = files
        self.origins = {}

    def loadTestsFromModule(self, module, *args, **kwargs):
        suite = super().loadTestsFromModule(module, *args, **kwargs)
        for test in flat(suite):
            # The innermost module counts, where the load_tests of a package loads others. The test is kept, too: a number
            # that id() gives is given again once its object is gone.
            self.origins.setdefault(id(test), (test, module))
        return suite

    def _match_path(self, path, full_path, pattern):
        # unittest has this for those that want to match otherwise.
        wanted = self.files is None or from_here(full_path) in self.files
        return wanted and super()._match_path(path, full_path, pattern)


def load(settings, files=None):
    """What unittest finds: the tests by their names, each with its file, and stand-ins for what could not be loaded."""
    loader = Loader(files)
    suite = loader.discover(settings["start_dir"], settings["pattern"], settings["top_level_dir"])
    tests, stand_ins = {}, []
    for test in flat(suite):
        if type(test).__module__ == "unittest.loader":
            stand_ins.append(test)
            continue
        _, module = loader.origins.get(id(test), (test, None))
        file = from_here(module.__file__) if getattr(module, "__file__", None) else None
        name = text(test.id())
        # A class that another file imports is run there as well, and what load_tests makes may be called anything.
        if module is None or type(test).__module__ != module.__name__:
            name = "{} [{}]".format(name, file)
        tests[unlike(name, tests)] = (test, file)
    return tests, stand_ins


def unlike(name, names):
    """The name, or if it is taken the name with a number."""
    number = 2
    candidate = name
    while candidate in names:
        candidate = "{} #{}".format(name, number)
        number += 1
    return candidate


def outcome_of(stand_in):
    """What became of something that could not be loaded: unittest has it as a test that says so. (status, message, details)"""
    result = unittest.TestResult()
    stand_in.run(result)
    for _, reason in result.skipped:
        return "skipped", text(reason), None
    for _, details in result.errors + result.failures:
        return "error", last_line(details), text(details)
    return "error", "it could not be loaded", None


def flat(suite):
    """The tests of a suite and of those in it, in their order."""
    for test in suite:
        try:
            inner = iter(test)
        except TypeError:
            yield test
        else:
            yield from flat(inner)


def from_here(path):
    return text(os.path.relpath(path))


def last_line(details):
    lines = details.strip().splitlines()
    return text(lines[-1]) if lines else ""


def text(value):
    """Text that is UTF-8 whatever it was."""
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")


ARGUMENTS = json.loads(sys.argv[1]), sys.argv[2]

# From here on, what tests can see is as with `python -m unittest`.
sys.argv = ["python -m unittest"]
if sys.path[0] == "":
    sys.path[0] = os.getcwd()
