import sys
import unittest


class Outcomes(unittest.TestCase):
    def test_passed(self):
        print("something")

    def test_failed(self):
        self.assertEqual(1, 2)

    def test_error(self):
        raise ValueError("one line\nand another")

    def test_exit(self):
        sys.exit(0)

    @unittest.skip("why not")
    def test_skipped(self):
        pass

    @unittest.expectedFailure
    def test_expected_failure(self):
        self.fail("as expected")

    @unittest.expectedFailure
    def test_unexpected_success(self):
        pass

    def test_cleanup(self):
        self.addCleanup(lambda: 1 / 0)


class SubTests(unittest.TestCase):
    def test_passed(self):
        for number in range(3):
            with self.subTest(number=number):
                pass

    def test_failed(self):
        for number in range(3):
            with self.subTest("odd", number=number):
                self.assertEqual(number % 2, 0)

    def test_failed_and_then_an_error(self):
        with self.subTest(first=True):
            self.fail()
        raise ValueError

    def test_skipped(self):
        with self.subTest(number=1):
            self.skipTest("not this")


class Asynchronous(unittest.IsolatedAsyncioTestCase):
    async def test_passed(self):
        pass

    async def test_failed(self):
        self.fail()


class Made(unittest.TestCase):
    """Tests of any names."""


for name in ["test_two words", "test_it's $HOME", "test_[a]{b}", "test_é", 'test_"', "test_a.b::c", "test_x\\"]:
    setattr(Made, name, lambda self: None)
