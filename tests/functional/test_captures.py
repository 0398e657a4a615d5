"""Contract, "Money after the payment": held money at the checkout, captured, released, lapsed."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from payments.model.ids import Mode
from payments.web.texts import LANGUAGES, text
from tests.conftest import StackFor
from tests.support.actors import (
    CHALLENGE_CARD,
    DECLINED_CARD,
    PAID_CARD,
    Checkout,
    Shop,
    Shopper,
    open_shop,
    order,
)
from tests.support.documentation import NOT_FOUND, envelope, faults
from tests.support.html import Page
from tests.support.money import (
    amounts,
    cancel,
    capture,
    capture_elsewhere,
    held,
    let_hold_end,
    let_hold_fall_due,
    let_minutes_pass,
    paid,
    release_elsewhere,
    silent_acquirer,
)
from tests.support.records import open_attempts, statuses, stored
from tests.support.stack import Stack
from tests.support.states import bring_to

UNKNOWN_ID = "pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB"
HELD = {"authorized": "500.00", "captured": "0.00", "refunded": "0.00", "refundable": "0.00"}
WHOLE = HELD | {"captured": "500.00", "refundable": "500.00"}
PART = HELD | {"captured": "80.00", "refundable": "80.00"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def stranger(stack: Stack) -> Iterator[Shop]:
    """Another merchant."""
    shop = open_shop(stack)
    yield shop
    shop.close()


# ------------------------------------------------------------------------------ the checkout


@pytest.mark.parametrize("value", [True, None])
def test_money_is_captured_at_once_unless_the_request_says_otherwise(
    value: bool | None, shop: Shop, shopper: Shopper
) -> None:
    body = order() | {"capture": value}
    checkout = Checkout.of(shop.request("POST", "/v1/payments/", json=body))
    shopper.pay(checkout)
    payment = shop.payment(checkout.id)
    assert (payment["status"], payment["paid"]) == ("completed", True)
    assert payment["capture_before"] is None
    assert amounts(shop, checkout.id) == WHOLE


@pytest.mark.parametrize("value", ["false", 0, 1, "no", [], {}])
def test_capture_is_true_or_false(value: object, shop: Shop) -> None:
    assert faults(shop.create(capture=value)) == {"capture": "not_a_boolean"}


def test_a_shopper_who_authorizes_by_json_is_done(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout(capture=False)
    answer = shopper.pay(checkout)
    back = f"https://example.com/payment-result?id_payment={checkout.id}"
    assert (answer.status_code, answer.json()) == (200, {"status": "authorized", "redirect": back})
    assert shopper.status(checkout).json() == answer.json()


def test_a_shopper_who_authorizes_by_form_returns_as_after_paying(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout(capture=False)
    answer = shopper.pay_by_form(checkout)
    assert shopper.way_out(answer) == f"https://example.com/payment-result?id_payment={checkout.id}"


def test_a_hold_goes_through_3ds_like_a_payment(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout(capture=False)
    shopper.answer_challenge(shopper.start_challenge(checkout))
    payment = shop.payment(checkout.id)
    assert payment["status"] == "authorized"
    assert payment["three_d_secure"]["flow"] == "challenge"


def test_a_declined_card_holds_nothing(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout(capture=False)
    assert shopper.pay(checkout, DECLINED_CARD).status_code == 402
    assert set(amounts(shop, checkout.id).values()) == {"0.00"}
    assert shopper.pay(checkout, PAID_CARD).status_code == 200
    assert amounts(shop, checkout.id) == HELD


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_status_page_of_held_money_says_that_the_shopper_is_through(
    language: str, shop: Shop, shopper: Shopper
) -> None:
    shopper.session.headers["Accept-Language"] = language
    page = Page(shopper.status(held(shop, shopper), as_json=False))
    assert _says(page, "page.paid_title", language)
    assert _says(page, "page.paid", language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_status_page_of_released_money_blames_nobody(
    language: str, shop: Shop, shopper: Shopper
) -> None:
    """It was the merchant who canceled, not the shopper."""
    checkout = held(shop, shopper)
    cancel(shop, checkout.id)
    shopper.session.headers["Accept-Language"] = language
    page = Page(shopper.status(checkout, as_json=False))
    assert _says(page, "page.canceled", language)


def _says(page: Page, key: str, language: str) -> bool:
    """White space aside."""
    return " ".join(text(key, language).split()) in " ".join(page.text.split())


def test_held_money_can_be_neither_paid_again_nor_given_up_by_the_shopper(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = held(shop, shopper)
    before = stored(stack, checkout)
    answer = shopper.pay(checkout)
    assert envelope(answer, 409, "reason")["reason"] == "already_paid"
    shopper.cancel(checkout)
    assert stored(stack, checkout) == before


# ------------------------------------------------------------------------------ the views


def test_the_one_view_of_held_money(shop: Shop, shopper: Shopper) -> None:
    payment = shop.payment(held(shop, shopper).id)
    assert (payment["status"], payment["paid"], payment["redirect"]) == ("authorized", False, None)
    assert {name: payment[f"{name}_amount"] for name in HELD} == HELD
    assert (payment["cancellation_reason"], payment["refunds"]) == (None, [])
    assert "operation" not in payment


def test_capture_before_is_the_acquirer_s(shop: Shop, shopper: Shopper) -> None:
    """The simulated one holds money for seven days."""
    before = time.time()
    payment = shop.payment(held(shop, shopper).id)
    assert MOMENT.fullmatch(payment["capture_before"])
    until = time.mktime(time.strptime(payment["capture_before"], "%Y-%m-%dT%H:%M:%SZ"))
    seven_days = until - time.timezone - before
    assert -1 <= seven_days - 7 * 24 * 3600 <= time.time() - before + 1


@pytest.mark.parametrize("capture_it", [False, True])
def test_the_list_tells_the_request_s_capture_and_what_was_captured(
    capture_it: bool, shop: Shop, shopper: Shopper
) -> None:
    checkout = held(shop, shopper)
    if capture_it:
        capture(shop, checkout.id, amount="80.00")
    status = "succeeded" if capture_it else "authorized"
    for query in ({}, {"status": status}):
        (row,) = shop.list(**query).json()
        assert (row["status"], row["capture"], row["refund"]) == (status, False, None)
        assert row["captured"] == (80.0 if capture_it else None)


def test_fee_and_net_follow_what_was_captured(shop: Shop, shopper: Shopper) -> None:
    """5 % and USD 0.50 of what was taken, not of what was held."""
    checkout = held(shop, shopper)
    (row,) = shop.list().json()
    assert (row["amount"], row["fee"], row["net"]) == (500.0, 25.5, 474.5)
    capture(shop, checkout.id, amount="80.00")
    (row,) = shop.list().json()
    assert (row["amount"], row["fee"], row["net"]) == (500.0, 4.5, 75.5)


@pytest.mark.parametrize("reference", ["1", "ORDER 1001/b", "x" * 255, None])
def test_a_reference_is_given_back(reference: str | None, shop: Shop) -> None:
    assert shop.payment(shop.checkout(reference=reference).id)["reference"] == reference


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("", "too_short"),
        ("x" * 256, "too_long"),
        (" x", "invalid"),
        ("x\n", "invalid"),
        ("naïve", "invalid"),
        (PAID_CARD, "holds_card_number"),
        (1001, "not_a_string"),
    ],
)
def test_a_reference_has_bounds(reference: object, code: str, shop: Shop) -> None:
    assert faults(shop.create(reference=reference)) == {"reference": code}


# ------------------------------------------------------------------------------ capture


@pytest.mark.parametrize("body", [{}, {"amount": None}, {"amount": "500"}, {"unknown": 1}])
def test_all_the_money_is_captured_unless_an_amount_says_otherwise(
    body: dict[str, Any], shop: Shop, shopper: Shopper
) -> None:
    checkout = held(shop, shopper)
    answer = capture(shop, checkout.id, **body)
    assert answer.status_code == 200
    assert answer.json() == shop.payment(checkout.id)
    assert (answer.json()["status"], answer.json()["paid"]) == ("completed", True)
    assert amounts(shop, checkout.id) == WHOLE


def test_a_capture_needs_no_body_at_all(shop: Shop, shopper: Shopper) -> None:
    checkout = held(shop, shopper)
    assert shop.request("POST", f"/v1/payments/{checkout.id}/capture").status_code == 200
    assert amounts(shop, checkout.id) == WHOLE


def test_a_part_is_captured_and_the_rest_released(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = held(shop, shopper)
    assert capture(shop, checkout.id, amount="80.00").status_code == 200
    assert amounts(shop, checkout.id) == PART
    assert statuses(stored(stack, checkout))[-2:] == ["authorized", "succeeded"]
    assert open_attempts(stack, checkout) == []


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("0", "amount_not_positive"),
        ("-1", "invalid_amount"),
        ("1e2", "invalid_amount"),
        ("", "invalid_amount"),
        ("0.001", "too_many_decimals"),
        ("9" * 13, "amount_too_large"),
        ("500.01", "too_large"),
        (80, "not_a_string"),
        (["80"], "not_a_string"),
    ],
)
def test_the_amount_of_a_capture_has_bounds(
    amount: object, code: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = held(shop, shopper)
    assert faults(capture(shop, checkout.id, amount=amount)) == {"amount": code}
    assert amounts(shop, checkout.id) == HELD


def test_too_large_says_how_much_is_held(shop: Shop, shopper: Shopper) -> None:
    answer = capture(shop, held(shop, shopper).id, amount="500.01")
    assert "500.00" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("body", ["{", "[]", "null", '"x"'])
@pytest.mark.parametrize("action", ["capture", "cancel", "refunds"])
def test_a_body_is_a_json_object(body: str, action: str, shop: Shop, shopper: Shopper) -> None:
    checkout = held(shop, shopper)
    answer = shop.request(
        "POST",
        f"/v1/payments/{checkout.id}/{action}",
        data=body,
        headers={"Content-Type": "application/json"},
    )
    assert faults(answer) == {"body": "malformed"}
    assert amounts(shop, checkout.id) == HELD


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("unpaid", "not_authorized"),
        ("declined", "not_authorized"),
        ("challenged", "not_authorized"),
        ("failed", "not_authorized"),
        ("canceled", "canceled"),
        ("paid", "already_captured"),
    ],
)
def test_only_held_money_can_be_captured(
    state: str, reason: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    bring_to(state, shopper, checkout)
    body = envelope(capture(shop, checkout.id), 409, "reason")
    assert body["reason"] == reason
    assert body["content"] == text(f"error.{reason}.content", "en")


@pytest.mark.parametrize("amount", [None, "80.00"])
def test_money_is_captured_once(amount: str | None, shop: Shop, shopper: Shopper) -> None:
    checkout = held(shop, shopper)
    capture(shop, checkout.id, amount="80.00")
    again = capture(shop, checkout.id, amount=amount)
    assert envelope(again, 409, "reason")["reason"] == "already_captured"
    assert amounts(shop, checkout.id) == PART


def test_released_money_cannot_be_captured(shop: Shop, shopper: Shopper) -> None:
    checkout = held(shop, shopper)
    cancel(shop, checkout.id)
    assert envelope(capture(shop, checkout.id), 409, "reason")["reason"] == "canceled"


def test_nothing_is_captured_after_its_time(shop: Shop, shopper: Shopper, stack: Stack) -> None:
    checkout = held(shop, shopper)
    let_hold_end(stack, checkout)
    answer = capture(shop, checkout.id)
    assert envelope(answer, 409, "reason")["reason"] == "authorization_expired"
    assert amounts(shop, checkout.id) == HELD


def test_money_that_nobody_captured_in_time_is_released(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = held(shop, shopper)
    deadline = time.monotonic() + 60
    while shop.payment(checkout.id)["status"] == "authorized":
        assert time.monotonic() < deadline, "the hold does not lapse"
        # A run that began before may note its own next minute once; then this is said again.
        let_hold_fall_due(stack, checkout, int(time.time()) // 60 - 2)
    payment = shop.payment(checkout.id)
    assert (payment["status"], payment["cancellation_reason"]) == (
        "canceled",
        "authorization_expired",
    )
    assert payment["paid"] is False
    assert amounts(shop, checkout.id) == HELD
    answer = capture(shop, checkout.id)
    assert envelope(answer, 409, "reason")["reason"] == "authorization_expired"


def test_a_capture_that_the_acquirer_refuses_is_a_402_and_the_money_stays_held(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = held(shop, shopper)
    release_elsewhere(stack, checkout)
    answer = capture(shop, checkout.id)
    assert answer.status_code == 402
    assert answer.json()["error"] == {
        "code": 402,
        "type": "operation_refused",
        "message": text("operation_refused.message", "en"),
        "decline_reason": "refused_by_acquirer",
        "decline_code": "refused_by_acquirer",
    }
    payment = shop.payment(checkout.id)
    assert payment["status"] == "authorized"
    assert "operation" not in payment
    assert open_attempts(stack, checkout) == []


# ------------------------------------------------------------------------------ keys of captures


def test_the_same_key_and_body_captures_once_and_answers_the_same(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = held(shop, shopper)
    key = {"Idempotency-Key": "capture-1"}
    first = capture(shop, checkout.id, key, amount="80.00")
    second = capture(shop, checkout.id, key, amount="80.00")
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == first.json()
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"


def test_a_key_with_another_body_is_a_409(shop: Shop, shopper: Shopper) -> None:
    checkout = held(shop, shopper)
    key = {"Idempotency-Key": "capture-1"}
    capture(shop, checkout.id, key, amount="80.00")
    again = capture(shop, checkout.id, key, amount="81.00")
    assert envelope(again, 409, "reason")["reason"] == "key_reused"
    assert amounts(shop, checkout.id) == PART


def test_a_refused_capture_binds_no_key(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout(capture=False)
    key = {"Idempotency-Key": "capture-1"}
    assert capture(shop, checkout.id, key).status_code == 409
    shopper.pay(checkout)
    assert capture(shop, checkout.id, key, amount="500.01").status_code == 400
    assert capture(shop, checkout.id, key, amount="80.00").status_code == 200
    assert amounts(shop, checkout.id) == PART


def test_the_key_of_a_capture_that_the_acquirer_refused_gives_the_same_refusal_again(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = held(shop, shopper)
    release_elsewhere(stack, checkout)
    answers = [capture(shop, checkout.id, {"Idempotency-Key": "capture-1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [402, 402]
    assert shop.payment(checkout.id)["status"] == "authorized"


def test_a_key_counts_for_one_payment(shop: Shop, shopper: Shopper) -> None:
    key = {"Idempotency-Key": "capture"}
    answers = [capture(shop, held(shop, shopper).id, key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert not any("Idempotent-Replayed" in answer.headers for answer in answers)


@pytest.mark.parametrize("key", ["k" * 256, "two words"])
def test_a_malformed_key_is_refused(key: str, shop: Shop, shopper: Shopper) -> None:
    answer = capture(shop, held(shop, shopper).id, {"Idempotency-Key": key})
    assert faults(answer) == {"Idempotency-Key": "invalid_idempotency_key"}


# ------------------------------------------------------------------------------ cancel


@pytest.mark.parametrize(
    "reason", ["requested_by_customer", "duplicate", "fraudulent", "abandoned", None]
)
@pytest.mark.parametrize("state", ["unpaid", "declined"])
def test_an_unpaid_payment_is_canceled_at_once(
    state: str, reason: str | None, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    bring_to(state, shopper, checkout)
    answer = cancel(shop, checkout.id, reason=reason)
    assert answer.status_code == 200
    assert answer.json() == shop.payment(checkout.id)
    assert (answer.json()["status"], answer.json()["cancellation_reason"]) == ("canceled", reason)
    assert shopper.pay(checkout).json()["reason"] == "canceled"


def test_a_shopper_who_gives_up_has_abandoned_the_payment(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    shopper.cancel(checkout)
    assert shop.payment(checkout.id)["cancellation_reason"] == "abandoned"


def test_held_money_is_released_at_the_acquirer(shop: Shop, shopper: Shopper, stack: Stack) -> None:
    checkout = held(shop, shopper)
    answer = cancel(shop, checkout.id, reason="duplicate")
    assert answer.status_code == 200
    assert answer.json()["status"] == "canceled"
    assert answer.json()["cancellation_reason"] == "voided"
    assert answer.json()["paid"] is False
    assert amounts(shop, checkout.id) == HELD
    assert open_attempts(stack, checkout) == []


@pytest.mark.parametrize("holds", [False, True])
def test_canceling_again_gives_the_same_answer(holds: bool, shop: Shop, shopper: Shopper) -> None:
    checkout = held(shop, shopper) if holds else shop.checkout()
    first = cancel(shop, checkout.id)
    second = cancel(shop, checkout.id, reason="fraudulent")
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == first.json()


@pytest.mark.parametrize("value", ["other", "", 1, ["duplicate"]])
def test_the_reason_of_a_cancel_is_one_of_four(value: object, shop: Shop) -> None:
    checkout = shop.checkout()
    assert faults(cancel(shop, checkout.id, reason=value)) == {"reason": "not_allowed"}
    assert shop.payment(checkout.id)["status"] == "requires_action"


@pytest.mark.parametrize(
    ("state", "reason", "message"),
    [
        ("challenged", "in_progress", "in_progress"),
        ("paid", "already_paid", "cancel_already_paid"),
        ("failed", "failed", "failed"),
    ],
)
def test_what_is_under_way_or_ended_is_not_canceled(
    state: str, reason: str, message: str, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    bring_to(state, shopper, checkout)
    before = stored(stack, checkout)
    answer = cancel(shop, checkout.id)
    body = envelope(answer, 409, "reason")
    assert (body["reason"], body["content"]) == (reason, text(f"error.{message}.content", "en"))
    assert ("Retry-After" in answer.headers) == (reason == "in_progress")
    assert stored(stack, checkout) == before


def test_captured_and_refunded_money_is_not_canceled(shop: Shop, shopper: Shopper) -> None:
    captured = held(shop, shopper)
    capture(shop, captured.id)
    refunded = paid(shop, shopper)
    shop.request("POST", f"/v1/payments/{refunded.id}/refunds")
    for checkout in (captured, refunded):
        answer = cancel(shop, checkout.id)
        assert envelope(answer, 409, "reason")["reason"] == "already_paid"


def test_an_expired_payment_is_not_canceled(stack_for: StackFor) -> None:
    shop = open_shop(stack_for(PaymentLifetimeSeconds="2"))
    checkout = shop.checkout()
    deadline = time.monotonic() + 30
    while shop.payment(checkout.id)["status"] != "expired":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert envelope(cancel(shop, checkout.id), 409, "reason")["reason"] == "expired"
    assert envelope(capture(shop, checkout.id), 409, "reason")["reason"] == "not_authorized"


def test_a_cancel_that_the_acquirer_refuses_is_a_402_and_the_money_stays_held(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = held(shop, shopper)
    capture_elsewhere(stack, checkout)
    answer = cancel(shop, checkout.id)
    assert answer.status_code == 402
    assert answer.json()["error"]["decline_code"] == "refused_by_acquirer"
    assert shop.payment(checkout.id)["status"] == "authorized"


# ------------------------------------------------------------------------------ no answer


@pytest.fixture
def lonely(stack_for: StackFor) -> Iterator[tuple[Shop, Shopper]]:
    """On a stack whose acquirer may fall silent."""
    stack = stack_for(LogRetentionDays="5")
    shop, shopper = open_shop(stack), Shopper(stack)
    yield shop, shopper
    shop.close()
    shopper.close()


@pytest.mark.parametrize(
    ("act", "ended", "prefix"),
    [(capture, "completed", "cap_"), (cancel, "canceled", "void_")],
    ids=["capture", "cancel"],
)
def test_without_an_answer_it_is_under_way_until_the_reconciler_ends_it(
    act: Any, ended: str, prefix: str, lonely: tuple[Shop, Shopper]
) -> None:
    shop, shopper = lonely
    checkout = held(shop, shopper)
    with silent_acquirer(shop.stack):
        answer = act(shop, checkout.id)
        others = [capture(shop, checkout.id), cancel(shop, checkout.id)]
    assert answer.status_code == 202
    payment = shop.payment(checkout.id)
    assert answer.json() == payment
    assert (payment["status"], payment["operation"]["status"]) == ("authorized", "pending")
    assert payment["operation"]["id"].startswith(prefix)
    # The lock is one: what is under way is neither begun again nor contradicted.
    assert [other.status_code for other in others] == [409, 409 if act is capture else 202]
    for other in others:
        if other.status_code == 409:
            body = envelope(other, 409, "reason")
            assert body["reason"] == "in_progress"
            assert body["content"] == text("error.operation_in_progress.content", "en")
            assert other.headers["Retry-After"]

    let_minutes_pass(shop.stack, checkout)

    payment = shop.payment(checkout.id)
    assert payment["status"] == ended
    assert "operation" not in payment
    assert open_attempts(shop.stack, checkout) == []


def test_a_capture_without_an_answer_is_replayed_by_its_key(lonely: tuple[Shop, Shopper]) -> None:
    shop, shopper = lonely
    checkout = held(shop, shopper)
    key = {"Idempotency-Key": "capture-1"}
    with silent_acquirer(shop.stack):
        first = capture(shop, checkout.id, key, amount="80.00")
        second = capture(shop, checkout.id, key, amount="80.00")
    let_minutes_pass(shop.stack, checkout)
    third = capture(shop, checkout.id, key, amount="80.00")
    assert [answer.status_code for answer in (first, second, third)] == [202, 202, 200]
    assert second.headers["Idempotent-Replayed"] == third.headers["Idempotent-Replayed"] == "true"
    assert amounts(shop, checkout.id) == PART


# ------------------------------------------------------------------------------ whose it is


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("action", ["capture", "cancel"])
def test_nobody_else_s_payment_and_no_payment_are_the_same_404(
    action: str, slash: str, shop: Shop, shopper: Shopper, stranger: Shop
) -> None:
    checkout = held(shop, shopper)
    before = shop.payment(checkout.id)
    live = open_shop(shop.stack, Mode.LIVE, _merchant_of(checkout))
    answers = [
        other.request("POST", f"/v1/payments/{payment_id}/{action}{slash}", json={})
        for other, payment_id in (
            (stranger, checkout.id),
            (live, checkout.id),
            (shop, UNKNOWN_ID),
            (shop, "pay_1"),
            (shop, "ref_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB"),
        )
    ]
    live.close()
    assert [envelope(answer, 404) for answer in answers] == [NOT_FOUND] * 5
    assert shop.payment(checkout.id) == before


def _merchant_of(checkout: Checkout) -> str:
    return checkout.client_secret.split("_")[2]


def test_a_challenged_hold_is_captured_once_the_shopper_is_back(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout(capture=False)
    challenge = shopper.pay(checkout, CHALLENGE_CARD).json()["redirect"]
    assert envelope(capture(shop, checkout.id), 409, "reason")["reason"] == "not_authorized"
    shopper.answer_challenge(challenge)
    assert capture(shop, checkout.id).status_code == 200
