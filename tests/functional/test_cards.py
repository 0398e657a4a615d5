"""Every test card behaves as it says: towards the shopper, and in the merchant's view.

Expectations are written out here, by number, and not taken from the simulator's own table.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from payments.acquirers.simulator.cards import TEST_CARDS
from payments.web.texts import LANGUAGES, text
from tests.support.actors import (
    DECLINED_CARD,
    INSUFFICIENT_FUNDS_CARD,
    PAID_CARD,
    Checkout,
    Shop,
    Shopper,
    open_shop,
)
from tests.support.documentation import faults
from tests.support.html import Page
from tests.support.records import attempts_made, questions
from tests.support.stack import Stack

UNTYPED = {"address_line1": "not_provided", "postal_code": "not_provided", "cvc": "pass"}
AUTHENTICATED = {"trans_status": "Y", "liability_shift": True, "flow": "frictionless"}
VISA_ECI = {"Y": "05", "A": "06"}
MASTERCARD_ECI = {"Y": "02", "A": "01"}


def checks(**changes: str) -> dict[str, str]:
    return UNTYPED | changes


def authenticated(trans_status: str, flow: str = "frictionless") -> dict[str, Any]:
    """The merchant's `three_d_secure`, but for the ECI, which is the scheme's."""
    has_shift = trans_status in ("Y", "A")
    return {"trans_status": trans_status, "liability_shift": has_shift, "flow": flow}


def with_eci(brand: str, three_d_secure: dict[str, Any] | None) -> dict[str, Any] | None:
    if three_d_secure is None:
        return None
    is_mastercard = brand == "mastercard"
    indicators, none = (MASTERCARD_ECI, "00") if is_mastercard else (VISA_ECI, "07")
    return three_d_secure | {"eci": indicators.get(three_d_secure["trans_status"], none)}


@dataclass(frozen=True)
class Outcome:
    """What becomes of a card. `told` is the decline as the shopper reads it; "" if it pays."""

    brand: str = "visa"
    funding: str = "credit"
    told: str = ""
    decline_code: str | None = None
    status: str = "completed"
    three_d_secure: dict[str, Any] | None = field(default_factory=lambda: AUTHENTICATED)
    checks: dict[str, str] | None = field(default_factory=checks)
    is_challenged: bool = False


def declined(code: str, told: str = "", **changes: Any) -> Outcome:
    """Declined by the acquirer; another card may be tried."""
    facts = {"told": told or code, "decline_code": code, "status": "requires_action"}
    return Outcome(**(facts | changes))


def refused(trans_status: str, code: str, brand: str = "visa") -> Outcome:
    """Refused after 3DS: the acquirer is not asked for money, so there are no checks."""
    three_d_secure = authenticated(trans_status)
    return declined(code, brand=brand, three_d_secure=three_d_secure, checks=None)


def blocked() -> Outcome:
    """Refused before 3DS, and for good."""
    facts: dict[str, Any] = {"status": "blocked", "three_d_secure": None, "checks": None}
    return declined("fraudulent", "generic_decline", **facts)


CHALLENGED = authenticated("Y", "challenge")
CARDS = {
    # paid, frictionless
    "4242424242424242": Outcome(),
    "4000056655665556": Outcome(funding="debit"),
    "5555555555554444": Outcome("mastercard"),
    "2223003122003222": Outcome("mastercard"),
    "5200828282828210": Outcome("mastercard", "debit"),
    "378282246310005": Outcome("amex"),
    "6011111111111117": Outcome("discover"),
    "3056930009020004": Outcome("diners"),
    "3566002020360505": Outcome("jcb"),
    "6200000000000005": Outcome("unionpay"),
    # challenged
    "4000002760003184": Outcome(three_d_secure=CHALLENGED, is_challenged=True),
    "4000000000003220": Outcome(three_d_secure=CHALLENGED, is_challenged=True),
    "4000008400001629": declined("generic_decline", three_d_secure=CHALLENGED, is_challenged=True),
    "4000008260003178": declined(
        "insufficient_funds", three_d_secure=CHALLENGED, is_challenged=True
    ),
    "4000000000009235": Outcome(three_d_secure=CHALLENGED, is_challenged=True),
    # 3DS with an error, optional, optional with an error
    "4000008400001280": refused("U", "authentication_unavailable"),
    "4000000000003055": Outcome(three_d_secure=authenticated("A")),
    "4000000000003097": refused("U", "authentication_unavailable"),
    # declined
    "4000000000000002": declined("generic_decline"),
    "4000000000009995": declined("insufficient_funds"),
    "4000000000009987": declined("lost_card", "generic_decline"),
    "4000000000009979": declined("stolen_card", "generic_decline"),
    "4000000000000069": declined("expired_card"),
    "4000000000000127": declined("incorrect_cvc", checks=checks(cvc="fail")),
    "4000000000000119": declined("processing_error"),
    "4000000000006975": declined("card_velocity_exceeded"),
    # fraud
    "4100000000000019": blocked(),
    "4000000000004954": blocked(),
    # what the issuer compares
    "4000000000000010": Outcome(checks=checks(address_line1="fail", postal_code="fail")),
    "4000000000000028": Outcome(checks=checks(address_line1="fail", postal_code="pass")),
    "4000000000000036": Outcome(checks=checks(address_line1="pass", postal_code="fail")),
    "4000000000000044": Outcome(
        checks=checks(address_line1="unavailable", postal_code="unavailable")
    ),
    "4000000000000101": Outcome(checks=checks(cvc="fail")),
    # what their refunds do is tested in test_refunds.py
    "4000000000005126": Outcome(),
    "4000000000007726": Outcome(),
    # every 3DS outcome
    "4000000000001026": Outcome(three_d_secure=authenticated("A")),
    "5200000000001021": Outcome("mastercard", three_d_secure=authenticated("A")),
    "4000000000001018": refused("N", "authentication_failed"),
    "5200000000001013": refused("N", "authentication_failed", "mastercard"),
    "4000000000001042": refused("R", "authentication_failed"),
    "5200000000001047": refused("R", "authentication_failed", "mastercard"),
    "4000000000001034": refused("U", "authentication_unavailable"),
    "5200000000001039": refused("U", "authentication_unavailable", "mastercard"),
    "4000000000001083": refused("I", "authentication_unavailable"),
    "5200000000001088": refused("I", "authentication_unavailable", "mastercard"),
    "4000000000001091": Outcome(three_d_secure=CHALLENGED, is_challenged=True),
    "5200000000001096": Outcome("mastercard", three_d_secure=CHALLENGED, is_challenged=True),
    # not listed anywhere
    "4539578763621486": Outcome(),
}
DECLINED = {number: card for number, card in CARDS.items() if card.told}
DISCREET = {number: card for number, card in DECLINED.items() if card.told != card.decline_code}


def code_for(number: str) -> str:
    return "3141" if number.startswith("37") else "314"


def pay(shopper: Shopper, checkout: Checkout, number: str, **headers: str) -> requests.Response:
    """By JSON, through the challenge if there is one."""
    form = shopper.card_form(checkout, number, cvc=code_for(number))
    url = f"{shopper.stack.url}/checkout/{checkout.id}"
    answer = shopper.post(url, json=form, headers=headers)
    if answer.status_code == 202:
        assert answer.json()["status"] == "requires_challenge"
        shopper.answer_challenge(answer.json()["redirect"])
    return answer


@dataclass(frozen=True)
class Paid:
    """What came of paying with a card: the answer, and where to look for the rest."""

    shop: Shop
    shopper: Shopper
    checkout: Checkout
    answer: requests.Response


@pytest.fixture(scope="module")
def paid_with(stack: Stack) -> Iterator[Callable[[str], Paid]]:
    """`paid_with(number)`: each card is used once, for all that is asked of what came of it."""
    known: dict[str, Paid] = {}

    def paid(number: str) -> Paid:
        if number not in known:
            shop, shopper = open_shop(stack), Shopper(stack)
            checkout = shop.checkout()
            known[number] = Paid(shop, shopper, checkout, pay(shopper, checkout, number))
        return known[number]

    yield paid
    for found in known.values():
        found.shop.close()
        found.shopper.close()


def test_every_card_the_simulator_knows_is_tested_here() -> None:
    assert set(TEST_CARDS) <= set(CARDS)


@pytest.mark.parametrize("number", CARDS)
def test_a_card_ends_for_its_shopper_as_it_says(
    number: str, paid_with: Callable[[str], Paid]
) -> None:
    card, paid = CARDS[number], paid_with(number)
    checkout, answer = paid.checkout, paid.answer

    home = f"https://example.com/payment-result?id_payment={checkout.id}"
    if card.is_challenged:
        assert answer.status_code == 202
    elif card.told:
        assert answer.status_code == 402
        assert answer.json()["error"]["decline_code"] == card.told
        assert answer.json()["error"]["decline_reason"] == card.told
    else:
        assert (answer.status_code, answer.json()) == (
            200,
            {"status": "succeeded", "redirect": home},
        )
    status = {"completed": "succeeded", "blocked": "failed"}.get(card.status, card.status)
    assert paid.shopper.status(checkout).json()["status"] == status


@pytest.mark.parametrize("number", CARDS)
def test_a_card_ends_for_the_merchant_as_it_says(
    number: str, paid_with: Callable[[str], Paid], stack: Stack
) -> None:
    card, paid = CARDS[number], paid_with(number)
    shop, checkout = paid.shop, paid.checkout

    view = shop.payment(checkout.id)
    seen = [view[name] for name in ("status", "decline_code", "decline_reason", "payment_method")]
    assert seen == [card.status, card.decline_code, card.decline_code, "card"]
    assert (view["card_brand"], view["card_last4"]) == (card.brand, number[-4:])
    assert view["three_d_secure"] == with_eci(card.brand, card.three_d_secure)
    assert view["risk"]["funding"] == card.funding
    assert view["risk"].get("checks") == card.checks
    (row,) = shop.list().json()
    assert (row["card_brand"], row["card_last4"]) == (card.brand, number[-4:])
    assert (row["card_exp_month"], row["card_exp_year"]) == ("12", "2034")
    assert row["card_country"] == "US"
    asked = ["authenticate"] * bool(card.three_d_secure) + ["authorize"] * bool(card.checks)
    assert questions(stack, checkout) == ([asked] if asked else [])


@pytest.mark.parametrize(
    ("number", "level", "reason"),
    [
        ("4100000000000019", "highest", "acquirer_blocked_card"),
        ("4000000000004954", "highest", "acquirer_highest_risk"),
        ("4000000000009235", "elevated", "acquirer_elevated_risk"),
    ],
)
def test_the_merchant_reads_why_a_card_is_risky(
    number: str, level: str, reason: str, shop: Shop, shopper: Shopper
) -> None:
    checkouts = shop.checkout(), shop.checkout()
    for checkout, paid_with in zip(checkouts, (number, PAID_CARD), strict=True):
        pay(shopper, checkout, paid_with)

    risky, ordinary = (shop.payment(checkout.id)["risk"] for checkout in checkouts)

    assert (risky["level"], reason in risky["reasons"]) == (level, True)
    assert reason not in ordinary["reasons"]
    assert risky["score"] > ordinary["score"]


@pytest.mark.parametrize("number", ["4100000000000019", "4000000000004954"])
def test_a_payment_that_was_blocked_cannot_be_paid_by_any_card(
    number: str, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    pay(shopper, checkout, number)

    again = shopper.pay(checkout, PAID_CARD)

    assert (again.status_code, again.json()["reason"]) == (409, "failed")
    assert shopper.pay_by_form(checkout, PAID_CARD).status_code == 303
    shopper.cancel(checkout)
    assert shop.payment(checkout.id)["status"] == "blocked"
    assert questions(stack, checkout) == []
    assert [row["id"] for row in shop.list(status="blocked").json()] == [checkout.id]


# ------------------------------------------------------------------------------ told to shoppers


@pytest.mark.parametrize("language", ["en", "de"])
def test_lost_stolen_and_fraudulent_cards_get_the_very_answer_of_a_generic_decline(
    language: str, shop: Shop, shopper: Shopper
) -> None:
    headers = {"Accept-Language": language}
    generic = pay(shopper, shop.checkout(), DECLINED_CARD, **headers)
    assert generic.status_code == 402

    for number in DISCREET:
        answer = pay(shopper, shop.checkout(), number, **headers)
        assert (answer.status_code, answer.json()) == (402, generic.json()), number


def declined_payment(shop: Shop, shopper: Shopper, number: str, times: int = 1) -> Checkout:
    """A payment for which a card was declined so many times."""
    checkout = shop.checkout()
    for _ in range(times):
        shopper.pay_by_form(checkout, number)
    return checkout


def page_of(shopper: Shopper, checkout: Checkout, language: str) -> str:
    """What the payment's page says, less the minute it expires at."""
    url = f"{shopper.stack.url}/checkout/{checkout.id}"
    query = {"client_secret": checkout.client_secret}
    page = Page(shopper.open(url, params=query, headers={"Accept-Language": language}))
    return re.sub(r"\d{1,2}:\d{2}", "", page.text)


def test_lost_and_stolen_cards_get_the_very_page_of_a_generic_decline(
    shop: Shop, shopper: Shopper
) -> None:
    numbers = (DECLINED_CARD, "4000000000009987", "4000000000009979")
    checkouts = [declined_payment(shop, shopper, number) for number in numbers]
    checkouts.append(shop.checkout())
    for language in LANGUAGES:
        generic, lost, stolen, unpaid = (
            page_of(shopper, checkout, language) for checkout in checkouts
        )
        assert generic == lost == stolen != unpaid, language


def test_a_blocked_card_gets_the_very_page_of_a_payment_that_failed(
    shop: Shop, shopper: Shopper
) -> None:
    failed = declined_payment(shop, shopper, DECLINED_CARD, times=5)
    blocked = declined_payment(shop, shopper, "4100000000000019")
    for language in LANGUAGES:
        assert page_of(shopper, failed, language) == page_of(shopper, blocked, language), language


def test_declines_a_shopper_can_do_something_about_each_have_a_page_of_their_own(
    shop: Shop, shopper: Shopper
) -> None:
    told = {card.told: number for number, card in DECLINED.items() if not card.is_challenged}
    pages = {
        page_of(shopper, declined_payment(shop, shopper, number), "en"): code
        for code, number in told.items()
    }
    assert len(told) == 8
    assert len(pages) == len(told)


@pytest.mark.parametrize("language", ["en", "it", "de"])
@pytest.mark.parametrize("number", ["4000000000009995", "4000000000009979"])
def test_the_merchant_reads_the_reason_in_their_language_and_the_code_in_english(
    number: str, language: str, shop: Shop, shopper: Shopper
) -> None:
    checkout, code = shop.checkout(), CARDS[number].decline_code
    pay(shopper, checkout, number)

    path, headers = f"/v1/payments/{checkout.id}", {"Accept-Language": language}
    view = shop.request("GET", path, headers=headers).json()

    assert view["decline_code"] == code
    assert view["decline_reason"] == text(f"decline.{code}", language)


# ------------------------------------------------------------------------------ what is typed
# What the card form takes and refuses is tested in tests/unit/test_card_form.py.


@pytest.mark.parametrize(
    ("number", "brand", "cvc"),
    [
        ("4000000000006", "visa", "314"),  # 13 digits
        ("6200000000000000000", "unionpay", "314"),  # 19 digits
        ("341111111111111", "amex", "3141"),
    ],
)
def test_a_number_of_any_length_that_is_issued_pays(
    number: str, brand: str, cvc: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    assert shopper.pay(checkout, number, cvc=cvc).status_code == 200
    view = shop.payment(checkout.id)
    assert (view["card_brand"], view["card_last4"]) == (brand, number[-4:])


@pytest.mark.parametrize(
    ("number", "code"),
    [("4242424242424241", "invalid_card_number"), ("5018000000000009", "unsupported_card")],
)
def test_a_number_that_cannot_be_right_is_refused_before_anybody_is_asked(
    number: str, code: str, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    answer = shopper.pay(checkout, number)
    assert faults(answer) == {"card_number": code}
    assert questions(stack, checkout) == []
    assert attempts_made(stack, checkout) == 0
    view = shop.payment(checkout.id)
    assert (view["status"], view["card_brand"]) == ("requires_action", None)


def month_of(moment: datetime) -> dict[str, str]:
    return {"exp_month": str(moment.month), "exp_year": str(moment.year)}


def test_a_card_is_good_until_the_end_of_its_last_month(shop: Shop, shopper: Shopper) -> None:
    """By the clock of the checkout."""
    checkout = shop.checkout()
    now = datetime.now(UTC)
    if (now + timedelta(minutes=1)).month != now.month:
        now += timedelta(minutes=1)  # the month is about to end: only the next one is sure
    last_month = now.replace(day=1) - timedelta(days=1)

    expired = shopper.pay(checkout, **month_of(last_month))

    field_at_fault = "exp_month" if last_month.year == now.year else "exp_year"
    assert faults(expired) == {field_at_fault: "card_expired"}
    assert shopper.pay(checkout, **month_of(now)).status_code == 200


# ------------------------------------------------------------------------------ the back button


def test_another_card_in_a_form_that_was_declined_is_another_attempt(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    """The back button shows the old page, whose token has been used."""
    checkout = shop.checkout()
    assert shopper.pay(checkout, DECLINED_CARD, attempt="one-rendering").status_code == 402
    assert shopper.pay(checkout, PAID_CARD, attempt="one-rendering").status_code == 200
    assert attempts_made(stack, checkout) == 2
    assert shop.payment(checkout.id)["card_last4"] == PAID_CARD[-4:]


def test_another_expiry_in_a_form_that_was_declined_is_another_attempt(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    for year in ("2034", "2035"):
        shopper.pay(checkout, DECLINED_CARD, attempt="one-rendering", exp_year=year)
    assert attempts_made(stack, checkout) == 2


def test_the_same_card_in_a_form_that_was_declined_is_the_same_attempt(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    answers = [shopper.pay(checkout, DECLINED_CARD, attempt="one-rendering") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [402] * 3
    assert attempts_made(stack, checkout) == 1
    assert questions(stack, checkout) == [["authenticate", "authorize"]]


def test_a_corrected_security_code_is_another_attempt(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout, number = shop.checkout(), "4000000000000127"
    for cvc in ("314", "315"):
        answer = shopper.pay(checkout, number, attempt="one-rendering", cvc=cvc)
        assert answer.json()["error"]["decline_code"] == "incorrect_cvc"
    assert attempts_made(stack, checkout) == 2


def test_another_card_while_a_challenge_is_open_is_a_409_in_progress(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    challenged, other = "4000002760003184", PAID_CARD
    first = shopper.pay(checkout, challenged, attempt="one-rendering")
    answer = shopper.pay(checkout, other, attempt="one-rendering")
    again = shopper.pay(checkout, challenged, attempt="one-rendering")
    assert (answer.status_code, answer.json()["reason"]) == (409, "in_progress")
    assert first.json() == again.json()
    assert attempts_made(stack, checkout) == 1
    assert shop.payment(checkout.id)["card_last4"] == challenged[-4:]


def test_a_third_card_in_one_form_is_tried_and_gets_its_own_reason(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    numbers = (DECLINED_CARD, INSUFFICIENT_FUNDS_CARD, "4000000000000069")
    answers = [shopper.pay(checkout, number, attempt="one-rendering") for number in numbers]
    codes = [answer.json()["error"]["decline_code"] for answer in answers]
    assert codes == ["generic_decline", "insufficient_funds", "expired_card"]
    assert attempts_made(stack, checkout) == 3


def test_each_of_the_cards_in_one_form_keeps_its_own_reason_when_it_is_sent_again(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    numbers = (DECLINED_CARD, INSUFFICIENT_FUNDS_CARD)
    for number in numbers:
        shopper.pay(checkout, number, attempt="one-rendering")
    answers = [shopper.pay(checkout, number, attempt="one-rendering") for number in numbers]
    codes = [answer.json()["error"]["decline_code"] for answer in answers]
    assert codes == ["generic_decline", "insufficient_funds"]
    assert attempts_made(stack, checkout) == 2


def test_after_two_wrong_security_codes_the_next_is_tried(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    """The simulated issuer refuses each code of this card, so another card stands for the right."""
    checkout, number = shop.checkout(), "4000000000000127"
    for cvc in ("314", "315", "316"):
        shopper.pay(checkout, number, attempt="one-rendering", cvc=cvc)
    assert attempts_made(stack, checkout) == 3
    answer = shopper.pay(checkout, PAID_CARD, attempt="one-rendering")
    assert answer.json()["status"] == "succeeded"


def test_two_old_pages_are_each_tried_again(shop: Shop, shopper: Shopper, stack: Stack) -> None:
    checkout = shop.checkout()
    for page in ("first-rendering", "second-rendering"):
        shopper.pay(checkout, DECLINED_CARD, attempt=page)
    shopper.pay(checkout, INSUFFICIENT_FUNDS_CARD, attempt="second-rendering")
    answer = shopper.pay(checkout, PAID_CARD, attempt="first-rendering")
    assert answer.json()["status"] == "succeeded"
    assert attempts_made(stack, checkout) == 4
    assert shop.payment(checkout.id)["card_last4"] == PAID_CARD[-4:]


def test_the_e_mail_of_who_was_declined_is_not_the_one_of_who_has_paid(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, DECLINED_CARD, attempt="one-rendering", email="ana@example.com")
    shopper.pay(checkout, PAID_CARD, attempt="one-rendering", email="ben@example.com")
    assert shop.payment(checkout.id)["customer_email"] == "ben@example.com"


def test_another_card_in_a_form_that_has_paid_takes_no_second_payment(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, PAID_CARD, attempt="one-rendering")
    answer = shopper.pay(checkout, "5555555555554444", attempt="one-rendering")
    assert (answer.status_code, answer.json()["reason"]) == (409, "already_paid")
    assert questions(stack, checkout) == [["authenticate", "authorize"]]
