"""Section 7 of the contract over HTTP: messages in the caller's language, each page in all six."""

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from babel.numbers import format_currency

from payments.acquirers.simulator.wallet_sheets import apple_token
from payments.model.ids import Mode
from payments.web.texts import LANGUAGES, catalogue, text
from tests.conftest import StackFor
from tests.support.actors import (
    DECLINED_CARD,
    INSUFFICIENT_FUNDS_CARD,
    PAID_CARD,
    Checkout,
    Shop,
    Shopper,
    open_shop,
    order,
)
from tests.support.documentation import EXAMPLE_ID, WORDS, envelope, faults
from tests.support.html import Page
from tests.support.stack import Stack

LIFETIME_SECONDS = 2
OLD_CURSOR = base64.urlsafe_b64encode(f"{EXAMPLE_ID}.other".encode()).decode()
# A shorter English text may be a word of another language, or part of one.
MIN_TELLING_LENGTH = 12


@dataclass
class World:
    """Payments in each state that a message or a page tells of."""

    shop: Shop
    shopper: Shopper
    payments: dict[str, Checkout] = field(default_factory=dict)


def speak(actor: Shop | Shopper, language: str) -> None:
    actor.session.headers["Accept-Language"] = language


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[World]:
    """On the stack of everybody; nothing in here changes a payment any more."""
    made = World(open_shop(stack), Shopper(stack))
    shop, shopper = made.shop, made.shopper
    for state in ("open", "paid", "canceled", "failed", "in_progress", "declined"):
        made.payments[state] = shop.checkout()
    shopper.pay(made.payments["paid"])
    shopper.cancel(made.payments["canceled"])
    for _ in range(5):
        shopper.pay(made.payments["failed"], DECLINED_CARD)
    shopper.pay(made.payments["declined"], INSUFFICIENT_FUNDS_CARD)
    shopper.start_challenge(made.payments["in_progress"])
    yield made
    shop.close()
    shopper.close()


@pytest.fixture
def speaking(world: World, language: str) -> Iterator[World]:
    """The same, with actors who read this language."""
    speak(world.shop, language)
    speak(world.shopper, language)
    yield world
    for session in (world.shop.session, world.shopper.session):
        del session.headers["Accept-Language"]


@pytest.fixture(scope="module")
def late(stack_for: StackFor) -> Iterator[World]:
    """A payment that has expired."""
    stack = stack_for(PaymentLifetimeSeconds=str(LIFETIME_SECONDS))
    made = World(open_shop(stack), Shopper(stack))
    made.payments["expired"] = made.shop.checkout()
    time.sleep(LIFETIME_SECONDS)
    yield made
    made.shop.close()
    made.shopper.close()


# The catalogues say the same in all languages: that a message is looked up is seen in one.
in_one_language = pytest.mark.parametrize("language", ["it"])


def title_and_content(
    answer: requests.Response, status: int, language: str, title: str, content: str, *further: str
) -> None:
    body = envelope(answer, status, *further)
    assert body["title"] == text(f"error.{title}.title", language)
    assert body["content"] == text(f"error.{content}.content", language)


# ---------------------------------------------------------------------------- the API's messages
# That each of them is there in all six languages is tested in tests/unit/test_error_responses.py.


@in_one_language
def test_a_created_payment_says_what_to_do_next(speaking: World, language: str) -> None:
    answer = speaking.shop.create().json()
    assert answer["title"] == text("created.title", language)
    assert answer["content"] == text("created.content", language)


@in_one_language
@pytest.mark.parametrize(
    ("key", "reason"),
    [("nonsense-{}", "malformed"), ("sk_test_51O62xYzAbcDef9{}", "unknown")],
)
def test_a_refused_key_is_told_so(key: str, reason: str, stack: Stack, language: str) -> None:
    """A key of its own for each language: the gateway remembers what it first said of one."""
    shop = Shop(stack, key.format(language))
    speak(shop, language)
    answer = shop.list()
    shop.close()
    assert answer.status_code == 401
    assert answer.json() == {"detail": text(f"auth.{reason}", language)}
    assert answer.headers["WWW-Authenticate"] == "Basic"


@in_one_language
def test_what_the_gateway_says_by_itself_is_english(stack: Stack, language: str) -> None:
    stranger = Shop(stack, key=None)
    speak(stranger, language)
    answers = [stranger.list(), stranger.request("GET", "/elsewhere")]
    stranger.close()
    assert answers[0].json() == {"detail": text("auth.missing")}
    assert answers[1].json()["title"] == text("error.not_found.title")


@in_one_language
def test_a_declined_card_is_told_with_a_reason(speaking: World, language: str) -> None:
    answer = speaking.shopper.pay(speaking.shop.checkout(), INSUFFICIENT_FUNDS_CARD)
    assert answer.status_code == 402
    assert answer.json() == {
        "error": {
            "code": 402,
            "type": "payment_failed",
            "message": text("declined.message", language),
            "decline_reason": text("decline.insufficient_funds", language),
            "decline_code": "insufficient_funds",
        }
    }


@in_one_language
def test_the_merchant_reads_the_decline_reason_too(speaking: World, language: str) -> None:
    view = speaking.shop.payment(speaking.payments["declined"].id)
    assert view["decline_reason"] == text("decline.insufficient_funds", language)
    assert view["decline_code"] == "insufficient_funds"


@in_one_language
def test_an_unknown_payment_is_not_found(speaking: World, language: str) -> None:
    nobody = Checkout(EXAMPLE_ID, "nothing", "", {})
    for answer in (speaking.shop.get(EXAMPLE_ID), speaking.shopper.status(nobody)):
        title_and_content(answer, 404, language, "not_found", "not_found")


@in_one_language
@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("paid", "already_paid"),
        ("canceled", "canceled"),
        ("failed", "failed"),
        ("in_progress", "in_progress"),
    ],
)
def test_what_cannot_be_paid_now_says_why(
    state: str, reason: str, speaking: World, language: str
) -> None:
    answer = speaking.shopper.pay(speaking.payments[state])
    title_and_content(answer, 409, language, "conflict", reason, "reason")
    assert answer.json()["reason"] == reason


@in_one_language
def test_what_has_expired_says_so(late: World, language: str) -> None:
    speak(late.shopper, language)
    answer = late.shopper.pay(late.payments["expired"])
    title_and_content(answer, 409, language, "conflict", "expired", "reason")


@in_one_language
def test_a_key_that_was_used_for_something_else_says_so(speaking: World, language: str) -> None:
    headers = {"Idempotency-Key": f"used-{language}"}
    speaking.shop.create(headers)
    answer = speaking.shop.create(headers, amount="1.00")
    title_and_content(answer, 409, language, "conflict", "key_reused", "reason")


@in_one_language
def test_a_body_that_is_too_large_is_told_so(speaking: World, language: str) -> None:
    answer = speaking.shop.create(description="x" * 64 * 1024)
    title_and_content(answer, 413, language, "too_large", "too_large")


@in_one_language
def test_a_body_of_another_kind_is_told_so(speaking: World, language: str) -> None:
    answer = speaking.shop.request("POST", "/v1/payments/", data={"amount": "5"})
    title_and_content(answer, 415, language, "media_type", "media_type")


@in_one_language
def test_a_live_payment_without_an_acquirer_is_told_so(stack: Stack, language: str) -> None:
    shop = open_shop(stack, Mode.LIVE)
    speak(shop, language)
    answer = shop.create()
    shop.close()
    title_and_content(answer, 503, language, "unavailable", "no_live_acquirer")


@pytest.mark.parametrize(
    ("header", "spoken"),
    [
        ("de-CH, it;q=0.9", "de"),
        ("ja, pt-BR;q=0.5, *;q=0.1", "pt"),
        ("fr;q=0.2, es-CR;q=0.8", "es"),
        ("en;q=0, it;q=0.1", "it"),
        ("klingon", "en"),
        ("," * 4000 + "de", "en"),
    ],
    ids=lambda value: value[:30],
)
def test_the_language_is_the_best_that_the_caller_accepts(
    header: str, spoken: str, shop: Shop
) -> None:
    answer = shop.request("GET", f"/v1/payments/{EXAMPLE_ID}", headers={"Accept-Language": header})
    assert answer.json()["title"] == text("error.not_found.title", spoken)


@pytest.mark.parametrize("documented", WORDS)
def test_the_documented_answers_come_back_word_for_word(
    documented: str, shop: Shop, shopper: Shopper
) -> None:
    speak(shop, documented)
    speak(shopper, documented)
    words = WORDS[documented]
    refused = Shop(shop.stack, f"format-{documented}")
    speak(refused, documented)

    created, missing = shop.create(), shop.get(EXAMPLE_ID)
    declined = shopper.pay(Checkout.of(created), INSUFFICIENT_FUNDS_CARD).json()["error"]
    detail = refused.list().json()["detail"]
    refused.close()

    assert {
        "created.title": created.json()["title"],
        "created.content": created.json()["content"],
        "error.not_found.title": missing.json()["title"],
        "error.not_found.content": missing.json()["content"],
        "auth.malformed": detail,
        "declined.message": declined["message"],
        "decline.insufficient_funds": declined["decline_reason"],
    } == words


# ------------------------------------------------------------------------------ faults of fields


def _post(**changes: Any) -> Callable[[World], requests.Response]:
    return lambda world: world.shop.request("POST", "/v1/payments/", json=order(**changes))


def _list(**query: str) -> Callable[[World], requests.Response]:
    return lambda world: world.shop.list(**query)


def _pay(number: str = PAID_CARD, **changes: Any) -> Callable[[World], requests.Response]:
    return lambda world: world.shopper.pay(world.payments["open"], number, **changes)


def _wallet(token: object) -> Callable[[World], requests.Response]:
    return _pay(method="apple_pay", wallet_token=token)


def _live_over_http(world: World) -> requests.Response:
    shop = open_shop(world.shop.stack, Mode.LIVE)
    speak(shop, str(world.shop.session.headers["Accept-Language"]))
    answer = shop.create(return_url="http://shop.example/back")
    shop.close()
    return answer


FAULTS: dict[str, tuple[Callable[[World], requests.Response], set[str]]] = {
    "body": (lambda world: world.shop.request("POST", "/v1/payments/", json=[]), {"malformed"}),
    "order": (
        _post(amount="1.001", items=[], customer_email="x"),
        {"too_many_decimals", "too_few", "invalid_email"},
    ),
    "http": (_live_over_http, {"https_required"}),
    "idempotency": (
        lambda world: world.shop.create({"Idempotency-Key": "x" * 256}),
        {"invalid_idempotency_key"},
    ),
    "query": (
        _list(test="x", status="x", limit="0", sort="x", cursor="x"),
        {"not_a_boolean", "unknown_status", "invalid_limit", "not_allowed", "invalid_cursor"},
    ),
    "card": (
        _pay("378282246310005", exp_month="13", cvc="1"),
        {"invalid_expiry", "invalid_cvc"},
    ),
    "no token": (_wallet("x"), {"invalid_wallet_token"}),
    "real token": (_wallet(apple_token(PAID_CARD, "EC_v1")), {"wallet_not_configured"}),
}


@in_one_language
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_a_field_is_told_in_the_callers_language(
    name: str, speaking: World, language: str
) -> None:
    send, codes = FAULTS[name]
    answer = send(speaking)
    assert set(faults(answer).values()) == codes
    for error in answer.json()["errors"]:
        told = re.escape(text_with_gaps(f"field.{error['code']}", language))
        assert re.fullmatch(told.replace("GAP", ".{1,40}"), error["message"]), error


def text_with_gaps(key: str, language: str) -> str:
    """The text with every placeholder as a gap."""
    return re.sub(r"\{\w+\}", "GAP", catalogue(language)[key])


# ------------------------------------------------------------------------------------ the pages


def assert_speaks(page: Page, language: str) -> None:
    """The page says so, its title is of the language, and no English text is left on it."""
    assert [element.attributes["lang"] for element in page.all("html")] == [language]
    english = catalogue("en")
    left = [
        key
        for key, translated in catalogue(language).items()
        if len(english[key]) >= MIN_TELLING_LENGTH
        and "{" not in translated
        and translated != english[key]
        and re.search(rf"\b{re.escape(english[key])}", f"{page.title} {page.text}")
    ]
    assert left == []


@pytest.mark.parametrize(
    ("state", "keys"),
    [
        ("open", ("card_number", "exp_month", "exp_year", "cvc", "name", "email", "test_mode")),
        ("declined", ("declined.insufficient_funds", "card_number")),
        ("paid", ("paid_title", "paid", "test_mode")),
        ("canceled", ("canceled_title", "canceled")),
        ("failed", ("failed_title", "failed")),
        ("in_progress", ("challenge_open_title", "challenge_open", "challenge_resume")),
    ],
)
def test_the_page_of_a_payment_speaks_the_readers_language(
    state: str, keys: tuple[str, ...], speaking: World, language: str
) -> None:
    page = Page(speaking.shopper.open(speaking.payments[state].redirect))
    assert_speaks(page, language)
    for key in keys:
        assert plain(text(f"page.{key}", language)) in page.text


def test_the_page_of_an_expired_payment_speaks_the_readers_language(
    late: World, language: str
) -> None:
    speak(late.shopper, language)
    page = Page(late.shopper.open(late.payments["expired"].redirect))
    assert_speaks(page, language)
    assert text("page.expired", language) in page.text


def test_the_page_of_a_challenge_speaks_the_readers_language(
    speaking: World, language: str
) -> None:
    challenge = speaking.shopper.start_challenge(speaking.shop.checkout())
    wrong = {"code": "0", "action": "pass"}
    for answer in (
        speaking.shopper.open(challenge),
        speaking.shopper.post(challenge, data=wrong),
    ):
        page = Page(answer)
        assert_speaks(page, language)
        assert text("page.bank_title", language) in page.text
        assert text("page.bank_confirm", language) in page.text
    assert text("page.bank_wrong_code", language) in page.text


def test_the_page_of_an_unknown_payment_speaks_the_readers_language(
    speaking: World, language: str
) -> None:
    answer = speaking.shopper.open(f"{speaking.shop.stack.url}/checkout/?data=x")
    assert answer.status_code == 404
    assert_speaks(Page(answer), language)
    assert Page(answer).title in catalogue(language).values()


def test_a_form_that_comes_back_says_in_the_readers_language_what_to_correct(
    speaking: World, language: str
) -> None:
    answer = speaking.shopper.pay_by_form(
        speaking.payments["open"], "4242424242424241", email="nobody", cvc="1"
    )
    assert answer.status_code == 400
    page = Page(answer)
    assert_speaks(page, language)
    assert page.title.startswith(text("page.error_prefix", language))
    assert plain(text("page.problems", language)) in page.text
    for key in ("field.invalid_card_number", "field.invalid_email"):
        assert plain(text(key, language)) in page.text
    assert text("field.invalid_cvc", language, digits=3) in page.text


def test_a_challenge_in_a_language_is_declined_in_it(speaking: World, language: str) -> None:
    checkout = speaking.shop.checkout()
    challenge = speaking.shopper.start_challenge(checkout)
    speaking.shopper.answer_challenge(challenge, action="fail")
    page = Page(speaking.shopper.open(checkout.redirect))
    assert text("page.declined.authentication_failed", language) in page.text


# -------------------------------------------------------------------------------------- amounts


def plain(shown: str) -> str:
    """White space as the parsed page has it."""
    return " ".join(shown.split())


def test_the_page_shows_the_amount_as_the_language_writes_it(
    speaking: World, language: str
) -> None:
    checkout = speaking.shop.checkout(amount="1234567.89", currency="EUR")
    answer = speaking.shopper.open(checkout.redirect)
    assert format_currency("1234567.89", "EUR", locale=language) in answer.text


def test_the_apis_own_amounts_know_no_language(speaking: World) -> None:
    checkout = speaking.shop.checkout(amount="1234.5", currency="EUR")
    assert speaking.shop.payment(checkout.id)["amount"] == "1234.50"
    (row,) = [row for row in speaking.shop.list().json() if row["id"] == checkout.id]
    assert json.dumps(row["amount"]) == "1234.5"
