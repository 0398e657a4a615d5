"""Contract, "Money after the payment": refunds, whole and in parts, in both spellings."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from payments.model.ids import Mode
from payments.web.texts import LANGUAGES, text
from tests.conftest import StackFor
from tests.support.actors import PAID_CARD, Checkout, Shop, Shopper, open_shop
from tests.support.documentation import NOT_FOUND, envelope, faults
from tests.support.money import (
    DAY_SECONDS,
    FAILS_LATER_CARD,
    STAYS_PENDING_CARD,
    amounts,
    cancel,
    capture,
    held,
    let_minutes_pass,
    make_older,
    paid,
    refund,
    refund_elsewhere,
    refunds_of,
    silent_acquirer,
)
from tests.support.records import open_attempts, statuses, stored
from tests.support.stack import Stack
from tests.support.states import bring_to

UNKNOWN_ID = "pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB"
UNKNOWN_REFUND = "ref_01JDQ9B7N4X8W1YMR3V5S7Z9CD"
MAX_REFUNDS = 20
REFUND_VIEW = (
    *("id", "payment_id", "amount", "currency", "status", "reason", "reference"),
    *("failure_code", "failure_reason", "net", "net_currency", "metadata", "test"),
    *("created_at", "updated_at"),
)
OLDER_VIEW = (
    *("id", "provider_refund_id", "charge_id", "amount", "currency", "reason", "status", "test"),
)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def older(shop: Shop, headers: dict[str, str] | None = None, **body: Any) -> requests.Response:
    return shop.request("POST", "/v1/refunds/", json=body, headers=headers)


def one(shop: Shop, made: dict[str, Any]) -> dict[str, Any]:
    """A refund as its own route shows it now."""
    path = f"/v1/payments/{made['payment_id']}/refunds/{made['id']}"
    view: dict[str, Any] = shop.request("GET", path).json()
    return view


def reason_of(answer: requests.Response, *further: str) -> str:
    reason: str = envelope(answer, 409, "reason", *further)["reason"]
    return reason


@pytest.fixture
def stranger(stack: Stack) -> Iterator[Shop]:
    """Another merchant."""
    shop = open_shop(stack)
    yield shop
    shop.close()


# ------------------------------------------------------------------------------ one refund


def test_a_refund_without_an_amount_gives_all_of_it_back(shop: Shop, shopper: Shopper) -> None:
    checkout = paid(shop, shopper)
    answer = refund(shop, checkout.id)
    made = answer.json()
    assert answer.status_code == 201
    assert tuple(made) == REFUND_VIEW
    assert re.fullmatch(r"ref_[0-7][0-9A-HJKMNP-TV-Z]{25}", made["id"])
    assert MOMENT.fullmatch(made["created_at"])
    assert MOMENT.fullmatch(made["updated_at"])
    expected: dict[str, Any] = {
        "payment_id": checkout.id,
        "amount": "500.00",
        "currency": "USD",
        "status": "succeeded",
        "reason": "requested_by_customer",
        "reference": None,
        "failure_code": None,
        "failure_reason": None,
        "net": "500.00",
        "net_currency": "USD",
        "metadata": {},
        "test": True,
    }
    assert {key: made[key] for key in expected} == expected
    assert one(shop, made) == made


def test_a_refund_needs_no_body_at_all(shop: Shop, shopper: Shopper) -> None:
    checkout = paid(shop, shopper)
    answer = shop.request("POST", f"/v1/payments/{checkout.id}/refunds")
    assert (answer.status_code, answer.json()["amount"]) == (201, "500.00")


def test_a_wholly_refunded_payment_is_refunded(shop: Shop, shopper: Shopper, stack: Stack) -> None:
    checkout = paid(shop, shopper)
    made = refund(shop, checkout.id).json()
    payment = shop.payment(checkout.id)
    assert (payment["status"], payment["paid"]) == ("refunded", False)
    assert (payment["refunded_amount"], payment["refundable_amount"]) == ("500.00", "0.00")
    assert payment["captured_amount"] == payment["authorized_amount"] == "500.00"
    assert payment["refunds"] == [made["id"]]
    assert statuses(stored(stack, checkout))[-1] == "refunded"
    for query in ({}, {"status": "refunded"}):
        (row,) = shop.list(**query).json()
        assert (row["status"], row["refund"], row["captured"]) == ("refunded", 500.0, None)
    assert open_attempts(stack, checkout) == []


def test_a_partly_refunded_payment_stays_paid(shop: Shop, shopper: Shopper) -> None:
    checkout = paid(shop, shopper)
    first, second = (refund(shop, checkout.id, amount=amount) for amount in ("10.00", "0.01"))
    payment = shop.payment(checkout.id)
    assert (payment["status"], payment["paid"]) == ("completed", True)
    assert (payment["refunded_amount"], payment["refundable_amount"]) == ("10.01", "489.99")
    assert payment["refunds"] == [first.json()["id"], second.json()["id"]]
    (row,) = shop.list(status="completed").json()
    assert (row["status"], row["refund"]) == ("succeeded", 10.01)


def test_the_parts_add_up_to_the_whole(shop: Shop, shopper: Shopper) -> None:
    checkout = paid(shop, shopper)
    parts = [refund(shop, checkout.id, amount="200.00"), refund(shop, checkout.id)]
    assert [part.json()["amount"] for part in parts] == ["200.00", "300.00"]
    assert shop.payment(checkout.id)["status"] == "refunded"


def test_only_what_was_captured_can_be_refunded(shop: Shop, shopper: Shopper) -> None:
    checkout = held(shop, shopper)
    capture(shop, checkout.id, amount="80.00")
    answer = refund(shop, checkout.id, amount="80.01")
    assert reason_of(answer, "refundable_amount") == "exceeds_refundable"
    assert refund(shop, checkout.id).json()["amount"] == "80.00"
    assert shop.payment(checkout.id)["status"] == "refunded"


@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_the_net_of_any_split_adds_up_to_the_net_of_the_whole(
    parts: int, shop: Shop, shopper: Shopper
) -> None:
    """0.10 EUR are so many cents of a dollar, however they are given back."""
    whole = paid(shop, shopper, amount="0.70", currency="EUR")
    split = paid(shop, shopper, amount="0.70", currency="EUR")
    made = refund(shop, whole.id).json()
    pieces = [refund(shop, split.id, amount="0.10").json() for _ in range(parts - 1)]
    pieces.append(refund(shop, split.id).json())
    assert made["net_currency"] == "USD"
    cents = [round(float(piece["net"]) * 100) for piece in pieces]
    assert sum(cents) == round(float(made["net"]) * 100) > 0


@pytest.mark.parametrize(("returns", "net"), [("no", "500.00"), ("yes", "474.50")])
def test_a_refund_returns_the_fee_only_where_the_parameter_says_so(
    returns: str, net: str, stack_for: StackFor
) -> None:
    stack = stack_for(**({"RefundReturnsFees": "yes"} if returns == "yes" else {}))
    shop, shopper = open_shop(stack), Shopper(stack)
    assert refund(shop, paid(shop, shopper).id).json()["net"] == net


def test_what_the_merchant_says_of_a_refund_is_given_back(shop: Shop, shopper: Shopper) -> None:
    said: dict[str, Any] = {
        "amount": "10.00",
        "reason": "duplicate",
        "reference": "RMA 17",
        "metadata": {"agent": "ana", "k" * 40: "v" * 250},
    }
    made = refund(shop, paid(shop, shopper).id, **said).json()
    assert {key: made[key] for key in said} == said
    assert one(shop, made) == made


@pytest.mark.parametrize("reason", ["requested_by_customer", "duplicate", "fraudulent", "other"])
def test_a_refund_has_one_of_four_reasons(reason: str, shop: Shop, shopper: Shopper) -> None:
    assert refund(shop, paid(shop, shopper).id, reason=reason).json()["reason"] == reason


def test_null_is_absent(shop: Shop, shopper: Shopper) -> None:
    nothing = dict.fromkeys(("amount", "reason", "reference", "metadata"))
    made = refund(shop, paid(shop, shopper).id, **nothing).json()
    assert (made["amount"], made["reason"]) == ("500.00", "requested_by_customer")
    assert (made["reference"], made["metadata"]) == (None, {})


@pytest.mark.parametrize("currency", ["JPY", "KWD"])
def test_a_refund_has_the_decimals_of_its_currency(
    currency: str, shop: Shop, shopper: Shopper
) -> None:
    whole, part, finer = {
        "JPY": ("500", "3", "3.0"),
        "KWD": ("500.000", "0.001", "0.0001"),
    }[currency]
    checkout = paid(shop, shopper, amount="500", currency=currency)
    assert refund(shop, checkout.id, amount=part).json()["amount"] == part
    assert faults(refund(shop, checkout.id, amount=finer)) == {"amount": "too_many_decimals"}
    assert shop.payment(checkout.id)["captured_amount"] == whole


# ------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        *(("amount", value, "amount_not_positive") for value in ("0", "0.00")),
        *(("amount", value, "invalid_amount") for value in ("-1", "1e2", "", " 1", "1,00")),
        ("amount", "0.001", "too_many_decimals"),
        ("amount", "9" * 13, "amount_too_large"),
        *(("amount", value, "not_a_string") for value in (10, 10.0, ["10"], True)),
        *(("reason", value, "not_allowed") for value in ("", "x", "abandoned", 1)),
        ("reference", "", "too_short"),
        ("reference", "x" * 256, "too_long"),
        *(("reference", value, "invalid") for value in (" x", "x\n", "ü")),
        ("reference", PAID_CARD, "holds_card_number"),
        ("reference", 1, "not_a_string"),
        ("metadata", [], "not_an_object"),
        ("metadata", {str(number): "" for number in range(21)}, "too_many"),
    ],
)
@pytest.mark.parametrize("spelling", ["refund", "older"])
def test_each_field_of_a_refund_has_bounds(
    spelling: str, field: str, value: object, code: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = paid(shop, shopper)
    body: dict[str, Any] = {field: value}
    if spelling == "refund":
        answer = refund(shop, checkout.id, **body)
    else:
        answer = older(shop, charge_id=checkout.id, **body)
    assert faults(answer) == {field: code}
    assert shop.payment(checkout.id)["refunds"] == []


@pytest.mark.parametrize("pairs", [{"k" * 41: ""}, {"": ""}, {"k": "v" * 251}, {"k": 1}])
def test_names_and_values_of_metadata_have_bounds(
    pairs: dict[str, Any], shop: Shop, shopper: Shopper
) -> None:
    checkout = paid(shop, shopper)
    answer = refund(shop, checkout.id, metadata=pairs)
    assert all(field.startswith("metadata") for field in faults(answer))
    assert shop.payment(checkout.id)["refunds"] == []


@pytest.mark.parametrize("state", ["unpaid", "declined", "challenged", "failed", "canceled"])
def test_only_a_paid_payment_can_be_refunded(state: str, shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    bring_to(state, shopper, checkout)
    assert reason_of(refund(shop, checkout.id)) == "not_paid"


def test_held_and_released_money_cannot_be_refunded(shop: Shop, shopper: Shopper) -> None:
    checkout = held(shop, shopper)
    assert reason_of(refund(shop, checkout.id)) == "not_paid"
    cancel(shop, checkout.id)
    assert reason_of(refund(shop, checkout.id)) == "not_paid"


@pytest.mark.parametrize("amount", [None, "0.01", "500.00"])
def test_what_was_given_back_is_not_given_back_again(
    amount: str | None, shop: Shop, shopper: Shopper
) -> None:
    checkout = paid(shop, shopper)
    refund(shop, checkout.id)
    assert reason_of(refund(shop, checkout.id, amount=amount)) == "already_refunded"
    assert len(shop.payment(checkout.id)["refunds"]) == 1


def test_more_than_is_left_is_refused_and_the_answer_says_what_is_left(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = paid(shop, shopper)
    refund(shop, checkout.id, amount="400.00")
    answer = refund(shop, checkout.id, amount="100.01")
    assert reason_of(answer, "refundable_amount") == "exceeds_refundable"
    assert answer.json()["refundable_amount"] == "100.00"
    assert refund(shop, checkout.id, amount="100.00").status_code == 201


def test_a_payment_has_at_most_twenty_refunds_failed_ones_included(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = paid(shop, shopper, FAILS_LATER_CARD)
    refund(shop, checkout.id, amount="1.00")
    let_minutes_pass(stack, checkout)
    assert one(shop, refunds_of(shop, checkout.id).json()[0])["status"] == "failed"
    for _ in range(MAX_REFUNDS - 1):
        assert refund(shop, checkout.id, amount="1.00").status_code == 201
    answer = refund(shop, checkout.id, amount="1.00")
    assert reason_of(answer) == "too_many_refunds"
    assert answer.json()["content"] == text("error.too_many_refunds.content", "en")
    assert len(refunds_of(shop, checkout.id).json()) == MAX_REFUNDS
    assert amounts(shop, checkout.id)["refunded"] == "19.00"


def test_a_payment_of_a_year_ago_can_be_refunded_and_an_older_one_cannot(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    young, old = paid(shop, shopper), paid(shop, shopper)
    make_older(stack, young, 364 * DAY_SECONDS)
    make_older(stack, old, 366 * DAY_SECONDS)
    assert refund(shop, young.id).status_code == 201
    assert reason_of(refund(shop, old.id)) == "too_old"


def test_how_old_a_payment_may_be_is_a_parameter(stack_for: StackFor) -> None:
    stack = stack_for(RefundMaxAgeDays="1")
    shop, shopper = open_shop(stack), Shopper(stack)
    checkout = paid(shop, shopper)
    make_older(stack, checkout, DAY_SECONDS + 1)
    assert reason_of(refund(shop, checkout.id)) == "too_old"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_is_told_in_the_callers_language(
    language: str, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    shop.session.headers["Accept-Language"] = language
    unpaid, checkout = shop.checkout(), paid(shop, shopper)
    refused = refund(shop, unpaid.id).json()
    too_much = refund(shop, checkout.id, amount="500.01").json()
    refund_elsewhere(stack, checkout)
    failed = refund(shop, checkout.id).json()["error"]
    assert refused["content"] == text("error.not_paid.content", language)
    assert too_much["content"] == text("error.exceeds_refundable.content", language)
    assert failed["message"] == text("operation_refused.message", language)
    assert failed["decline_code"] == "refused_by_acquirer"


def test_a_refund_that_the_acquirer_refuses_is_a_402_kept_as_failed_and_its_amount_is_free(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = paid(shop, shopper)
    refund_elsewhere(stack, checkout)
    answer = refund(shop, checkout.id, amount="10.00")
    assert answer.status_code == 402
    assert answer.json()["error"] == {
        "code": 402,
        "type": "operation_refused",
        "message": text("operation_refused.message", "en"),
        "decline_reason": "refused_by_acquirer",
        "decline_code": "refused_by_acquirer",
    }
    (row,) = refunds_of(shop, checkout.id).json()
    assert (row["status"], row["failure_code"]) == ("failed", "refused_by_acquirer")
    assert row["failure_reason"] == "refused by acquirer"
    payment = shop.payment(checkout.id)
    assert payment["refunds"] == [row["id"]]
    assert (payment["status"], payment["refunded_amount"]) == ("completed", "0.00")
    assert payment["refundable_amount"] == "500.00"
    assert open_attempts(stack, checkout) == []


# ------------------------------------------------------------------------------ later news


@pytest.mark.parametrize("amount", [None, "10.00"])
def test_a_refund_may_fail_after_it_succeeded_and_the_payment_is_as_it_was(
    amount: str | None, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = paid(shop, shopper, FAILS_LATER_CARD)
    before = shop.payment(checkout.id)
    answer = refund(shop, checkout.id, amount=amount)
    made = answer.json()
    assert (answer.status_code, made["status"]) == (201, "succeeded")
    status = "completed" if amount else "refunded"
    assert shop.payment(checkout.id)["status"] == status

    let_minutes_pass(stack, checkout)

    failed = one(shop, made)
    assert (failed["status"], failed["failure_code"]) == ("failed", "expired_or_canceled_card")
    assert failed["failure_reason"] == "expired or canceled card"
    changed = {"updated_at", "refunds"}
    after = shop.payment(checkout.id)
    assert {key: after[key] for key in after.keys() - changed} == {
        key: before[key] for key in before.keys() - changed
    }
    assert after["refunds"] == [made["id"]]
    assert open_attempts(stack, checkout) == []
    assert refund(shop, checkout.id).status_code == 201


def test_a_refund_may_stay_pending_before_it_succeeds(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = paid(shop, shopper, STAYS_PENDING_CARD)
    answer = refund(shop, checkout.id, amount="10.00")
    made = answer.json()
    assert (answer.status_code, made["status"]) == (202, "pending")
    # It is neither given back nor free to be given back again.
    assert amounts(shop, checkout.id) == {
        "authorized": "500.00",
        "captured": "500.00",
        "refunded": "0.00",
        "refundable": "490.00",
    }
    assert reason_of(refund(shop, checkout.id, amount="490.01"), "refundable_amount")

    let_minutes_pass(stack, checkout)

    assert one(shop, made)["status"] == "succeeded"
    assert amounts(shop, checkout.id)["refunded"] == "10.00"
    assert amounts(shop, checkout.id)["refundable"] == "490.00"
    assert open_attempts(stack, checkout) == []


def test_a_payment_is_refunded_once_all_of_it_has_succeeded(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = paid(shop, shopper, STAYS_PENDING_CARD)
    refund(shop, checkout.id)
    payment = shop.payment(checkout.id)
    assert (payment["status"], payment["refundable_amount"]) == ("completed", "0.00")
    assert reason_of(refund(shop, checkout.id)) == "already_refunded"
    let_minutes_pass(stack, checkout)
    assert shop.payment(checkout.id)["status"] == "refunded"


def test_without_an_answer_of_the_acquirer_a_refund_is_pending_until_the_reconciler_asks_again(
    stack_for: StackFor,
) -> None:
    stack = stack_for(LogRetentionDays="5")
    shop, shopper = open_shop(stack), Shopper(stack)
    checkout = paid(shop, shopper)
    with silent_acquirer(stack):
        answer = refund(shop, checkout.id, amount="400.00")
        again = refund(shop, checkout.id, amount="100.01")
    made = answer.json()
    assert (answer.status_code, made["status"]) == (202, "pending")
    assert reason_of(again, "refundable_amount") == "exceeds_refundable"
    let_minutes_pass(stack, checkout)
    assert one(shop, made)["status"] == "succeeded"
    assert amounts(shop, checkout.id)["refunded"] == "400.00"


# ------------------------------------------------------------------------------ keys


def test_the_same_key_and_body_refunds_once_and_answers_the_same(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = paid(shop, shopper)
    key = {"Idempotency-Key": "refund-1"}
    first = refund(shop, checkout.id, key, amount="10.00")
    second = refund(shop, checkout.id, key, amount="10.00")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert shop.payment(checkout.id)["refunded_amount"] == "10.00"


def test_a_key_is_replayed_even_if_nothing_is_left_to_refund(shop: Shop, shopper: Shopper) -> None:
    checkout = paid(shop, shopper)
    key = {"Idempotency-Key": "refund-1"}
    first, second = (refund(shop, checkout.id, key) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()


def test_a_replay_tells_what_has_become_of_a_pending_refund(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = paid(shop, shopper, STAYS_PENDING_CARD)
    key = {"Idempotency-Key": "refund-1"}
    first = refund(shop, checkout.id, key)
    let_minutes_pass(stack, checkout)
    second = refund(shop, checkout.id, key)
    assert (first.status_code, second.status_code) == (202, 201)
    assert second.json()["id"] == first.json()["id"]


def test_a_key_with_another_body_is_a_409(shop: Shop, shopper: Shopper) -> None:
    checkout = paid(shop, shopper)
    key = {"Idempotency-Key": "refund-1"}
    refund(shop, checkout.id, key, amount="10.00")
    assert reason_of(refund(shop, checkout.id, key, amount="11.00")) == "key_reused"
    assert shop.payment(checkout.id)["refunded_amount"] == "10.00"


def test_without_a_key_two_equal_refunds_are_two(shop: Shop, shopper: Shopper) -> None:
    checkout = paid(shop, shopper)
    for _ in range(2):
        refund(shop, checkout.id, amount="10.00")
    assert shop.payment(checkout.id)["refunded_amount"] == "20.00"


def test_a_refused_refund_binds_no_key(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    key = {"Idempotency-Key": "refund-1"}
    assert reason_of(refund(shop, checkout.id, key, amount="1.00")) == "not_paid"
    shopper.pay(checkout)
    assert faults(refund(shop, checkout.id, key, amount="x")) == {"amount": "invalid_amount"}
    refused = refund(shop, checkout.id, key, amount="500.01")
    assert reason_of(refused, "refundable_amount") == "exceeds_refundable"
    assert refund(shop, checkout.id, key, amount="2.00").status_code == 201


def test_the_key_of_a_refund_that_the_acquirer_refused_gives_the_same_refusal_again(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = paid(shop, shopper)
    refund_elsewhere(stack, checkout)
    answers = [refund(shop, checkout.id, {"Idempotency-Key": "refund-1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [402, 402]
    assert answers[0].json() == answers[1].json()
    assert len(refunds_of(shop, checkout.id).json()) == 1


def test_a_key_counts_for_one_payment_and_one_merchant(
    shop: Shop, shopper: Shopper, stranger: Shop
) -> None:
    key = {"Idempotency-Key": "refund"}
    answers = [refund(one, paid(one, shopper).id, key) for one in (shop, shop, stranger)]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert not any("Idempotent-Replayed" in answer.headers for answer in answers)


@pytest.mark.parametrize("key", ["k" * 256, "two words"])
def test_a_malformed_key_is_refused(key: str, shop: Shop, shopper: Shopper) -> None:
    checkout = paid(shop, shopper)
    header = {"Idempotency-Key": key}
    for answer in (refund(shop, checkout.id, header), older(shop, header, charge_id=checkout.id)):
        assert faults(answer) == {"Idempotency-Key": "invalid_idempotency_key"}


# ------------------------------------------------------------------------------ reading them


def test_the_refunds_of_a_payment_are_listed_the_oldest_first(shop: Shop, shopper: Shopper) -> None:
    checkout, other = paid(shop, shopper), paid(shop, shopper)
    assert (refunds_of(shop, checkout.id).status_code, refunds_of(shop, checkout.id).json()) == (
        200,
        [],
    )
    made = [refund(shop, checkout.id, amount=f"{number}.00").json() for number in (1, 2, 3)]
    refund(shop, other.id)
    assert refunds_of(shop, checkout.id).json() == made


@pytest.mark.parametrize("path", ["/v1/payments/refunds", "/v1/refunds"])
def test_all_refunds_are_listed_newest_first_page_by_page(
    path: str, shop: Shop, shopper: Shopper
) -> None:
    payments = [paid(shop, shopper), paid(shop, shopper)]
    made = [refund(shop, payments[n % 2].id, amount="1.00").json()["id"] for n in range(5)]
    assert [row["id"] for row in shop.request("GET", path).json()] == made[::-1]
    for sort, wanted in (("-created_on", made[::-1]), ("created_on", made)):
        found: list[str] = []
        url = f"{path}/?sort={sort}&limit=2"
        while url:
            assert len(found) <= len(made), "the list does not end"
            answer = shop.request("GET", url)
            assert answer.status_code == 200
            found += [row["id"] for row in answer.json()]
            link = answer.headers.get("Link", "")
            url = link.partition(">")[0].removeprefix("<" + shop.stack.url)
        assert found == wanted


def test_a_new_refund_neither_repeats_nor_hides_one_on_the_next_page(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = paid(shop, shopper)
    made = [refund(shop, checkout.id, amount="1.00").json()["id"] for _ in range(3)]
    first = shop.request("GET", "/v1/payments/refunds?limit=2")
    refund(shop, checkout.id, amount="1.00")
    second = shop.request("GET", first.headers["Link"].partition(">")[0][1 + len(shop.stack.url) :])
    assert [row["id"] for row in (*first.json(), *second.json())] == made[::-1]
    assert "Link" not in second.headers


def test_no_refund_is_in_the_list_of_payments(shop: Shop, shopper: Shopper) -> None:
    checkout = paid(shop, shopper)
    refund(shop, checkout.id, amount="1.00")
    assert [row["id"] for row in shop.list().json()] == [checkout.id]
    assert [row["id"] for row in shop.list(status="succeeded").json()] == [checkout.id]


@pytest.mark.parametrize("path", ["/v1/payments/refunds", "/v1/refunds"])
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "invalid_limit"),
        ("limit=101", "invalid_limit"),
        ("limit=x", "invalid_limit"),
        ("sort=amount", "not_allowed"),
        ("test=maybe", "not_a_boolean"),
        ("cursor=x", "invalid_cursor"),
    ],
)
def test_a_bad_parameter_of_the_lists_is_a_400(
    path: str, query: str, code: str, shop: Shop
) -> None:
    field = query.partition("=")[0]
    assert faults(shop.request("GET", f"{path}?{query}")) == {field: code}


def test_a_cursor_is_valid_for_its_own_list_alone(
    shop: Shop, shopper: Shopper, stranger: Shop
) -> None:
    checkout, _ = paid(shop, shopper), paid(shop, shopper)
    for _ in range(2):
        refund(shop, checkout.id, amount="1.00")
    links = {
        path: shop.request("GET", f"{path}?limit=1").headers["Link"]
        for path in ("/v1/payments/", "/v1/payments/refunds")
    }
    payments, refunds = (
        re.search(r"cursor=([^&>]+)", link)[1]  # type: ignore[index]
        for link in links.values()
    )
    answers = [
        shop.request("GET", f"/v1/payments/refunds?cursor={payments}"),
        shop.request("GET", f"/v1/payments/?cursor={refunds}"),
        shop.request("GET", f"/v1/payments/refunds?sort=created_on&cursor={refunds}"),
        shop.request("GET", f"/v1/payments/refunds?test=true&cursor={refunds}"),
        stranger.request("GET", f"/v1/payments/refunds?cursor={refunds}"),
    ]
    assert [faults(answer) for answer in answers] == [{"cursor": "invalid_cursor"}] * 5


# ------------------------------------------------------------------------------ the older spelling


@pytest.mark.parametrize("name", ["charge_id", "payment_id"])
def test_the_older_spelling_makes_the_same_refund(name: str, shop: Shop, shopper: Shopper) -> None:
    checkout = paid(shop, shopper)
    body: dict[str, Any] = {name: checkout.id, "amount": "100.00", "reason": "duplicate"}
    answer = older(shop, **body)
    made = answer.json()
    assert answer.status_code == 201
    assert tuple(made) == OLDER_VIEW
    assert made == {
        "id": made["id"],
        "provider_refund_id": made["id"],
        "charge_id": checkout.id,
        "amount": "100.00",
        "currency": "usd",
        "reason": "duplicate",
        "status": "succeeded",
        "test": True,
    }
    assert shop.request("GET", f"/v1/refunds/{made['id']}/").json() == made
    assert shop.request("GET", "/v1/refunds/").json() == [made]
    newer = one(shop, {"payment_id": checkout.id, "id": made["id"]})
    assert (newer["amount"], newer["reason"], newer["status"]) == (
        "100.00",
        "duplicate",
        "succeeded",
    )
    assert amounts(shop, checkout.id)["refunded"] == "100.00"


def test_the_older_spelling_reads_what_the_newer_made(shop: Shop, shopper: Shopper) -> None:
    made = refund(shop, paid(shop, shopper).id, amount="10.00").json()
    (row,) = shop.request("GET", "/v1/refunds").json()
    assert row == shop.request("GET", f"/v1/refunds/{made['id']}").json()
    assert (row["id"], row["amount"]) == (made["id"], "10.00")


@pytest.mark.parametrize("body", [{}, {"charge_id": None}, {"charge_id": ""}, {"amount": "1.00"}])
def test_the_older_spelling_must_name_a_payment(body: dict[str, Any], shop: Shop) -> None:
    assert faults(older(shop, **body)) == {"charge_id": "required"}


@pytest.mark.parametrize("value", [1, ["pay_1"], True])
def test_the_name_of_a_payment_is_a_string(value: object, shop: Shop) -> None:
    assert faults(older(shop, charge_id=value)) == {"charge_id": "not_a_string"}


def test_the_older_spelling_refuses_as_the_newer_does(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = paid(shop, shopper)
    unpaid = shop.checkout()
    assert reason_of(older(shop, charge_id=unpaid.id)) == "not_paid"
    answer = older(shop, charge_id=checkout.id, amount="500.01")
    assert reason_of(answer, "refundable_amount") == "exceeds_refundable"
    refund_elsewhere(stack, checkout)
    assert older(shop, charge_id=checkout.id).status_code == 402


def test_the_older_spelling_answers_202_while_a_refund_is_pending(
    shop: Shop, shopper: Shopper
) -> None:
    answer = older(shop, charge_id=paid(shop, shopper, STAYS_PENDING_CARD).id)
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")


def test_the_older_spelling_takes_keys_too(shop: Shop, shopper: Shopper) -> None:
    checkout = paid(shop, shopper)
    key = {"Idempotency-Key": "refund-1"}
    first, second = (older(shop, key, charge_id=checkout.id, amount="1.00") for _ in range(2))
    assert second.json() == first.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    reused = older(shop, key, charge_id=checkout.id, amount="2.00")
    assert reason_of(reused) == "key_reused"
    assert amounts(shop, checkout.id)["refunded"] == "1.00"


# ------------------------------------------------------------------------------ whose it is


@pytest.fixture(scope="module")
def modes(stack_for: StackFor) -> Iterator[tuple[Shop, Shop, Shopper]]:
    """A merchant's test key and live key, on a stack that takes simulated live money."""
    stack = stack_for(LiveAcquirer="simulator")
    test = open_shop(stack, Mode.TEST)
    (merchant_id,) = {_merchant_of(test.checkout())}
    live, shopper = open_shop(stack, Mode.LIVE, merchant_id), Shopper(stack)
    yield test, live, shopper
    for actor in (test, live, shopper):
        actor.close()


def _merchant_of(checkout: Checkout) -> str:
    return checkout.client_secret.split("_")[2]


@pytest.mark.parametrize("slash", ["", "/"])
def test_nobody_else_s_refund_and_no_refund_are_the_same_404(
    slash: str, shop: Shop, shopper: Shopper, stranger: Shop
) -> None:
    checkout, second = paid(shop, shopper), paid(shop, shopper)
    made = refund(shop, checkout.id, amount="1.00").json()["id"]
    own, foreign = paid(stranger, shopper).id, stranger.request
    mine = shop.request
    answers = [
        foreign("POST", f"/v1/payments/{checkout.id}/refunds{slash}", json={}),
        foreign("POST", f"/v1/refunds{slash}", json={"charge_id": checkout.id}),
        foreign("GET", f"/v1/payments/{checkout.id}/refunds{slash}"),
        foreign("GET", f"/v1/payments/{checkout.id}/refunds/{made}{slash}"),
        foreign("GET", f"/v1/payments/{own}/refunds/{made}{slash}"),
        foreign("GET", f"/v1/refunds/{made}{slash}"),
        mine("POST", f"/v1/payments/{UNKNOWN_ID}/refunds{slash}", json={}),
        mine("POST", f"/v1/payments/pay_1/refunds{slash}", json={}),
        mine("POST", f"/v1/payments/{made}/refunds{slash}", json={}),
        mine("POST", f"/v1/refunds{slash}", json={"payment_id": "x"}),
        mine("GET", f"/v1/payments/{UNKNOWN_ID}/refunds{slash}"),
        mine("GET", f"/v1/payments/{second.id}/refunds/{made}{slash}"),
        mine("GET", f"/v1/payments/{checkout.id}/refunds/{UNKNOWN_REFUND}{slash}"),
        mine("GET", f"/v1/payments/{made}{slash}"),
        mine("GET", f"/v1/refunds/{UNKNOWN_REFUND}{slash}"),
        mine("GET", f"/v1/refunds/{checkout.id}{slash}"),
        mine("GET", f"/v1/refunds/{made}{slash}?test=false"),
        mine("GET", f"/v1/payments/{checkout.id}/refunds{slash}?test=false"),
    ]
    assert [envelope(answer, 404) for answer in answers] == [NOT_FOUND] * len(answers)
    assert stranger.request("GET", "/v1/refunds").json() == []
    assert shop.payment(checkout.id)["refunds"] == [made]


def test_a_key_refunds_in_its_own_mode_alone_and_a_live_key_reads_test_refunds_when_it_asks(
    modes: tuple[Shop, Shop, Shopper],
) -> None:
    test, live, shopper = modes
    tested, real = paid(test, shopper), paid(live, shopper)
    tried = [refund(test, real.id), refund(live, tested.id)]
    assert [envelope(answer, 404) for answer in tried] == [NOT_FOUND] * 2
    in_test, in_live = refund(test, tested.id).json(), refund(live, real.id).json()
    assert (in_test["test"], in_live["test"]) == (True, False)

    assert refunds_of(live, tested.id, test="true").json() == [in_test]
    assert live.request("GET", "/v1/payments/refunds?test=true").json() == [in_test]
    assert live.request("GET", f"/v1/refunds/{in_test['id']}?test=true").json()["test"] is True
    assert [row["id"] for row in live.request("GET", "/v1/refunds").json()] == [in_live["id"]]

    assert test.request("GET", "/v1/payments/refunds?test=false").json() == []
    hidden = [
        test.request("GET", f"/v1/refunds/{in_live['id']}"),
        test.request("GET", f"/v1/refunds/{in_live['id']}?test=false"),
        live.request("GET", f"/v1/refunds/{in_test['id']}"),
        refunds_of(live, tested.id),
    ]
    assert [envelope(answer, 404) for answer in hidden] == [NOT_FOUND] * 4
