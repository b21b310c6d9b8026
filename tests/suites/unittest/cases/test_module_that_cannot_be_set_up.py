import unittest


def setUpModule():
    raise OSError("no room")


class It(unittest.TestCase):
    def test_one(self):
        pass

    def test_two(self):
        pass
