"""Refunds, captures and cancels that meet on one payment: real threads, real HTTP.

Whoever wins, no money moves twice, and every answer is true.
"""

import random
from collections import Counter
from functools import partial
from typing import Any

import requests

from payments.money.amounts import format_amount, to_minor
from tests.reliability.test_races import at_once, connected
from tests.support.actors import Checkout, Shop, Shopper
from tests.support.records import ledger
from tests.support.report import record
from tests.support.stack import Stack

REFUNDS_AT_ONCE = 200
DUELS = 24


def _post(shop: Shop, path: str, body: dict[str, Any]) -> requests.Response:
    return shop.request("POST", f"/v1/payments/{path}", json=body)


def _entry(stack: Stack, checkout: Checkout) -> dict[str, Any]:
    """What the acquirer has written down of the payment's one charge."""
    (entry,) = ledger(stack, checkout)
    return entry


def test_200_simultaneous_refunds_of_one_payment_give_back_what_was_paid_and_no_more(
    stack: Stack, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    assert shopper.pay(checkout).status_code == 200
    chance = random.Random(0)
    amounts = [chance.randrange(25_00, 90_00) for _ in range(REFUNDS_AT_ONCE)]
    clients = [connected(shop) for _ in amounts]
    answers = at_once(
        [
            partial(_post, client, f"{checkout.id}/refunds", {"amount": format_amount(one, "USD")})
            for client, one in zip(clients, amounts, strict=True)
        ]
    )
    asked = list(zip(amounts, answers, strict=True))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses.keys() <= {201, 202, 409}, statuses
    won = sum(amount for amount, answer in asked if answer.status_code != 409)
    view = shop.payment(checkout.id)
    left = to_minor(view["refundable_amount"], "USD")
    assert won + left == 500_00
    for amount, answer in asked:
        if answer.status_code == 409:
            body = answer.json()
            assert body["reason"] == "exceeds_refundable", body
            assert left <= to_minor(body["refundable_amount"], "USD") < amount
    assert len(view["refunds"]) == statuses[201] + statuses[202]
    listed = shop.request("GET", f"/v1/payments/{checkout.id}/refunds").json()
    assert [refund["id"] for refund in listed] == view["refunds"]
    assert {refund["id"] for refund in shop.request("GET", "/v1/payments/refunds").json()} == set(
        view["refunds"]
    )
    assert won == sum(to_minor(refund["amount"], "USD") for refund in listed)
    charge = _entry(stack, checkout)["charge"]
    assert charge["refundable_minor"] == left
    record("refunds at once", f"{statuses[201] + statuses[202]} of {REFUNDS_AT_ONCE} won")


def test_200_simultaneous_refunds_with_one_key_are_one_refund(
    stack: Stack, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    assert shopper.pay(checkout).status_code == 200

    def refund(client: Shop) -> requests.Response:
        return client.request(
            "POST",
            f"/v1/payments/{checkout.id}/refunds",
            json={"amount": "10.00"},
            headers={"Idempotency-Key": "refund-1"},
        )

    clients = [connected(shop) for _ in range(REFUNDS_AT_ONCE)]
    answers = at_once([partial(refund, client) for client in clients])
    assert {answer.status_code for answer in answers} <= {201, 202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert shop.payment(checkout.id)["refunded_amount"] == "10.00"
    assert _entry(stack, checkout)["charge"]["refundable_minor"] == 490_00


def test_capture_against_cancel_has_one_winner_and_the_loser_is_told_the_truth(
    stack: Stack, shop: Shop, shopper: Shopper
) -> None:
    wins: Counter[str] = Counter()
    rivals = connected(shop), connected(shop)
    for _ in range(DUELS):
        checkout = shop.checkout(capture=False)
        assert shopper.pay(checkout).status_code == 200
        captured, canceled = at_once(
            [
                partial(_post, rivals[0], f"{checkout.id}/capture", {"amount": "80.00"}),
                partial(_post, rivals[1], f"{checkout.id}/cancel", {}),
            ]
        )
        status = shop.payment(checkout.id)["status"]
        charge = _entry(stack, checkout)["charge"]
        told = captured.status_code, canceled.status_code
        if status == "completed":
            assert told == (200, 409), (captured.text, canceled.text)
            assert canceled.json()["reason"] in ("in_progress", "already_paid")
            assert (charge["captured_minor"], charge["voided"]) == (80_00, False)
        else:
            assert (status, *told) == ("canceled", 409, 200), (captured.text, canceled.text)
            assert captured.json()["reason"] in ("in_progress", "canceled")
            assert (charge["captured_minor"], charge["voided"]) == (0, True)
        wins[status] += 1
    record("capture against cancel", str(dict(wins)))
