import os

import pytest

from shop.catalogue import PRICES, price


# Flaky: the first attempt fails with a TimeoutError, the second passes. Offload runs it again, counts it as passed,
# says that it is flaky, and keeps the failed attempt's text in the reports.
@pytest.mark.catalogue
def test_price_of_coffee():
    assert price("coffee") == 8_90


@pytest.mark.parametrize("article", sorted(PRICES))
def test_every_price_is_positive(article):
    assert PRICES[article] > 0


# The variable comes from [provider.env] in offload.toml.
def test_currency_is_configured():
    assert os.environ.get("SHOP_CURRENCY", "EUR") == "EUR"
