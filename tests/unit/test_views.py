"""Contract, section 4: the two views of one record, as functions of it."""

import json
import uuid
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from payments.model.card import CardSummary
from payments.model.ids import Account, Mode
from payments.model.lifecycle import Status
from payments.money.amounts import format_amount
from payments.money.currencies import MINOR_UNIT_DIGITS
from payments.money.exchange_rates import Quote
from payments.web.texts import LANGUAGES, text
from payments.web.views import ViewContext, created_view, list_view, one_view
from tests.support.documentation import LISTED, ONE_VIEW_KEYS
from tests.support.payments import CREATED_AT_US, a_payment

DAY_SECONDS = 86_400
READ_NOW = ViewContext(CREATED_AT_US, DAY_SECONDS, "https://pay.example", "en")
CARD = CardSummary("card", "visa", "4242", 3, 2034, "US", "credit")


def one(reader: ViewContext = READ_NOW, **changes: Any) -> dict[str, Any]:
    return one_view(a_payment(**changes), reader)


def row(reader: ViewContext = READ_NOW, **changes: Any) -> dict[str, Any]:
    """The row of the list, numbers as they are written."""
    written = json.dumps(list_view(a_payment(**changes), reader))
    found: dict[str, Any] = json.loads(written, parse_float=Decimal, parse_int=Decimal)
    return found


# ------------------------------------------------------------------------------ amounts, times


@pytest.mark.parametrize("currency", sorted(MINOR_UNIT_DIGITS))
def test_every_amount_is_shown_exactly_with_the_currencys_decimals(currency: str) -> None:
    for minor in (1, 10, 76_543, 10 ** (MINOR_UNIT_DIGITS[currency] + 12) - 1):
        shown = format_amount(minor, currency)
        view = one(amount_minor=minor, currency=currency)
        listed = row(amount_minor=minor, currency=currency)
        assert (view["amount"], view["currency"]) == (shown, currency)
        assert len(shown.partition(".")[2]) == MINOR_UNIT_DIGITS[currency]
        assert (listed["amount"], listed["currency"]) == (Decimal(shown), currency)


@pytest.mark.parametrize(
    ("net_currency", "net"), [("USD", "474.50"), ("JPY", "47450"), ("KWD", "47.450")]
)
def test_fee_and_net_have_the_decimals_of_their_own_currencies(net_currency: str, net: str) -> None:
    listed = row(currency="EUR", net_currency=net_currency)
    assert listed["fee"] == Decimal("25.50")
    assert (listed["net"], listed["net_currency"]) == (Decimal(net), net_currency)


def test_a_net_below_zero_is_shown_as_what_it_is() -> None:
    assert row(net_minor=-40)["net"] == Decimal("-0.40")


def test_rates_are_shown_as_dollars_per_charge_and_local_per_dollar() -> None:
    quote = Quote(charge=Decimal("0.8"), local=Decimal("533.48"), net=Decimal(1), fee=Decimal(1))
    listed = row(quote=quote)
    assert listed["exchange_original_local_to_usd"] == Decimal("1.25")
    assert listed["exchange_usd_to_local"] == Decimal("533.48")


@pytest.mark.parametrize("quote", [None, Quote(charge=None, local=None, net=None, fee=None)])
def test_rates_nobody_knows_are_zero(quote: Quote | None) -> None:
    rates = {key: value for key, value in row(quote=quote).items() if key.startswith("exchange_")}
    assert set(rates.values()) == {0}


def test_times_are_in_utc_to_the_second_in_one_view_and_to_the_microsecond_in_the_other() -> None:
    view = one(updated_at_us=CREATED_AT_US + 61_000_000)
    assert view["created_at"] == "2026-01-02T15:04:59Z"
    assert view["updated_at"] == "2026-01-02T15:06:00Z"
    assert view["expires_at"] == "2026-01-03T15:04:59Z"
    assert row()["created_on"] == "2026-01-02T15:04:59.123456Z"


def test_a_time_without_microseconds_has_its_six_zeros() -> None:
    assert row(created_at_us=1_767_366_299_000_000)["created_on"] == "2026-01-02T15:04:59.000000Z"


# ------------------------------------------------------------------------------ keys, types


def test_the_one_view_begins_with_the_documented_keys_in_their_order() -> None:
    assert tuple(one())[: len(ONE_VIEW_KEYS)] == ONE_VIEW_KEYS


@pytest.mark.parametrize("card", [None, CARD], ids=["without-a-card", "with-a-card"])
def test_a_row_has_the_documented_keys_in_their_order(card: CardSummary | None) -> None:
    assert list(row(card=card)) == list(LISTED)


def test_what_is_not_known_yet_is_null_in_the_one_view_and_empty_in_the_list() -> None:
    view, listed = one(), row()
    for key in ("payment_method", "card_last4", "card_brand", "customer_email", "decline_code"):
        assert view[key] is None
    assert (view["three_d_secure"], view["risk"], view["metadata"]) == (None, None, {})
    for key in ("card_last4", "card_exp_month", "card_exp_year", "card_country", "card_brand"):
        assert listed[key] == ""


def test_the_card_is_shown_once_it_is_known() -> None:
    view, listed = one(card=CARD), row(card=CARD)
    assert [view[key] for key in ("payment_method", "card_last4", "card_brand")] == [
        "card",
        "4242",
        "visa",
    ]
    fields = ("card_last4", "card_exp_month", "card_exp_year", "card_country", "card_brand")
    assert [listed[key] for key in fields] == ["4242", "03", "2034", "US", "visa"]


@pytest.mark.parametrize("mode", Mode)
def test_test_says_which_money_moves(mode: Mode) -> None:
    account = Account("corner-shop", mode)
    assert one(account=account)["test"] is (mode is Mode.TEST)
    assert row(account=account)["test"] is (mode is Mode.TEST)


# ------------------------------------------------------------------------------ statuses


@pytest.mark.parametrize("status", Status)
def test_a_paid_payment_reads_completed_in_the_one_view_and_succeeded_in_the_list(
    status: Status,
) -> None:
    assert row(status=status)["status"] == status
    assert one(status=status)["status"] == ("completed" if status == "succeeded" else status)


@pytest.mark.parametrize("status", Status)
def test_redirect_leads_to_the_checkout_while_the_payment_can_be_paid(status: Status) -> None:
    redirect = one(status=status)["redirect"]
    if status is Status.REQUIRES_ACTION:
        assert redirect.startswith("https://pay.example/checkout/?data=")
    else:
        assert redirect is None


def test_an_unpaid_payment_is_expired_from_the_millisecond_its_time_is_up() -> None:
    ends_us = CREATED_AT_US // 1000 * 1000 + DAY_SECONDS * 1_000_000
    for now_us, status in ((ends_us - 1, "requires_action"), (ends_us, "expired")):
        reader = replace(READ_NOW, now_us=now_us)
        assert (one(reader)["status"], row(reader)["status"]) == (status, status)
    assert one(replace(READ_NOW, now_us=ends_us))["redirect"] is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_decline_is_shown_by_its_code_and_a_reason_in_the_readers_language(
    language: str,
) -> None:
    view = one(replace(READ_NOW, language=language), decline_code="lost_card")
    assert view["decline_code"] == "lost_card"
    assert view["decline_reason"] == text("decline.lost_card", language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_created_payment_says_what_to_do_next(language: str) -> None:
    answer = created_view(a_payment(), replace(READ_NOW, language=language))
    assert (answer["title"], answer["content"]) == (
        text("created.title", language),
        text("created.content", language),
    )


def test_the_risk_is_shown_with_the_cards_funding_and_every_check() -> None:
    risk = {"level": "normal", "checks": {"cvc": "pass"}}
    shown = one(risk=risk, card=CARD)["risk"]
    assert shown["funding"] == "credit"
    assert shown["checks"] == {
        "address_line1": "not_provided",
        "postal_code": "not_provided",
        "cvc": "pass",
    }
    assert risk == {"level": "normal", "checks": {"cvc": "pass"}}, "the record was changed"


# ------------------------------------------------------------------------------ product, customer


def test_product_and_customer_are_uuids_of_version_5() -> None:
    for key in ("product", "customer"):
        shown = row()[key]
        assert uuid.UUID(shown).version == 5
        assert str(uuid.UUID(shown)) == shown


def test_the_same_items_are_the_same_product_whatever_else_differs() -> None:
    first = row(items=("Tea", "Mug"))
    second = row(items=("Tea", "Mug"), amount_minor=700, customer_email="a@example.com")
    assert first["product"] == second["product"]


@pytest.mark.parametrize(
    "items", [("Tea",), ("Mug", "Tea"), ("Tea", "Mug", "Mug"), ("TeaMug",), ("Tea\nMug",)]
)
def test_other_items_are_another_product(items: tuple[str, ...]) -> None:
    assert row(items=("Tea", "Mug"))["product"] != row(items=items)["product"]


def test_the_same_e_mail_is_the_same_customer_whatever_else_differs() -> None:
    first = row(customer_email="a@example.com")
    second = row(customer_email="a@example.com", items=("Mug",), amount_minor=700)
    assert first["customer"] == second["customer"]
    assert first["customer"] != row(customer_email="b@example.com")["customer"]


def test_another_merchants_product_and_customer_are_others() -> None:
    mine = row(customer_email="a@example.com")
    theirs = row(customer_email="a@example.com", account=Account("other", Mode.TEST))
    assert mine["product"] != theirs["product"]
    assert mine["customer"] != theirs["customer"]


def test_the_product_is_the_same_in_both_modes_and_the_customer_is_not() -> None:
    test, live = (
        row(customer_email="a@example.com", account=Account("corner-shop", mode)) for mode in Mode
    )
    assert test["product"] == live["product"]
    assert test["customer"] != live["customer"]
