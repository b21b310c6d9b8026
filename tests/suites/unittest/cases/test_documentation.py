"""Tests that are made while they are loaded.

>>> 1 + 1
2
"""

import doctest
import unittest


def wrong():
    """
    >>> 1 + 1
    3
    """


def load_tests(loader, tests, pattern):
    tests.addTests(doctest.DocTestSuite())
    return tests


class Beside(unittest.TestCase):
    def test_passed(self):
        pass
