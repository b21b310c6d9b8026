import unittest

from cases.test_outcomes import SubTests  # unittest runs it here as well


class Ready(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ready = True

    def test_passed(self):
        self.assertTrue(self.ready)


class ErrorInSetUp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise OSError("no room")

    def test_one(self):
        pass

    def test_two(self):
        pass


class ErrorInTearDown(unittest.TestCase):
    @classmethod
    def tearDownClass(cls):
        raise OSError("still in use")

    def test_only(self):
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
