"""Money after the payment: what a merchant asks for, and what happens outside meanwhile.

Nobody waits for real minutes: the records of the payment and of the acquirer are made older, and
the reconciler runs, as it does every minute.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from payments.adapters.store.items import from_item, to_item
from tests.support.actors import PAID_CARD, Checkout, Shop, Shopper
from tests.support.records import open_attempts, payment_key
from tests.support.stack import Stack, rows_where

FAILS_LATER_CARD = "4000000000005126"
STAYS_PENDING_CARD = "4000000000007726"
A_FEW_MINUTES = 300
DAY_SECONDS = 24 * 60 * 60


def paid(shop: Shop, shopper: Shopper, number: str = PAID_CARD, **changes: Any) -> Checkout:
    """A payment whose shopper is through: paid, or held if it was created so."""
    checkout = shop.checkout(**changes)
    answer = shopper.pay(checkout, number)
    assert answer.status_code == 200, answer.text
    return checkout


def held(shop: Shop, shopper: Shopper, **changes: Any) -> Checkout:
    return paid(shop, shopper, capture=False, **changes)


def capture(
    shop: Shop, payment_id: str, headers: dict[str, str] | None = None, **body: Any
) -> requests.Response:
    return shop.request("POST", f"/v1/payments/{payment_id}/capture", json=body, headers=headers)


def cancel(shop: Shop, payment_id: str, **body: Any) -> requests.Response:
    return shop.request("POST", f"/v1/payments/{payment_id}/cancel", json=body)


def refund(
    shop: Shop, payment_id: str, headers: dict[str, str] | None = None, **body: Any
) -> requests.Response:
    return shop.request("POST", f"/v1/payments/{payment_id}/refunds", json=body, headers=headers)


def refunds_of(shop: Shop, payment_id: str, **query: str) -> requests.Response:
    return shop.request("GET", f"/v1/payments/{payment_id}/refunds", params=query)


def amounts(shop: Shop, payment_id: str) -> dict[str, str]:
    """What the one-view says of the money: authorized, captured, refunded, refundable."""
    view = shop.payment(payment_id)
    names = ("authorized", "captured", "refunded", "refundable")
    return {name: view[f"{name}_amount"] for name in names}


# ------------------------------------------------------------------------------ time


def run_reconciler(stack: Stack) -> None:
    function = stack.resources["ReconcileAttemptsFunction"]
    assert "FunctionError" not in stack.aws("lambda").invoke(FunctionName=function)


def let_minutes_pass(stack: Stack, checkout: Checkout) -> None:
    """What was begun for this payment was begun a few minutes ago; then the reconciler runs."""
    for row in open_attempts(stack, checkout):
        earlier = int(row["created_at_us"]) - A_FEW_MINUTES * 1_000_000
        _set(stack, "AttemptsTable", {"id": row["id"]}, "created_at_us", earlier)
    for entry in rows_where(stack, "SimulatorTable", "reference", checkout.id):
        for name, noted in entry.items():
            if isinstance(noted, dict) and "at_us" in noted:
                earlier = int(noted["at_us"]) - A_FEW_MINUTES * 1_000_000
                key = {"reference": entry["reference"]}
                _set(stack, "SimulatorTable", key, name, {**noted, "at_us": earlier})
    run_reconciler(stack)


def make_older(stack: Stack, checkout: Checkout, seconds: int) -> None:
    """The payment was created that long ago."""
    key = from_item(payment_key(checkout))
    row = stack.dynamodb.get_item(TableName=stack.resources["PaymentsTable"], Key=to_item(key))
    earlier = int(from_item(row["Item"])["created_at_us"]) - seconds * 1_000_000
    _set(stack, "PaymentsTable", key, "created_at_us", earlier)


def let_hold_end(stack: Stack, checkout: Checkout) -> None:
    """The acquirer holds the money no longer; the reconciler has not yet noticed."""
    key = from_item(payment_key(checkout))
    _set(stack, "PaymentsTable", key, "capture_before_us", 1_000_000)


def let_hold_fall_due(stack: Stack, checkout: Checkout, minute: int) -> None:
    """The acquirer let go of the money in this minute, and the reconciler comes to it."""
    let_hold_end(stack, checkout)
    key = from_item(payment_key(checkout))
    table = stack.resources["PaymentsTable"]
    due = {"pk": f"due#{minute}", "id": checkout.id, "account": key["pk"]}
    next_minute = {"pk": "due", "id": "next", "minute": minute}
    for row in (due, next_minute):
        stack.dynamodb.put_item(TableName=table, Item=to_item(row))
    run_reconciler(stack)


# ------------------------------------------------------------------------------ the acquirer


def refund_elsewhere(stack: Stack, checkout: Checkout) -> None:
    """Somebody gave the money back at the acquirer's own desk: there is nothing left to refund."""
    _set_in_charge(stack, checkout, "refundable_minor", 0)


def release_elsewhere(stack: Stack, checkout: Checkout) -> None:
    """Somebody let go of the held money at the acquirer's own desk."""
    _set_in_charge(stack, checkout, "voided", value=True)


def capture_elsewhere(stack: Stack, checkout: Checkout) -> None:
    """Somebody captured the held money at the acquirer's own desk."""
    _set_in_charge(stack, checkout, "captured_minor", 1)


@contextmanager
def silent_acquirer(stack: Stack) -> Iterator[None]:
    """The acquirer does not respond meanwhile. It forgets nothing."""
    name = stack.resources["SimulatorTable"]
    rows = stack.rows("SimulatorTable")
    table = stack.dynamodb.describe_table(TableName=name)["Table"]
    stack.dynamodb.delete_table(TableName=name)
    yield
    stack.dynamodb.create_table(
        TableName=name,
        KeySchema=table["KeySchema"],
        AttributeDefinitions=table["AttributeDefinitions"],
        BillingMode="PAY_PER_REQUEST",
    )
    for row in rows:
        stack.dynamodb.put_item(TableName=name, Item=row)


def _set_in_charge(stack: Stack, checkout: Checkout, name: str, value: object) -> None:
    (entry,) = rows_where(stack, "SimulatorTable", "reference", checkout.id)
    charge = {**entry["charge"], name: value}
    _set(stack, "SimulatorTable", {"reference": entry["reference"]}, "charge", charge)


def _set(stack: Stack, table: str, key: dict[str, Any], name: str, value: object) -> None:
    stack.dynamodb.update_item(
        TableName=stack.resources[table],
        Key=to_item(key),
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues=to_item({":value": value}),
    )
