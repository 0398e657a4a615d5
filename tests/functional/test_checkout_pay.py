"""Section 5 of the contract: paying by form and by JSON, attempts, and who pays twice at once."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from urllib.parse import urljoin

import pytest
import requests

from tests.conftest import StackFor
from tests.support.actors import (
    CHALLENGE_CARD,
    DECLINED_CARD,
    INSUFFICIENT_FUNDS_CARD,
    ONE_TIME_CODE,
    PAID_CARD,
    TYPED_CARD,
    Shop,
    Shopper,
    open_shop,
)
from tests.support.documentation import envelope, faults
from tests.support.html import Page
from tests.support.records import attempts_made, ledger, questions, stored, times_paid
from tests.support.stack import Stack
from tests.support.states import bring_to
from tests.support.walking import OUTCOME_SECONDS, checkout_page, leave

# ------------------------------------------------------------------------------ paying by form


def test_without_javascript_a_shopper_pays_by_the_pages_form_and_returns_to_the_shop(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    form = checkout_page(shopper, checkout).form("card_number")

    answer = form.send(shopper.session, **TYPED_CARD)

    assert answer.status_code == 303
    assert leave(shopper, answer) == f"https://example.com/payment-result?id_payment={checkout.id}"
    assert shop.payment(checkout.id)["status"] == "completed"


def test_the_whole_way_works_under_a_stage_prefix_too(stack_for: StackFor) -> None:
    staged = stack_for(stage="prod")
    shop, shopper = open_shop(staged), Shopper(staged)
    checkout = shop.checkout()
    typed = TYPED_CARD | {"card_number": CHALLENGE_CARD}
    page = checkout_page(shopper, checkout)
    assert shopper.open(urljoin(page.url, page.all("script")[0].attributes["src"])).ok

    to_challenge = page.form("card_number").send(shopper.session, **typed)
    challenge = Page(shopper.open(shopper.way_out(to_challenge)))
    back = challenge.form("code").send(shopper.session, code=ONE_TIME_CODE)

    assert leave(shopper, back) == f"https://example.com/payment-result?id_payment={checkout.id}"
    assert shop.payment(checkout.id)["status"] == "completed"
    shop.close()
    shopper.close()


def test_a_declined_form_leads_to_the_status_page_which_says_so_and_takes_another_card(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    answer = shopper.pay_by_form(checkout, DECLINED_CARD)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{shopper.stack.url}/checkout/{checkout.id}?")

    page = Page(shopper.open(answer.headers["Location"]))
    assert "declined" in page.text.lower()
    again = page.form("card_number").send(shopper.session, **TYPED_CARD)

    assert leave(shopper, again).endswith(f"?id_payment={checkout.id}")
    assert shop.payment(checkout.id)["status"] == "completed"


def test_a_form_that_needs_a_challenge_leads_to_it(shop: Shop, shopper: Shopper) -> None:
    answer = shopper.pay_by_form(shop.checkout(), CHALLENGE_CARD)
    assert answer.status_code == 303
    assert shopper.way_out(answer).startswith(f"{shopper.stack.url}/3ds/")


@pytest.mark.parametrize("state", ["paid", "canceled", "failed", "challenged"])
def test_a_form_for_a_payment_that_cannot_be_paid_now_leads_to_the_status_page(
    state: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    bring_to(state, shopper, checkout)

    answer = shopper.pay_by_form(checkout)

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{shopper.stack.url}/checkout/{checkout.id}?")
    assert shopper.open(answer.headers["Location"]).status_code == 200


def test_a_refused_form_comes_back_with_its_faults_and_all_but_the_cards_secrets(
    shop: Shop, shopper: Shopper
) -> None:
    typed = {"card_number": "4242424242424241", "exp_month": "13", "exp_year": "2034", "cvc": "31"}
    checkout = shop.checkout()
    form = checkout_page(shopper, checkout).form("card_number")

    answer = form.send(shopper.session, **typed, name="Ada Lovelace", email="ada@example.com")

    assert answer.status_code == 400
    again = Page(answer).form("card_number")
    assert again.values["client_secret"] == checkout.client_secret
    kept = ("exp_month", "exp_year", "name", "email")
    assert [again.values[name] for name in kept] == [
        "13",
        "2034",
        "Ada Lovelace",
        "ada@example.com",
    ]
    assert (again.values["card_number"], again.values["cvc"]) == ("", "")
    described = [name for name, field in again.fields.items() if "aria-invalid" in field.attributes]
    assert sorted(described) == ["card_number", "cvc", "exp_month"]


def test_a_form_whose_method_is_unknown_comes_back_with_an_error_that_can_be_seen(
    shop: Shop, shopper: Shopper
) -> None:
    answer = shopper.pay_by_form(shop.checkout(), method="cheque")
    assert answer.status_code == 400
    assert Page(answer).link("Some of the information did not arrive correctly")


# ------------------------------------------------------------------------------ paying by JSON


def test_paying_by_json_answers_succeeded_and_the_way_back(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    answer = shopper.pay(checkout)
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "succeeded",
        "redirect": f"https://example.com/payment-result?id_payment={checkout.id}",
    }


def test_paying_by_json_answers_requires_challenge_and_the_way_to_it(
    shop: Shop, shopper: Shopper
) -> None:
    answer = shopper.pay(shop.checkout(), CHALLENGE_CARD)
    assert answer.status_code == 202
    assert list(answer.json()) == ["status", "redirect"]
    assert answer.json()["status"] == "requires_challenge"
    assert shopper.open(answer.json()["redirect"]).status_code == 200


@pytest.mark.parametrize(
    ("number", "reason"),
    [(DECLINED_CARD, "generic_decline"), (INSUFFICIENT_FUNDS_CARD, "insufficient_funds")],
)
def test_a_decline_is_a_402_in_the_documentations_shape(
    number: str, reason: str, shop: Shop, shopper: Shopper
) -> None:
    answer = shopper.pay(shop.checkout(), number)
    assert answer.status_code == 402
    error = answer.json()["error"]
    assert list(answer.json()) == ["error"]
    assert list(error)[:4] == ["code", "type", "message", "decline_reason"]
    assert error == {
        "code": 402,
        "type": "payment_failed",
        "message": "Card declined. Please try another payment method.",
        "decline_reason": reason,
        "decline_code": reason,
    }


def test_field_errors_come_all_at_once(shop: Shop, shopper: Shopper) -> None:
    typed = {"exp_month": "0", "exp_year": "x", "cvc": "1", "name": PAID_CARD, "email": "nobody"}
    answer = shopper.pay(shop.checkout(), "1", **typed)
    assert faults(answer).keys() == {"card_number", *typed}


def test_missing_fields_come_all_at_once(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    url = f"{shopper.stack.url}/checkout/{checkout.id}"
    answer = shopper.post(url, json={"client_secret": checkout.client_secret})
    assert faults(answer).keys() == {"card_number", "exp_month", "exp_year", "cvc", "name"}


@pytest.mark.parametrize("secret", [None, 17, ["a"], {"a": "b"}, True])
def test_a_secret_that_is_no_text_is_a_404(secret: object, shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    assert shopper.pay(checkout, client_secret=secret).status_code == 404


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("paid", "already_paid"),
        ("challenged", "in_progress"),
        ("canceled", "canceled"),
        ("failed", "failed"),
    ],
)
def test_a_payment_that_cannot_be_paid_now_is_a_409_with_the_reason(
    state: str, reason: str, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    bring_to(state, shopper, checkout)
    before = stored(stack, checkout), ledger(stack, checkout)

    answer = shopper.pay(checkout)

    assert envelope(answer, 409, "reason")["reason"] == reason
    assert (stored(stack, checkout), ledger(stack, checkout)) == before


def test_text_that_is_no_text_is_never_stored(shop: Shop, shopper: Shopper) -> None:
    """Half a character in the e-mail must not break the merchant's reading of the payment."""
    checkout = shop.checkout()
    url = f"{shopper.stack.url}/checkout/{checkout.id}"
    body = json.dumps(shopper.card_form(checkout, PAID_CARD, email="\ud800@example.com"))
    answer = shopper.post(url, data=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert shop.get(checkout.id).status_code == 200
    assert shop.list().status_code == 200


# ------------------------------------------------------------------------------ slow outcomes


@pytest.fixture(scope="module")
def impatient(stack_for: StackFor) -> Iterator[tuple[Shop, Shopper]]:
    """A stack whose checkout does not wait for any outcome."""
    running = stack_for(OutcomeWaitSeconds="0")
    shop, shopper = open_shop(running), Shopper(running)
    yield shop, shopper
    shop.close()
    shopper.close()


def test_an_outcome_that_takes_too_long_is_answered_with_processing_and_the_status_page(
    impatient: tuple[Shop, Shopper],
) -> None:
    shop, shopper = impatient
    checkout = shop.checkout()

    answer = shopper.pay(checkout)

    assert answer.status_code == 202
    assert list(answer.json()) == ["status", "redirect"]
    assert answer.json()["status"] == "processing"
    assert answer.json()["redirect"].startswith(f"{shopper.stack.url}/checkout/{checkout.id}?")
    status_page = shopper.open(answer.json()["redirect"])
    assert status_page.status_code == 200
    assert Page(status_page).headings


def test_without_javascript_the_status_page_waits_and_then_leads_back_to_the_shop(
    impatient: tuple[Shop, Shopper],
) -> None:
    shop, shopper = impatient
    checkout = shop.checkout()
    answer = shopper.pay_by_form(checkout)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{shopper.stack.url}/checkout/{checkout.id}?")

    deadline = time.monotonic() + OUTCOME_SECONDS
    while shopper.status(checkout).json()["status"] == "processing":
        assert time.monotonic() < deadline, "no outcome in time"
        time.sleep(0.05)
    page = Page(shopper.open(answer.headers["Location"]))

    assert page.link("return") == f"https://example.com/payment-result?id_payment={checkout.id}"
    assert shop.payment(checkout.id)["status"] == "completed"


def test_the_waiting_page_refreshes_itself_until_the_shopper_is_back_at_the_shop(
    impatient: tuple[Shop, Shopper],
) -> None:
    """Whether the waiting page is seen depends on who is faster: over several payments it is."""
    shop, shopper = impatient
    waited = 0
    for _ in range(10):
        checkout = shop.checkout()
        page = shopper.open(shopper.pay_by_form(checkout).headers["Location"])
        if 'http-equiv="refresh"' in page.text:
            waited += 1
            assert leave(shopper, page).endswith(f"?id_payment={checkout.id}")
            assert shop.payment(checkout.id)["status"] == "completed"
            break

    assert waited


def test_by_default_the_checkout_waits_10_seconds_for_an_outcome(stack: Stack) -> None:
    settings = stack.aws("lambda").get_function_configuration(
        FunctionName=stack.resources["CheckoutFunction"]
    )
    assert str(settings["Environment"]["Variables"]["OUTCOME_WAIT_SECONDS"]) == "10"


# ------------------------------------------------------------------------------ 3DS, attempts


@pytest.mark.parametrize("number", [PAID_CARD, DECLINED_CARD])
def test_every_charge_asks_for_3ds_before_it_asks_for_money(
    number: str, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, number)
    assert questions(stack, checkout) == [["authenticate", "authorize"]]


def test_after_a_decline_the_shopper_may_try_another_card(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    assert shopper.pay(checkout, DECLINED_CARD).status_code == 402
    assert shop.payment(checkout.id)["status"] == "requires_action"

    assert shopper.pay(checkout, PAID_CARD).status_code == 200

    assert shop.payment(checkout.id)["status"] == "completed"
    assert times_paid(stack, checkout) == 1


def test_the_fifth_attempt_may_still_pay(shop: Shop, shopper: Shopper, stack: Stack) -> None:
    checkout = shop.checkout()
    for _ in range(4):
        assert shopper.pay(checkout, DECLINED_CARD).status_code == 402
    assert shopper.pay(checkout, PAID_CARD).status_code == 200
    assert shop.payment(checkout.id)["status"] == "completed"
    assert times_paid(stack, checkout) == 1


def test_after_five_declines_the_payment_has_failed(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    answers = [shopper.pay(checkout, INSUFFICIENT_FUNDS_CARD) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [402] * 5
    assert shop.payment(checkout.id)["status"] == "failed"
    assert len(ledger(stack, checkout)) == 5
    refused = shopper.pay(checkout, PAID_CARD)
    assert (refused.status_code, refused.json()["reason"]) == (409, "failed")
    assert times_paid(stack, checkout) == 0


def test_challenges_that_were_not_passed_count_as_attempts_too(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    for action in ("fail", "abandon", "fail", "abandon", "fail"):
        url = shopper.start_challenge(checkout)
        if action == "fail":
            shopper.answer_challenge(url, action="fail")
        else:
            shopper.post(f"{url}/abandon")

    assert shop.payment(checkout.id)["status"] == "failed"


def test_refused_input_uses_no_attempt(shop: Shop, shopper: Shopper, stack: Stack) -> None:
    checkout = shop.checkout()
    for _ in range(3):
        assert shopper.pay(checkout, "4242424242424241").status_code == 400
        assert shopper.pay(checkout, cvc="1").status_code == 400
        assert shopper.pay_by_form(checkout, exp_month="13").status_code == 400
    assert ledger(stack, checkout) == []
    assert attempts_made(stack, checkout) == 0

    for _ in range(4):
        assert shopper.pay(checkout, DECLINED_CARD).status_code == 402
    assert shopper.pay(checkout).status_code == 200


# ------------------------------------------------------------------------------ twice at once


def at_once(acts: list[Callable[[], requests.Response]]) -> list[requests.Response]:
    """The answers to requests sent at the same moment."""
    barrier = Barrier(len(acts))

    def wait_and_act(act: Callable[[], requests.Response]) -> requests.Response:
        barrier.wait(10)
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(wait_and_act, acts))


def test_two_shoppers_who_pay_one_payment_at_once_are_charged_once(
    shop: Shop, stack: Stack
) -> None:
    shoppers = [Shopper(stack) for _ in range(6)]
    for _ in range(3):
        checkout = shop.checkout()

        answers = at_once([partial(shopper.pay, checkout) for shopper in shoppers])

        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
        reasons = {answer.json()["reason"] for answer in answers if answer.status_code == 409}
        assert reasons <= {"in_progress", "already_paid"}
        assert times_paid(stack, checkout) == 1
        assert len(ledger(stack, checkout)) == 1
        assert attempts_made(stack, checkout) == 1
    for shopper in shoppers:
        shopper.close()


@pytest.mark.parametrize("as_form", [False, True])
def test_a_form_submitted_twice_at_once_is_one_attempt_with_one_answer(
    as_form: bool, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    token = checkout_page(shopper, checkout).form("card_number").values["attempt"]
    shoppers = [Shopper(stack) for _ in range(4)]

    answers = at_once(
        [
            partial(other.pay_by_form if as_form else other.pay, checkout, attempt=token)
            for other in shoppers
        ]
    )

    assert [answer.status_code for answer in answers] == [303 if as_form else 200] * 4
    link = f"https://example.com/payment-result?id_payment={checkout.id}"
    for answer in answers:
        assert (shoppers[0].way_out(answer) if as_form else answer.json()["redirect"]) == link
    assert attempts_made(stack, checkout) == 1
    assert times_paid(stack, checkout) == 1
    for other in shoppers:
        other.close()


@pytest.mark.parametrize(("number", "status"), [(PAID_CARD, 200), (DECLINED_CARD, 402)])
def test_a_form_submitted_again_later_gets_the_first_answer_again(
    number: str, status: int, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    first, second = (shopper.pay(checkout, number, attempt="one-rendering-17") for _ in range(2))

    assert (first.status_code, second.status_code) == (status, status)
    assert first.json() == second.json()
    assert len(ledger(stack, checkout)) == 1


def test_the_same_token_on_two_payments_is_two_attempts(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkouts = [shop.checkout() for _ in range(2)]
    for checkout in checkouts:
        assert shopper.pay(checkout, attempt="one-rendering-17").status_code == 200
    assert [times_paid(stack, checkout) for checkout in checkouts] == [1, 1]


def test_paying_and_giving_up_at_once_ends_in_one_of_the_two(shop: Shop, stack: Stack) -> None:
    payer, quitter = Shopper(stack), Shopper(stack)
    for _ in range(6):
        checkout = shop.checkout()

        paid, _ = at_once([partial(payer.pay, checkout), partial(quitter.cancel, checkout)])

        status = shop.payment(checkout.id)["status"]
        assert (paid.status_code, status, times_paid(stack, checkout)) in [
            (200, "completed", 1),
            (409, "canceled", 0),
        ]
    payer.close()
    quitter.close()
