import sys

import pytest

from shop.cart import Cart


@pytest.fixture
def cart():
    cart = Cart()
    cart.add("bread", 3_20)
    cart.add("apple", 60, count=5)
    return cart


def test_empty_cart_costs_nothing():
    assert Cart().receipt()["total"] == 0


def test_subtotal(cart):
    assert cart.subtotal == 6_20


@pytest.mark.parametrize(
    "cents, shipping",
    [(49_99, 4_90), (50_00, 0), (120_00, 0)],
    ids=["just below", "the limit", "far above"],  # spaces in ids are nothing special
)
def test_shipping_is_free_from_fifty_up(cents, shipping):
    cart = Cart()
    cart.add("espresso machine", cents)
    assert cart.shipping == shipping


@pytest.mark.parametrize("count", [0, -1])
def test_nonsense_is_refused(cart, count):
    with pytest.raises(ValueError, match="cannot add"):
        cart.add("apple", 60, count=count)


# This one fails, and should: somebody forgot that a voucher comes off before shipping is decided. All its attempts fail,
# so it is "failed", and its diff is printed at the end of the run and kept in junit.xml.
def test_receipt_with_voucher():
    cart = Cart()
    cart.add("coffee", 8_90, count=6)
    assert cart.receipt(voucher="TEN") == {
        "articles": {"coffee": 6},
        "subtotal": 53_40,
        "discount": 5_34,
        "shipping": 4_90,
        "total": 52_96,
    }


@pytest.mark.skipif(sys.platform != "win32", reason="the till's printer has a driver for Windows only")
def test_receipt_is_printed(cart):
    assert cart.receipt()


@pytest.mark.xfail(reason="vouchers cannot be combined yet", strict=True)
def test_two_vouchers(cart):
    assert cart.receipt(voucher="TEN+FIVER")["discount"] == 5_62
