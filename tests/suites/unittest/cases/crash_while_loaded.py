import os
import unittest

# Fine where tests are found, and not where they run.
if "OFFLOAD_SANDBOX_NAME" in os.environ:
    os._exit(3)


class Never(unittest.TestCase):
    def test_error(self):
        pass
