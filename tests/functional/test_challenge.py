"""Section 5 of the contract, 3DS challenges: passing, failing, leaving, and coming back twice."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from payments.model.ids import Mode
from tests.conftest import StackFor
from tests.support.actors import (
    CHALLENGE_CARD,
    DECLINED_CARD,
    ONE_TIME_CODE,
    PAID_CARD,
    Checkout,
    Shop,
    Shopper,
    open_shop,
)
from tests.support.html import Page
from tests.support.records import open_attempts, questions, stored
from tests.support.stack import Stack

TIMEOUT_SECONDS = 2
NOTICING_SECONDS = 10  # how long a workflow may take to notice, at the very most
PROVES_128_BITS = re.compile(r"[0-9a-f]{32,}|[A-Za-z0-9_-]{22,}")


def return_url(checkout: Checkout) -> str:
    return f"https://example.com/payment-result?id_payment={checkout.id}"


def is_status_page(answer: requests.Response, checkout: Checkout) -> bool:
    """A redirect to the page that shows how the payment stands."""
    return answer.status_code == 303 and f"/checkout/{checkout.id}?" in answer.headers["Location"]


# ------------------------------------------------------------------------------ the challenge


def test_the_challenge_page_says_who_asks_for_how_much_and_from_which_card(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout(amount="12.30")
    answer = shopper.open(shopper.start_challenge(checkout))
    assert answer.status_code == 200
    text = Page(answer).text
    for shown in ("Corner Shop", "$12.30", CHALLENGE_CARD[-4:]):
        assert shown in text


@pytest.mark.parametrize("number", [CHALLENGE_CARD, "4000000000003220"])
def test_passing_the_challenge_pays_and_leads_back_to_the_shop(
    number: str, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    challenge = shopper.pay(checkout, number).json()["redirect"]
    form = Page(shopper.open(challenge)).form("code")

    answer = form.send(shopper.session, code=ONE_TIME_CODE)

    assert shopper.way_out(answer) == return_url(checkout)
    view = shop.payment(checkout.id)
    assert (view["status"], view["card_last4"]) == ("completed", number[-4:])
    assert questions(stack, checkout) == [["authenticate", "authorize"]]


def test_nothing_is_charged_while_the_challenge_is_open(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)
    shopper.open(challenge)
    shopper.status(checkout)

    assert shop.payment(checkout.id)["status"] == "processing"
    assert questions(stack, checkout) == [["authenticate"]]


def test_the_outcome_is_stored_before_the_shopper_is_sent_back(
    shop: Shop, shopper: Shopper
) -> None:
    """Each time the merchant asks in the very moment the shopper arrives."""
    for _ in range(5):
        checkout = shop.checkout()
        answer = shopper.answer_challenge(shopper.start_challenge(checkout))
        assert shopper.way_out(answer) == return_url(checkout)
        assert shop.payment(checkout.id)["status"] == "completed"


def test_the_return_works_as_a_post_too(shop: Shop, shopper: Shopper) -> None:
    """Issuers send shoppers back by either method."""
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)
    back = shopper.post(challenge, data={"code": ONE_TIME_CODE, "action": "pass"})

    answer = shopper.post(back.headers["Location"], data={"cres": "whatever the issuer adds"})

    assert shopper.way_out(answer) == return_url(checkout)
    assert shop.payment(checkout.id)["status"] == "completed"


def test_the_fail_button_declines_the_attempt_and_leaves_the_payment_payable(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)
    fail = [
        button
        for button in Page(shopper.open(challenge)).all("button")
        if button.attributes.get("value") == "fail"
    ]
    assert len(fail) == 1

    answer = shopper.answer_challenge(challenge, code="", action="fail")

    assert is_status_page(answer, checkout)
    view = shop.payment(checkout.id)
    assert (view["status"], view["decline_code"]) == ("requires_action", "authentication_failed")
    assert questions(stack, checkout) == [["authenticate"]]
    assert shopper.pay(checkout, PAID_CARD).status_code == 200


def test_with_live_money_the_challenge_has_neither_a_known_code_nor_a_fail_button(
    stack_for: StackFor,
) -> None:
    live = stack_for(LiveAcquirer="simulator", AuthorizerCacheSeconds="1")
    shop, shopper = open_shop(live, Mode.LIVE), Shopper(live)

    page = Page(shopper.open(shopper.start_challenge(shop.checkout())))

    assert "code" in page.form("code").fields
    assert ONE_TIME_CODE not in page.text
    assert [button.attributes["value"] for button in page.all("button")] == ["pass"]
    shop.close()
    shopper.close()


@pytest.mark.parametrize("wrong", ["000000", "", "12345", "1234567", "１２３４５６"])
def test_a_wrong_code_is_asked_for_again_and_pays_nothing(
    wrong: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)

    answer = shopper.answer_challenge(challenge, code=wrong)

    assert answer.status_code == 400
    assert "code" in Page(answer).form("code").fields
    assert shop.payment(checkout.id)["status"] == "processing"
    assert shopper.way_out(shopper.answer_challenge(challenge)) == return_url(checkout)


def test_three_wrong_codes_end_the_attempt(shop: Shop, shopper: Shopper, stack: Stack) -> None:
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)
    assert [shopper.answer_challenge(challenge, code="0").status_code for _ in range(2)] == [
        400
    ] * 2

    third = shopper.answer_challenge(challenge, code="0")

    assert is_status_page(third, checkout)
    view = shop.payment(checkout.id)
    assert (view["status"], view["decline_code"]) == ("requires_action", "authentication_failed")
    shopper.answer_challenge(challenge, code=ONE_TIME_CODE)
    assert shop.payment(checkout.id)["status"] == "requires_action"
    assert questions(stack, checkout) == [["authenticate"]]
    assert shopper.pay(checkout, PAID_CARD).status_code == 200


# ------------------------------------------------------------------------------ leaving it


def test_during_a_challenge_the_page_offers_to_resume_it(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)

    for page in (shopper.open(checkout.redirect), shopper.status(checkout, as_json=False)):
        assert Page(page).link("continue") == challenge
    assert shopper.status(checkout).json() == {
        "status": "requires_challenge",
        "redirect": challenge,
    }


def test_during_a_challenge_the_page_offers_to_abandon_it_and_take_another_card(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    shopper.start_challenge(checkout)
    abandon = Page(shopper.open(checkout.redirect)).form("abandon")

    answer = abandon.send(shopper.session)

    assert is_status_page(answer, checkout)
    view = shop.payment(checkout.id)
    assert (view["status"], view["decline_code"]) == ("requires_action", "authentication_abandoned")
    form = Page(shopper.open(answer.headers["Location"])).form("card_number")
    assert form.values["client_secret"] == checkout.client_secret
    assert shopper.pay(checkout, PAID_CARD).status_code == 200
    assert questions(stack, checkout) == [["authenticate"], ["authenticate", "authorize"]]


def test_an_abandoned_challenge_can_no_longer_be_passed(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)
    shopper.post(f"{challenge}/abandon")

    answer = shopper.answer_challenge(challenge)

    assert is_status_page(answer, checkout)
    assert shop.payment(checkout.id)["status"] == "requires_action"
    assert questions(stack, checkout) == [["authenticate"]]


def test_after_an_abandoned_challenge_another_challenge_can_be_passed(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    first = shopper.start_challenge(checkout)
    shopper.post(f"{first}/abandon")

    second = shopper.start_challenge(checkout)

    assert second != first
    assert shopper.way_out(shopper.answer_challenge(second)) == return_url(checkout)


def test_abandoning_what_is_already_paid_changes_nothing(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)
    shopper.answer_challenge(challenge)

    answer = shopper.post(f"{challenge}/abandon")

    assert shopper.way_out(answer) == return_url(checkout)
    assert shop.payment(checkout.id)["status"] == "completed"


@pytest.fixture(scope="module")
def hurried(stack_for: StackFor) -> Iterator[tuple[Shop, Shopper]]:
    """A stack whose challenges last two seconds."""
    running = stack_for(ChallengeTimeoutSeconds=str(TIMEOUT_SECONDS))
    shop, shopper = open_shop(running), Shopper(running)
    yield shop, shopper
    shop.close()
    shopper.close()


def test_a_challenge_that_takes_too_long_ends_the_attempt_and_another_card_may_be_tried(
    hurried: tuple[Shop, Shopper],
) -> None:
    shop, shopper = hurried
    checkout = shop.checkout()
    started = time.monotonic()
    challenge = shopper.start_challenge(checkout)
    while shopper.status(checkout).json()["status"] == "requires_challenge":
        assert time.monotonic() - started < TIMEOUT_SECONDS + NOTICING_SECONDS, "it does not end"
        time.sleep(0.1)

    assert time.monotonic() - started >= TIMEOUT_SECONDS
    view = shop.payment(checkout.id)
    assert (view["status"], view["decline_code"]) == ("requires_action", "authentication_timed_out")
    assert questions(shop.stack, checkout) == [["authenticate"]]
    while open_attempts(shop.stack, checkout):  # removed right after the outcome is stored
        assert time.monotonic() - started < TIMEOUT_SECONDS + NOTICING_SECONDS, "it stays"
    assert is_status_page(shopper.answer_challenge(challenge), checkout)
    assert shop.payment(checkout.id)["status"] == "requires_action"
    assert shopper.pay(checkout, PAID_CARD).status_code == 200


def test_by_default_a_challenge_lasts_10_minutes(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    """Reads the limit from the workflow's record of the open challenge, to save the wait."""
    checkout = shop.checkout()
    shopper.start_challenge(checkout)
    stepfunctions = stack.aws("stepfunctions")
    machine = stack.resources["PaymentWorkflow"]
    (arn,) = (
        execution["executionArn"]
        for page in stepfunctions.get_paginator("list_executions").paginate(stateMachineArn=machine)
        for execution in page["executions"]
        if checkout.id in execution["name"]
    )
    events = stepfunctions.get_execution_history(executionArn=arn)["events"]
    (waiting,) = (event for event in events if event["type"] == "TaskScheduled")
    assert waiting["taskScheduledEventDetails"]["timeoutInSeconds"] == 600


# ------------------------------------------------------------------------------ coming back


def test_coming_back_without_finishing_the_challenge_never_pays(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)

    answer = shopper.open(f"{challenge}/return")

    assert is_status_page(answer, checkout)
    assert shop.payment(checkout.id)["status"] == "requires_action"
    shopper.answer_challenge(challenge)
    assert shop.payment(checkout.id)["status"] == "requires_action"
    assert questions(stack, checkout) == [["authenticate"]]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_the_browser_claims_on_its_return_is_not_believed(
    method: str, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    claims = {
        "transStatus": "Y",
        "trans_status": "Y",
        "authentication": '{"trans_status": "Y"}',
        "action": "pass",
        "code": ONE_TIME_CODE,
        "status": "succeeded",
    }
    checkout = shop.checkout()
    back = f"{shopper.start_challenge(checkout)}/return"

    if method == "GET":
        shopper.open(back, params=claims)
    else:
        shopper.post(back, data=claims)

    assert shop.payment(checkout.id)["status"] == "requires_action"
    assert questions(stack, checkout) == [["authenticate"]]


@pytest.mark.parametrize("times", [1, 3])
def test_a_replayed_return_after_success_leads_to_the_shop_again_and_charges_nothing(
    times: int, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)
    shopper.answer_challenge(challenge)
    before = stored(stack, checkout), questions(stack, checkout)

    for _ in range(times):
        answer = shopper.open(f"{challenge}/return")
        assert shopper.way_out(answer) == return_url(checkout)

    assert (stored(stack, checkout), questions(stack, checkout)) == before


def test_a_replayed_return_after_a_failure_shows_the_failure_and_starts_nothing(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)
    shopper.answer_challenge(challenge, action="fail")
    before = stored(stack, checkout)

    answer = shopper.open(f"{challenge}/return")

    assert is_status_page(answer, checkout)
    assert "did not confirm" in Page(shopper.open(answer.headers["Location"])).text
    assert stored(stack, checkout) == before


@pytest.mark.parametrize("later", ["paid by another card", "a challenge passed", "declined"])
def test_a_replayed_return_shows_the_stored_outcome_even_after_later_attempts(
    later: str, shop: Shop, shopper: Shopper
) -> None:
    """The back button, or a browser restored from yesterday, may lead to any earlier challenge."""
    checkout = shop.checkout()
    first = shopper.start_challenge(checkout)
    shopper.answer_challenge(first, action="fail")
    if later == "paid by another card":
        shopper.pay(checkout, PAID_CARD)
    elif later == "declined":
        shopper.pay(checkout, DECLINED_CARD)
    else:
        shopper.answer_challenge(shopper.start_challenge(checkout))

    answer = shopper.open(f"{first}/return")

    if later == "declined":
        assert is_status_page(answer, checkout)
    else:
        assert shopper.way_out(answer) == return_url(checkout)


def test_a_return_from_an_ended_challenge_does_not_end_the_one_that_is_open_now(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    first = shopper.start_challenge(checkout)
    shopper.answer_challenge(first, action="fail")
    second = shopper.start_challenge(checkout)

    shopper.open(f"{first}/return")
    shopper.post(f"{first}/abandon")
    shopper.answer_challenge(first, action="fail")

    assert shop.payment(checkout.id)["status"] == "processing"
    assert shopper.way_out(shopper.answer_challenge(second)) == return_url(checkout)


@pytest.mark.parametrize(
    ("ending", "again"), [("pass", "fail"), ("pass", "pass"), ("fail", "pass")]
)
def test_a_challenge_is_answered_once(
    ending: str, again: str, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)
    shopper.answer_challenge(challenge, action=ending)
    before = stored(stack, checkout), questions(stack, checkout)

    shopper.answer_challenge(challenge, action=again)

    assert (stored(stack, checkout), questions(stack, checkout)) == before


def test_the_address_of_an_ended_challenge_leads_on_to_its_outcome(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)
    shopper.answer_challenge(challenge)

    answer = shopper.open(challenge)
    assert answer.status_code == 303
    assert shopper.way_out(answer) == return_url(checkout)


# ------------------------------------------------------------------------------ its address


def test_every_challenge_has_an_address_of_its_own_with_a_random_part(
    shop: Shop, shopper: Shopper
) -> None:
    one, other = shop.checkout(), shop.checkout()
    urls = [shopper.start_challenge(one), shopper.start_challenge(other)]
    shopper.post(f"{urls[0]}/abandon")
    urls.append(shopper.start_challenge(one))

    random_parts = [url.rpartition("_")[2] for url in urls]

    assert all(PROVES_128_BITS.fullmatch(part) for part in random_parts)
    assert all(len(set(part)) >= 6 for part in random_parts), "these are no random digits"
    assert len(set(random_parts)) == 3


def test_the_random_part_is_not_made_of_what_the_shopper_sent(shop: Shop, shopper: Shopper) -> None:
    tokens = ("0123456789abcdef", "0123456789abcdef", "fedcba9876543210")
    urls = [
        shopper.pay(shop.checkout(), CHALLENGE_CARD, attempt=token).json()["redirect"]
        for token in tokens
    ]
    random_parts = [url.rpartition("_")[2] for url in urls]
    assert len(set(random_parts)) == 3
    assert not any(token in part for token in tokens for part in random_parts)


def test_no_address_and_no_page_holds_the_workflows_task_token(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    paid = shopper.pay(checkout, CHALLENGE_CARD)
    challenge = paid.json()["redirect"]
    (attempt,) = open_attempts(stack, checkout)
    token = attempt["task_token"]
    assert len(token) >= 16

    shown = [
        paid,
        shopper.open(challenge),
        shopper.open(checkout.redirect),
        shopper.status(checkout),
        shopper.status(checkout, as_json=False),
        shop.get(checkout.id),
        shop.list(),
        shopper.post(challenge, data={"code": "0"}),
        shopper.post(challenge, data={"code": ONE_TIME_CODE}),
        shopper.open(f"{challenge}/return"),
    ]

    assert shopper.way_out(shown[-1]) == return_url(checkout)
    for answer in shown:
        assert token not in answer.url
        assert token not in str(answer.headers)
        assert token not in answer.text


def _other_random_part(challenge: str) -> str:
    return challenge[:-32] + "0" * 32


def _without_random_part(challenge: str) -> str:
    return challenge.rpartition("_")[0]


def _another_payment(challenge: str) -> str:
    return re.sub(r"01[0-9A-Z]{24}", "01JDQ8Z5M3W7V0XKQ2T4R6Y8AB", challenge)


def _another_mode(challenge: str) -> str:
    return challenge.replace("ch_test_", "ch_live_")


def _another_merchant(challenge: str) -> str:
    return re.sub(r"ch_test_[^_]+", "ch_test_4geeks", challenge)


def _upper_case(challenge: str) -> str:
    address, slash, name = challenge.rpartition("/")
    return address + slash + name.upper()


def _nonsense(challenge: str) -> str:
    return challenge.rpartition("/")[0] + "/nonsense"


def _much_too_long(challenge: str) -> str:
    return challenge + "0" * 3000


@pytest.mark.parametrize(
    "change",
    [
        _other_random_part,
        _without_random_part,
        _another_payment,
        _another_mode,
        _another_merchant,
        _upper_case,
        _nonsense,
        _much_too_long,
    ],
    ids=lambda change: change.__name__,
)
@pytest.mark.parametrize(
    ("method", "suffix"),
    [("GET", ""), ("POST", ""), ("GET", "/return"), ("POST", "/return"), ("POST", "/abandon")],
)
def test_an_unknown_or_wrong_challenge_is_a_404_page_and_touches_nothing(
    change: Any, method: str, suffix: str, open_challenge: tuple[Shop, Checkout, str]
) -> None:
    shop, checkout, challenge = open_challenge
    shopper = Shopper(shop.stack)
    wrong = change(challenge) + suffix
    assert wrong != challenge + suffix

    answer = (
        shopper.open(wrong)
        if method == "GET"
        else shopper.post(wrong, data={"code": ONE_TIME_CODE, "action": "pass"})
    )
    shopper.close()

    assert answer.status_code == 404
    assert Page(answer).headings
    assert shop.payment(checkout.id)["status"] == "processing"


@pytest.fixture(scope="module")
def open_challenge(stack: Stack) -> Iterator[tuple[Shop, Checkout, str]]:
    """A challenge that stays open, since nobody who knows its address answers it."""
    shop, shopper = open_shop(stack), Shopper(stack)
    checkout = shop.checkout()
    yield shop, checkout, shopper.start_challenge(checkout)
    shop.close()
    shopper.close()


def test_the_random_part_of_one_challenge_does_not_open_another(
    shop: Shop, shopper: Shopper
) -> None:
    one, other = shop.checkout(), shop.checkout()
    urls = [shopper.start_challenge(one), shopper.start_challenge(other)]
    crossed = urls[0].rpartition("_")[0] + "_" + urls[1].rpartition("_")[2]

    assert shopper.post(crossed, data={"code": ONE_TIME_CODE}).status_code == 404
    assert shopper.open(f"{crossed}/return").status_code == 404
    assert [shop.payment(it.id)["status"] for it in (one, other)] == ["processing"] * 2
