import os
import time
import unittest


class InTest(unittest.TestCase):
    def test_1_passed(self):
        pass

    def test_2_crashed(self):
        os._exit(0)

    def test_3_passed(self):
        pass


class InSetUp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.abort()

    def test_1_crashed(self):
        pass

    def test_2_crashed(self):
        pass


class InTearDown(unittest.TestCase):
    @classmethod
    def tearDownClass(cls):
        os._exit(0)

    def test_crashed(self):
        pass


class TooSlow(unittest.TestCase):
    def test_timed_out(self):
        time.sleep(600)
