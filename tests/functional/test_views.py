"""Section 4 of the contract over HTTP: the two views of one record, key for key.

What of a record is shown how is tested in tests/unit/test_views.py.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import StackFor
from tests.support.actors import (
    BLOCKED_CARD,
    CHALLENGE_CARD,
    DECLINED_CARD,
    PAID_CARD,
    Checkout,
    Shop,
    Shopper,
    open_shop,
)
from tests.support.html import Page
from tests.support.stack import Stack
from tests.support.states import bring_to

# The documentation's "Get a payment" and "Get all payments", in their order and with their types.
ONE_VIEW: dict[str, type] = {
    "id": str,
    "amount": str,
    "currency": str,
    "description": str,
    "status": str,
    "items": list,
    "customer_email": str,
    "return_url": str,
    "payment_method": str,
    "card_last4": str,
    "card_brand": str,
    "created_at": str,
    "updated_at": str,
    "test": bool,
}
LIST_VIEW: dict[str, type] = {
    "id": str,
    "product": str,
    "customer": str,
    "amount": float,
    "fee": float,
    "currency": str,
    "description": str,
    "statement_description": str,
    "status": str,
    "capture": bool,
    "created_on": str,
    "refund": type(None),
    "captured": type(None),
    "test": bool,
    "card_last4": str,
    "card_exp_month": str,
    "card_exp_year": str,
    "card_country": str,
    "card_brand": str,
    "exchange_usd_to_payout": float,
    "exchange_original_payout_to_usd": float,
    "exchange_usd_to_local": float,
    "exchange_original_local_to_usd": float,
    "currency_local": str,
    "net": float,
    "net_currency": str,
}
MAY_BE_ADDED = {
    "paid",
    "redirect",
    "expires_at",
    "metadata",
    "decline_reason",
    "decline_code",
    "three_d_secure",
    "risk",
    "refunded_amount",
}
# Every currency is in tests/unit/test_views.py.
AMOUNTS = [
    ("0.1", "usd", "0.10"),
    ("999999999999", "JPY", "999999999999"),
    ("999999999999.999", "KWD", "999999999999.999"),
]


@dataclass(frozen=True)
class Views:
    """Both views of one payment."""

    one: dict[str, Any]
    row: dict[str, Any]

    @classmethod
    def of(cls, shop: Shop, payment_id: str) -> "Views":
        (row,) = (row for row in shop.list().json() if row["id"] == payment_id)
        return cls(shop.payment(payment_id), row)


@pytest.fixture(scope="module")
def new_views(stack: Stack) -> Iterator[Views]:
    """The views of a payment that nobody has touched."""
    shop = open_shop(stack)
    yield Views.of(shop, shop.checkout().id)
    shop.close()


@pytest.fixture(scope="module")
def paid_views(stack: Stack) -> Iterator[Views]:
    """The views of a paid payment, with everything known."""
    shop, shopper = open_shop(stack), Shopper(stack)
    checkout = shop.checkout(customer_email="customer@example.com", metadata={"order": "17"})
    assert shopper.pay(checkout).status_code == 200
    yield Views.of(shop, checkout.id)
    shop.close()
    shopper.close()


def exact(text: str) -> Any:
    """JSON with its numbers as they are written."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def seconds_of(text: str) -> datetime:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text), text
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def micros_of(text: str) -> datetime:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text), text
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


# ------------------------------------------------------------------------------ the one-view


@pytest.mark.parametrize("name", ["new_views", "paid_views"])
def test_the_one_view_begins_with_the_documented_keys_in_the_documented_order(
    name: str, request: pytest.FixtureRequest
) -> None:
    views: Views = request.getfixturevalue(name)
    assert list(views.one)[: len(ONE_VIEW)] == list(ONE_VIEW)


@pytest.mark.parametrize("name", ["new_views", "paid_views"])
def test_after_the_documented_keys_the_one_view_adds_only_those_the_contract_names(
    name: str, request: pytest.FixtureRequest
) -> None:
    views: Views = request.getfixturevalue(name)
    assert set(list(views.one)[len(ONE_VIEW) :]) <= MAY_BE_ADDED


@pytest.mark.parametrize("key", ONE_VIEW)
def test_in_the_one_view_of_a_paid_payment_every_value_has_the_documentations_type(
    key: str, paid_views: Views
) -> None:
    assert type(paid_views.one[key]) is ONE_VIEW[key]


def test_the_one_view_shows_what_the_merchant_asked_for(shop: Shop) -> None:
    checkout = shop.checkout(
        amount="12.50",
        currency="eur",
        description="Zwei Bücher",
        items=["Ein Buch", "Noch ein Buch"],
        return_url="https://shop.example/danke?x=1&y=%20#ende",
    )

    view = shop.payment(checkout.id)

    asked = ("id", "amount", "currency", "description", "status", "items", "return_url", "test")
    assert {key: view[key] for key in asked} == {
        "id": checkout.id,
        "amount": "12.50",
        "currency": "EUR",
        "description": "Zwei Bücher",
        "status": "requires_action",
        "items": ["Ein Buch", "Noch ein Buch"],
        "return_url": "https://shop.example/danke?x=1&y=%20#ende",
        "test": True,
    }


@pytest.mark.parametrize("state", ["created", "paid", "declined", "canceled", "in a challenge"])
def test_a_get_right_after_a_change_shows_the_change(
    state: str, shop: Shop, shopper: Shopper
) -> None:
    expected = {
        "created": "requires_action",
        "paid": "completed",
        "declined": "requires_action",
        "canceled": "canceled",
        "in a challenge": "processing",
    }
    checkout = shop.checkout()
    if state == "paid":
        shopper.pay(checkout)
    elif state == "declined":
        shopper.pay(checkout, DECLINED_CARD)
    elif state == "canceled":
        shopper.cancel(checkout)
    elif state == "in a challenge":
        shopper.pay(checkout, CHALLENGE_CARD)

    view = shop.payment(checkout.id)

    assert view["status"] == expected[state]
    assert (view["decline_code"] is not None) == (state == "declined")


def test_created_at_and_updated_at_are_in_utc_to_the_second(shop: Shop) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    view = shop.payment(shop.checkout().id)
    after = datetime.now(UTC)

    assert before <= seconds_of(view["created_at"]) <= after
    assert view["updated_at"] == view["created_at"]


def test_updated_at_is_the_time_of_the_last_change(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    time.sleep(1.05)
    before = datetime.now(UTC).replace(microsecond=0)
    shopper.pay(checkout)

    view = shop.payment(checkout.id)

    assert seconds_of(view["created_at"]) < before <= seconds_of(view["updated_at"])


@pytest.mark.parametrize(
    ("state", "paid"),
    [
        ("unpaid", False),
        ("challenged", False),
        ("paid", True),
        ("canceled", False),
        ("failed", False),
    ],
)
def test_a_payment_says_whether_the_order_may_be_fulfilled(
    state: str, paid: bool, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    bring_to(state, shopper, checkout)
    assert shop.payment(checkout.id)["paid"] is paid


def test_the_customers_e_mail_is_known_from_the_create(shop: Shop) -> None:
    checkout = shop.checkout(customer_email="early@example.com")
    assert shop.payment(checkout.id)["customer_email"] == "early@example.com"


def test_the_customers_e_mail_is_known_from_the_checkout(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, email="late@example.com")
    assert shop.payment(checkout.id)["customer_email"] == "late@example.com"


@pytest.mark.parametrize("number", [PAID_CARD, DECLINED_CARD, CHALLENGE_CARD, BLOCKED_CARD])
def test_no_shopper_replaces_the_e_mail_that_the_merchant_gave(
    number: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout(customer_email="early@example.com")
    customer = only_row_of(shop, checkout)["customer"]
    for as_form in (True, False):
        pay = shopper.pay_by_form if as_form else shopper.pay
        pay(checkout, number, email="late@example.com", attempt=None)

    assert shop.payment(checkout.id)["customer_email"] == "early@example.com"
    assert only_row_of(shop, checkout)["customer"] == customer


def test_the_e_mail_is_that_of_the_last_attempt(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, DECLINED_CARD, email="first@example.com")
    assert shop.payment(checkout.id)["customer_email"] == "first@example.com"
    shopper.pay(checkout, DECLINED_CARD)
    assert shop.payment(checkout.id)["customer_email"] is None
    shopper.pay(checkout, email="second@example.com")
    assert shop.payment(checkout.id)["customer_email"] == "second@example.com"


def only_row_of(shop: Shop, checkout: Checkout) -> dict[str, Any]:
    (row,) = (row for row in shop.list(limit=100).json() if row["id"] == checkout.id)
    found: dict[str, Any] = row
    return found


def test_redirect_leads_back_to_the_checkout_while_it_can_be_paid(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()

    page = Page(shopper.open(shop.payment(checkout.id)["redirect"]))

    assert page.form("card_number").values["client_secret"] == checkout.client_secret


@pytest.mark.parametrize("state", ["paid", "canceled"])
def test_redirect_is_gone_once_the_payment_cannot_be_paid(
    state: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    if state == "paid":
        shopper.pay(checkout)
    else:
        shopper.cancel(checkout)

    assert shop.payment(checkout.id).get("redirect") is None


def test_expires_at_is_24_hours_after_the_creation(new_views: Views) -> None:
    created_at = seconds_of(new_views.one["created_at"])
    assert seconds_of(new_views.one["expires_at"]) - created_at == timedelta(hours=24)


@pytest.mark.parametrize("metadata", [{}, {"order": "17", "clave": "ñandú"}])
def test_the_one_view_returns_the_metadata(metadata: dict[str, str], shop: Shop) -> None:
    assert shop.payment(shop.checkout(metadata=metadata).id)["metadata"] == metadata


def test_a_payment_paid_after_a_decline_shows_no_decline(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, DECLINED_CARD)
    shopper.pay(checkout, PAID_CARD)

    view = shop.payment(checkout.id)

    assert view["status"] == "completed"
    assert view.get("decline_code") is None
    assert view.get("decline_reason") is None


def test_the_3ds_result_is_shown_once_there_is_one(new_views: Views, paid_views: Views) -> None:
    assert new_views.one.get("three_d_secure") is None
    assert paid_views.one["three_d_secure"]["trans_status"] == "Y"


# ------------------------------------------------------------------------------ the list


@pytest.mark.parametrize("name", ["new_views", "paid_views"])
def test_a_row_of_the_list_has_exactly_the_documented_keys_in_the_documented_order(
    name: str, request: pytest.FixtureRequest
) -> None:
    views: Views = request.getfixturevalue(name)
    assert list(views.row) == list(LIST_VIEW)


@pytest.mark.parametrize("key", LIST_VIEW)
def test_in_a_row_of_the_list_every_value_has_the_documentations_type(
    key: str, paid_views: Views
) -> None:
    assert type(paid_views.row[key]) is LIST_VIEW[key]


def test_both_views_are_of_one_record(paid_views: Views) -> None:
    one, row = paid_views.one, paid_views.row
    shared = ("id", "currency", "description", "test", "card_last4", "card_brand")
    assert {key: row[key] for key in shared} == {key: one[key] for key in shared}
    assert Decimal(str(row["amount"])) == Decimal(one["amount"])
    assert micros_of(row["created_on"]).replace(microsecond=0) == seconds_of(one["created_at"])


@pytest.mark.parametrize(("amount", "currency", "shown"), AMOUNTS)
def test_the_list_shows_amounts_as_exact_json_numbers(
    amount: str, currency: str, shown: str, shop: Shop
) -> None:
    shop.checkout(amount=amount, currency=currency)

    (row,) = exact(shop.list().text)

    assert row["amount"] == Decimal(shown)
    assert not isinstance(row["amount"], str)


def test_created_on_has_microseconds_and_is_the_time_of_the_creation(shop: Shop) -> None:
    before = datetime.now(UTC)
    shop.checkout()
    after = datetime.now(UTC)

    (row,) = shop.list().json()

    assert before <= micros_of(row["created_on"]) <= after


def test_card_fields_of_the_list_are_filled_once_known(paid_views: Views) -> None:
    fields = ("card_last4", "card_exp_month", "card_exp_year", "card_brand")
    assert [paid_views.row[key] for key in fields] == ["4242", "12", "2034", "visa"]


@pytest.mark.parametrize("name", ["new_views", "paid_views"])
def test_capture_is_true_and_captured_and_refund_are_null(
    name: str, request: pytest.FixtureRequest
) -> None:
    row = request.getfixturevalue(name).row
    assert (row["capture"], row["captured"], row["refund"]) == (True, None, None)


def test_the_list_shows_the_requests_description_and_the_merchants_own_facts(
    new_views: Views,
) -> None:
    row = new_views.row
    assert row["description"] == "Premium subscription payment"
    assert row["statement_description"] == "CORNER"
    assert (row["currency_local"], row["net_currency"]) == ("CRC", "USD")


def test_fee_and_net_are_there_from_the_creation_on_and_stay(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout(amount="100.00")
    (new,) = shop.list().json()
    shopper.pay(checkout)
    (paid,) = shop.list().json()

    assert (new["fee"], new["net"]) == (5.5, 94.5)
    assert (paid["fee"], paid["net"]) == (5.5, 94.5)


def only_row(shop: Shop, **changes: Any) -> dict[str, Any]:
    """The row of a new payment."""
    payment_id = shop.checkout(**changes).id
    (row,) = (row for row in shop.list().json() if row["id"] == payment_id)
    found: dict[str, Any] = row
    return found


def test_an_e_mail_given_at_the_checkout_is_the_same_customer_as_one_given_at_the_create(
    shop: Shop, shopper: Shopper
) -> None:
    known = only_row(shop, customer_email="a@example.com")
    checkout = shop.checkout()
    shopper.pay(checkout, email="a@example.com")
    (row,) = (row for row in shop.list().json() if row["id"] == checkout.id)
    assert row["customer"] == known["customer"]


def test_product_and_customer_are_the_same_after_a_restart(
    stack: Stack, stack_for: StackFor
) -> None:
    """Another process with other tables, the same merchant: nothing about them is random."""
    name = f"stable-{time.time_ns()}"
    shops = [
        open_shop(running, merchant_id=name)
        for running in (stack, stack_for(OutcomeWaitSeconds="0"))
    ]
    first, second = (only_row(shop, customer_email="a@example.com") for shop in shops)
    for shop in shops:
        shop.close()

    assert (first["product"], first["customer"]) == (second["product"], second["customer"])
