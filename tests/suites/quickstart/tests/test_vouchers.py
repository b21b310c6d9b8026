import time

import pytest

from shop.cart import voucher_discount


@pytest.mark.parametrize(
    "voucher, subtotal, discount",
    [("TEN", 50_00, 5_00), ("FIVER", 50_00, 5_00), ("FIVER", 3_00, 3_00), ("UNKNOWN", 50_00, 0), (None, 50_00, 0)],
)
def test_voucher_is_worth(voucher, subtotal, discount):
    assert voucher_discount(voucher, subtotal) == discount


# Slow on purpose, so that there is something to do in parallel.
def test_a_slow_audit_of_all_vouchers():
    time.sleep(0.5)
    assert all(voucher_discount("TEN", cents) <= cents for cents in range(1_000))
