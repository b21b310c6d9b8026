"""Prices from a service whose first answer takes too long, as the answers of real services sometimes do."""

import getpass
import hashlib
import tempfile
from pathlib import Path

PRICES = {"apple": 60, "bread": 3_20, "coffee": 8_90}


def marker():
    """A file that says that the service is warm. Its place depends on user and directory: two shops don't meet."""
    owner = hashlib.sha256(f"{getpass.getuser()}:{__file__}".encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"quickstart-catalogue-{owner}"


def price(article):
    """The first look-up wakes the service up and times out; the second one is answered and lets it sleep again.

    So the test that asks once per attempt fails and then passes, in every run anew.
    """
    try:
        marker().unlink()
    except FileNotFoundError:
        marker().touch()
        raise TimeoutError("the catalogue did not answer in time") from None
    return PRICES[article]
