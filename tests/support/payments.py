"""Payments as use cases hand them on, for tests of what is made of them."""

from dataclasses import fields
from typing import Any

from payments.model.ids import Account, Mode
from payments.model.lifecycle import Status
from payments.model.payment import Payment, StatusChange

CREATED_AT_US = 1_767_366_299_123_456  # 2026-01-02 15:04:59.123456 UTC
# Made in the same millisecond, for the id is what a payment's age is read from.
PAYMENT_ID = "pay_01KDZKV3FK7CGT5SMZXM5Y9VDV"


def a_payment(**changes: Any) -> Payment:
    """The payment of the documentation's create example, with changes."""
    unknown = changes.keys() - {field.name for field in fields(Payment)}
    assert not unknown, f"a payment has no such field: {unknown}"
    facts: dict[str, Any] = {
        "account": Account("corner-shop", Mode.TEST),
        "id": PAYMENT_ID,
        "client_secret": f"cs_test_corner-shop_{'0123456789abcdef' * 2}",
        "status": Status.REQUIRES_ACTION,
        "amount_minor": 50_000,
        "currency": "USD",
        "description": "Premium subscription payment",
        "items": ("Premium Plan - Monthly",),
        "return_url": "https://example.com/payment-result",
        "company_name": "Corner Shop",
        "company_email": "shop@example.com",
        "statement_descriptor": "CORNER",
        "local_currency": "CRC",
        "fee_minor": 2_550,
        "net_minor": 47_450,
        "net_currency": "USD",
        "created_at_us": CREATED_AT_US,
        "updated_at_us": CREATED_AT_US,
        "history": (StatusChange(Status.REQUIRES_ACTION, CREATED_AT_US),),
    }
    return Payment(**(facts | changes))
