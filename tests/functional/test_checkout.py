"""Section 5 of the contract, the checkout: the page, paying as a form and as JSON, giving up."""

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from threading import Barrier
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urljoin, urlsplit

import pytest
import requests

from payments.model.ids import Mode
from tests.conftest import StackFor
from tests.support.actors import (
    CHALLENGE_CARD,
    DECLINED_CARD,
    INSUFFICIENT_FUNDS_CARD,
    ONE_TIME_CODE,
    PAID_CARD,
    Checkout,
    Shop,
    Shopper,
    open_shop,
)
from tests.support.documentation import NOT_FOUND, envelope, faults
from tests.support.html import Page
from tests.support.stack import Stack, rows_where

OUTCOME_SECONDS = 15  # how long an outcome may take on a busy machine, at the very most
AUTOCOMPLETE = {
    "card_number": "cc-number",
    "exp_month": "cc-exp-month",
    "exp_year": "cc-exp-year",
    "cvc": "cc-csc",
    "name": "cc-name",
    "email": "email",
}
RETURN_URLS = {
    "https://shop.example/done": "https://shop.example/done?id_payment={id}",
    "https://shop.example/done/": "https://shop.example/done/?id_payment={id}",
    "https://shop.example/d?a=1&b=2": "https://shop.example/d?a=1&b=2&id_payment={id}",
    "https://shop.example/d#end": "https://shop.example/d?id_payment={id}#end",
    "https://shop.example/d?a=1#end": "https://shop.example/d?a=1&id_payment={id}#end",
    "https://shop.example/d#end?a=1": "https://shop.example/d?id_payment={id}#end?a=1",
    "https://shop.example/d?id_payment=old": "https://shop.example/d?id_payment={id}",
    "https://shop.example/d?id_payment=o&a=1&id_payment=p": (
        "https://shop.example/d?a=1&id_payment={id}"
    ),
    "https://shop.example/d?my_id_payment=1": (
        "https://shop.example/d?my_id_payment=1&id_payment={id}"
    ),
    "https://shop.example/d?a=%20%26&b=x+y": (
        "https://shop.example/d?a=%20%26&b=x+y&id_payment={id}"
    ),
    "https://shop.example/d?flag&empty=": "https://shop.example/d?flag&empty=&id_payment={id}",
    "http://localhost:3000/back": "http://localhost:3000/back?id_payment={id}",
    "http://[::1]:3000/back": "http://[::1]:3000/back?id_payment={id}",
}


def stored(stack: Stack, payment_id: str) -> dict[str, Any]:
    """A payment as the table keeps it."""
    (row,) = rows_where(stack, "PaymentsTable", "id", payment_id)
    return row


def ledger(stack: Stack, payment_id: str) -> list[dict[str, Any]]:
    """What the acquirer was asked about a payment: one entry per attempt that reached it."""
    return rows_where(stack, "SimulatorTable", "reference", payment_id)


def charges(stack: Stack, payment_id: str) -> int:
    """How often money was taken for a payment."""
    found = [entry["charge"] for entry in ledger(stack, payment_id) if "charge" in entry]
    return sum(charge["decline_code"] is None for charge in found)


def checkout_page(shopper: Shopper, checkout: Checkout) -> Page:
    answer = shopper.open(checkout.redirect)
    assert answer.status_code == 200
    return Page(answer)


def leave(shopper: Shopper, answer: requests.Response) -> str:
    """Follows redirects and self-refreshing pages as a browser does, until they lead elsewhere."""
    deadline = time.monotonic() + OUTCOME_SECONDS
    while time.monotonic() < deadline:
        if answer.status_code == 303:
            url = answer.headers["Location"]
            if not url.startswith(shopper.stack.url):
                return url
            answer = shopper.open(url)
            continue
        refreshes = [
            element.attributes["content"]
            for element in Page(answer).all("meta")
            if element.attributes.get("http-equiv") == "refresh"
        ]
        assert refreshes, f"stuck on: {Page(answer).text}"
        relative = refreshes[0].partition("url=")[2]
        time.sleep(0.1)
        answer = shopper.open(urljoin(answer.url, relative))
    raise AssertionError("no outcome in time")


def exhaust(shopper: Shopper, checkout: Checkout) -> None:
    for _ in range(5):
        assert shopper.pay(checkout, DECLINED_CARD).status_code == 402


# ------------------------------------------------------------------------------ the page


def test_the_page_shows_what_is_to_be_paid_and_to_whom(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout(amount="12.30", description="Two books", items=["Emma", "Persuasion"])

    text = checkout_page(shopper, checkout).text

    for shown in ("Corner Shop", "$12.30", "Two books", "Emma", "Persuasion"):
        assert shown in text


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [("500", "JPY", "¥500 JPY"), ("1.5", "KWD", "KWD 1.500"), ("1234.5", "USD", "$1,234.50 USD")],
)
def test_the_page_shows_the_amount_with_the_currencys_decimals(
    amount: str, currency: str, shown: str, shop: Shop, shopper: Shopper
) -> None:
    page = checkout_page(shopper, shop.checkout(amount=amount, currency=currency))
    assert f" {shown} " in page.text


def edited(checkout: Checkout, **changes: Any) -> str:
    """The redirect, its `data` changed."""
    data = json.dumps(checkout.data | changes).encode()
    address = checkout.redirect.partition("?")[0]
    return f"{address}?data={quote(base64.b64encode(data), safe='')}"


def test_the_page_shows_the_stored_payment_even_if_the_data_was_edited(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    product = {"total_price": 0.01, "price": 0.01, "currency": "EUR", "name": "A bargain"}
    url = edited(
        checkout,
        product=product | {"description": ["Nearly nothing"]},
        company_name="Somebody Else",
        return_url="https://thief.example/",
        test=False,
    )

    page = Page(shopper.open(url))

    assert page.text == checkout_page(shopper, checkout).text
    assert "500.00" in page.text
    assert "bargain" not in page.text


def test_paying_from_an_edited_page_pays_the_stored_payment(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    url = edited(checkout, product={"total_price": 0.01}, return_url="https://thief.example/")
    form = Page(shopper.open(url)).form("card_number")

    answer = form.send(
        shopper.session, card_number=PAID_CARD, exp_month="12", exp_year="34", cvc="314"
    )

    assert leave(shopper, answer).startswith("https://example.com/payment-result?")
    (entry,) = ledger(stack, checkout.id)
    assert (entry["charge"]["amount_minor"], entry["charge"]["currency"]) == (50000, "USD")


@pytest.mark.parametrize("key", ["id_payment", "client_secret"])
def test_data_with_another_id_or_secret_opens_no_page(
    key: str, shop: Shop, shopper: Shopper
) -> None:
    checkout, other = shop.checkout(), shop.checkout()

    answer = shopper.open(edited(checkout, **{key: other.data[key]}))

    assert answer.status_code == 404
    assert "Premium subscription payment" not in answer.text


@pytest.mark.parametrize("name", ["client_secret", "method", *AUTOCOMPLETE])
def test_the_forms_fields_have_the_contracts_names(name: str, shop: Shop, shopper: Shopper) -> None:
    assert name in checkout_page(shopper, shop.checkout()).form("card_number").fields


@pytest.mark.parametrize(("name", "token"), AUTOCOMPLETE.items())
def test_the_forms_fields_have_the_standard_autocomplete_tokens(
    name: str, token: str, shop: Shop, shopper: Shopper
) -> None:
    field = checkout_page(shopper, shop.checkout()).form("card_number").fields[name]
    assert field.attributes["autocomplete"] == token


@pytest.mark.parametrize("name", AUTOCOMPLETE)
def test_every_field_that_is_typed_in_has_a_label(name: str, shop: Shop, shopper: Shopper) -> None:
    page = checkout_page(shopper, shop.checkout())
    field_id = page.form("card_number").fields[name].attributes["id"]
    labels = [label for label in page.all("label") if label.attributes.get("for") == field_id]
    assert [bool(label.text.strip()) for label in labels] == [True]


def test_the_page_is_better_with_javascript_but_has_everything_without(
    shop: Shop, shopper: Shopper
) -> None:
    answer = shopper.open(shop.checkout().redirect)
    page = Page(answer)

    (script,) = page.all("script")
    url = urljoin(answer.url, script.attributes["src"])

    assert shopper.open(url).status_code == 200
    assert {button.attributes["type"] for button in page.all("button")} == {"submit"}
    assert len(page.all("button")) == len(page.forms) == 4  # two wallets, the card, giving up
    assert {form.method for form in page.forms} == {"post"}


def test_a_checkout_with_live_money_offers_no_simulated_wallet_and_says_why_to_who_sends_one(
    stack_for: StackFor,
) -> None:
    live = stack_for(LiveAcquirer="simulator", AuthorizerCacheSeconds="1")
    shop, shopper = open_shop(live, Mode.LIVE), Shopper(live)
    checkout = shop.checkout()
    page = checkout_page(shopper, checkout)
    assert "Apple Pay" not in page.text
    assert "Test mode" not in page.text
    assert len(page.forms) == 2

    form = {"client_secret": checkout.client_secret, "method": "apple_pay", "wallet_token": "{}"}
    answer = shopper.post(f"{live.url}/checkout/{checkout.id}", data=form)

    assert answer.status_code == 400
    refusal = "This wallet cannot be used here yet. Please pay by card."
    assert urlsplit(Page(answer).link(refusal)).fragment == "card_number"
    shop.close()
    shopper.close()


def test_a_form_whose_method_is_unknown_comes_back_with_an_error_that_can_be_seen(
    shop: Shop, shopper: Shopper
) -> None:
    answer = shopper.pay_by_form(shop.checkout(), method="cheque")
    assert answer.status_code == 400
    assert Page(answer).link("Some of the information did not arrive correctly")


# ------------------------------------------------------------------------------ paying by form


def test_without_javascript_a_shopper_pays_by_the_pages_form_and_returns_to_the_shop(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    form = checkout_page(shopper, checkout).form("card_number")

    answer = form.send(
        shopper.session, card_number="4242 4242 4242 4242", exp_month="12", exp_year="34", cvc="314"
    )

    assert answer.status_code == 303
    assert leave(shopper, answer) == f"https://example.com/payment-result?id_payment={checkout.id}"
    assert shop.payment(checkout.id)["status"] == "completed"


def test_the_whole_way_works_under_a_stage_prefix_too(stack_for: StackFor) -> None:
    staged = stack_for(stage="prod")
    shop, shopper = open_shop(staged), Shopper(staged)
    checkout = shop.checkout()
    typed = {"card_number": CHALLENGE_CARD, "exp_month": "12", "exp_year": "34", "cvc": "314"}
    page = checkout_page(shopper, checkout)
    assert shopper.open(urljoin(page.url, page.all("script")[0].attributes["src"])).ok

    to_challenge = page.form("card_number").send(shopper.session, **typed)
    challenge = Page(shopper.open(to_challenge.headers["Location"]))
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
    again = page.form("card_number").send(
        shopper.session, card_number=PAID_CARD, exp_month="12", exp_year="34", cvc="314"
    )

    assert leave(shopper, again).endswith(f"?id_payment={checkout.id}")
    assert shop.payment(checkout.id)["status"] == "completed"


def test_a_form_that_needs_a_challenge_leads_to_it(shop: Shop, shopper: Shopper) -> None:
    answer = shopper.pay_by_form(shop.checkout(), CHALLENGE_CARD)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{shopper.stack.url}/3ds/")


@pytest.mark.parametrize("state", ["paid", "canceled", "failed", "in a challenge"])
def test_a_form_for_a_payment_that_cannot_be_paid_now_leads_to_the_status_page(
    state: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    if state == "paid":
        shopper.pay(checkout)
    elif state == "canceled":
        shopper.cancel(checkout)
    elif state == "failed":
        exhaust(shopper, checkout)
    else:
        shopper.start_challenge(checkout)

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
    assert faults(answer).keys() == {"card_number", "exp_month", "exp_year", "cvc"}


@pytest.mark.parametrize("answer_to", ["pay", "pay_by_form", "cancel", "status"])
@pytest.mark.parametrize("wrong", ["id", "secret", "other secret", "shape", "empty"])
def test_a_wrong_id_or_a_wrong_secret_is_a_404(
    answer_to: str, wrong: str, shop: Shop, shopper: Shopper
) -> None:
    right, other = shop.checkout(), shop.checkout()
    payment_id, client_secret = {
        "id": (right.id[:-4] + "0000", right.client_secret),
        "secret": (right.id, right.client_secret[:-32] + "0" * 32),
        "other secret": (right.id, other.client_secret),
        "shape": (right.id, "nonsense"),
        "empty": (right.id, ""),
    }[wrong]
    checkout = Checkout(payment_id, client_secret, "", {})

    answer = getattr(shopper, answer_to)(checkout)

    assert answer.status_code == 404
    assert [shop.payment(it.id)["status"] for it in (right, other)] == ["requires_action"] * 2


def test_a_wrong_id_and_a_wrong_secret_get_the_same_404(shop: Shop, shopper: Shopper) -> None:
    right = shop.checkout()
    no_id = Checkout(right.id[:-4] + "0000", right.client_secret, "", {})
    no_secret = Checkout(right.id, right.client_secret[:-32] + "0" * 32, "", {})
    answers = [shopper.pay(checkout) for checkout in (no_id, no_secret)]

    assert answers[0].json() == answers[1].json()
    assert answers[0].json() == NOT_FOUND


@pytest.mark.parametrize("secret", [None, 17, ["a"], {"a": "b"}, True])
def test_a_secret_that_is_no_text_is_a_404(secret: object, shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    assert shopper.pay(checkout, client_secret=secret).status_code == 404


def _already_paid(shopper: Shopper, checkout: Checkout) -> None:
    shopper.pay(checkout)


def _in_progress(shopper: Shopper, checkout: Checkout) -> None:
    shopper.start_challenge(checkout)


def _canceled(shopper: Shopper, checkout: Checkout) -> None:
    shopper.cancel(checkout)


def _failed(shopper: Shopper, checkout: Checkout) -> None:
    exhaust(shopper, checkout)


@pytest.mark.parametrize("arrange", [_already_paid, _in_progress, _canceled, _failed])
def test_a_payment_that_cannot_be_paid_now_is_a_409_with_the_reason(
    arrange: Callable[[Shopper, Checkout], None], shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    arrange(shopper, checkout)
    before = stored(stack, checkout.id), ledger(stack, checkout.id)

    answer = shopper.pay(checkout)

    assert envelope(answer, 409, "reason")["reason"] == arrange.__name__.removeprefix("_")
    assert (stored(stack, checkout.id), ledger(stack, checkout.id)) == before


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


# ------------------------------------------------------------------------------ the way back


@pytest.mark.parametrize(("return_url", "expected"), RETURN_URLS.items())
def test_success_leads_to_the_return_url_with_id_payment_added(
    return_url: str, expected: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout(return_url=return_url)
    answer = shopper.pay(checkout)
    assert answer.json()["redirect"] == expected.format(id=checkout.id)


@pytest.mark.parametrize(("return_url", "expected"), RETURN_URLS.items())
def test_giving_up_leads_to_the_return_url_with_id_payment_added(
    return_url: str, expected: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout(return_url=return_url)
    answer = shopper.cancel(checkout)
    assert answer.status_code == 303
    assert answer.headers["Location"] == expected.format(id=checkout.id)


@pytest.mark.parametrize(
    "return_url", ["https://shop.example/Pfäffikon?größe=ü#ß", 'https://shop.example/"a<b>?q="']
)
def test_a_return_url_that_no_header_can_carry_is_encoded_on_the_way_back(
    return_url: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout(return_url=return_url)
    answer = shopper.cancel(checkout)
    assert shop.payment(checkout.id)["return_url"] == return_url

    location = answer.headers["Location"]

    assert location.isascii()
    assert not set('"<>') & set(location)
    parts, asked = urlsplit(location), urlsplit(return_url)
    assert unquote(parts.path) == asked.path
    assert parse_qsl(parts.query, keep_blank_values=True) == [
        *parse_qsl(asked.query, keep_blank_values=True),
        ("id_payment", checkout.id),
    ]
    assert unquote(parts.fragment) == asked.fragment


# ------------------------------------------------------------------------------ 3DS, attempts


@pytest.mark.parametrize("number", [PAID_CARD, DECLINED_CARD])
def test_every_charge_asks_for_3ds_before_it_asks_for_money(
    number: str, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, number)
    (entry,) = ledger(stack, checkout.id)
    assert [question for question, _ in entry["asked"]] == ["authenticate", "authorize"]


def test_after_a_decline_the_shopper_may_try_another_card(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    assert shopper.pay(checkout, DECLINED_CARD).status_code == 402
    assert shop.payment(checkout.id)["status"] == "requires_action"

    assert shopper.pay(checkout, PAID_CARD).status_code == 200

    assert shop.payment(checkout.id)["status"] == "completed"
    assert charges(stack, checkout.id) == 1


def test_the_fifth_attempt_may_still_pay(shop: Shop, shopper: Shopper, stack: Stack) -> None:
    checkout = shop.checkout()
    for _ in range(4):
        assert shopper.pay(checkout, DECLINED_CARD).status_code == 402
    assert shopper.pay(checkout, PAID_CARD).status_code == 200
    assert shop.payment(checkout.id)["status"] == "completed"
    assert charges(stack, checkout.id) == 1


def test_after_five_declines_the_payment_has_failed(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    answers = [shopper.pay(checkout, INSUFFICIENT_FUNDS_CARD) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [402] * 5
    assert shop.payment(checkout.id)["status"] == "failed"
    assert len(ledger(stack, checkout.id)) == 5
    refused = shopper.pay(checkout, PAID_CARD)
    assert (refused.status_code, refused.json()["reason"]) == (409, "failed")
    assert charges(stack, checkout.id) == 0


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
    assert ledger(stack, checkout.id) == []
    assert stored(stack, checkout.id)["attempt_tokens"] == []

    for _ in range(4):
        assert shopper.pay(checkout, DECLINED_CARD).status_code == 402
    assert shopper.pay(checkout).status_code == 200


# ------------------------------------------------------------------------------ input

YEAR = datetime.now(UTC).year
THIS_MONTH = f"{datetime.now(UTC).month:02}"
ACCEPTED = [
    {"card_number": "4242 4242 4242 4242"},
    {"card_number": "4242-4242-4242-4242"},
    {"card_number": " 4242 4242-42424242 "},
    {"card_number": "4242\u00a04242\u00a04242\u00a04242"},
    {"card_number": "3782 822463 10005", "cvc": "3141"},
    {"exp_year": "34"},
    {"exp_year": "2034"},
    {"exp_year": 34},
    {"exp_year": 2034},
    {"exp_month": "1"},
    {"exp_month": "01"},
    {"exp_month": 1},
    {"exp_month": THIS_MONTH, "exp_year": str(YEAR)},
    {"exp_month": THIS_MONTH, "exp_year": str(YEAR % 100)},
    {"name": "Ada Lovelace 3rd", "email": "ada.1815@example.com"},
    {"name": "", "email": ""},
    {"name": "José Ñandú", "email": "jose+2026@example.com"},
    {"method": None},
]
REFUSED = [
    ("card_number", "4242424242424241"),
    ("card_number", "42424242"),
    ("card_number", "42424242424242424242"),
    ("card_number", "4242x4242x4242x4242"),
    ("card_number", "４２４２４２４２４２４２４２４２"),
    ("card_number", "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"),
    ("card_number", ""),
    ("card_number", None),
    ("card_number", ["4242424242424242"]),
    ("exp_month", "0"),
    ("exp_month", "13"),
    ("exp_month", "1.0"),
    ("exp_month", "x"),
    ("exp_month", "١٢"),
    ("exp_month", "１２"),
    ("exp_month", ""),
    ("exp_month", 1.5),
    ("exp_month", True),
    ("exp_year", str(YEAR - 1)),
    ("exp_year", f"{(YEAR - 1) % 100:02}"),
    ("exp_year", "2134"),
    ("exp_year", "034"),
    ("exp_year", "0034"),
    ("exp_year", "4"),
    ("exp_year", "20340"),
    ("exp_year", "٣٤"),
    ("exp_year", "³⁴"),
    ("exp_year", ""),
    ("cvc", "31"),
    ("cvc", "3141"),
    ("cvc", "31x"),
    ("cvc", "٣١٤"),
    ("cvc", "３１４"),
    ("cvc", ""),
    ("name", "x" * 101),
    ("email", "nobody"),
    ("email", "a@b"),
    ("email", "a b@example.com"),
    ("method", "cash"),
    ("attempt", "x"),
    ("attempt", "one rendering of the page"),
    ("attempt", "x" * 100),
]
HIDDEN_NUMBERS = [
    "4242424242424242",
    "4242 4242 4242 4242",
    "4242-4242-4242-4242",
    "4242.4242.4242.4242",
    "4242_4242_4242_4242",
    "4242/4242/4242/4242",
    "4242  4242  4242  4242",
    "4242\u00a04242\u00a04242\u00a04242",
    "Ada 4242424242424242 Lovelace",
    "Ada4242424242424242",
    "17 4242 4242 4242 4242",
    "378282246310005",
]


@pytest.mark.parametrize("typed", ACCEPTED, ids=repr)
def test_what_people_type_is_accepted(typed: dict[str, Any], shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    form = {"number": typed.get("card_number", PAID_CARD), **typed}
    form.pop("card_number", None)
    answer = shopper.pay(checkout, **form)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("field", "value"), REFUSED, ids=repr)
def test_what_cannot_be_right_is_refused_and_only_its_field_is_named(
    field: str, value: object, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    form = shopper.card_form(checkout, PAID_CARD) | {field: value}
    answer = shopper.post(f"{shopper.stack.url}/checkout/{checkout.id}", json=form)
    assert faults(answer).keys() == {field}


@pytest.mark.parametrize("year", ["34", "2034", f"{YEAR + 1}", f"{(YEAR + 1) % 100:02}"])
def test_a_year_in_two_digits_is_the_same_year_in_four(
    year: str, shop: Shop, shopper: Shopper
) -> None:
    shopper.pay(shop.checkout(), exp_year=year)
    (row,) = shop.list().json()
    assert row["card_exp_year"] == (year if len(year) == 4 else f"20{year}")


def test_a_card_that_expired_last_month_is_refused(shop: Shop, shopper: Shopper) -> None:
    now = datetime.now(UTC)
    year, month = (now.year, now.month - 1) if now.month > 1 else (now.year - 1, 12)
    answer = shopper.pay(shop.checkout(), exp_month=f"{month}", exp_year=f"{year}")
    assert set(faults(answer).values()) == {"card_expired"}


@pytest.mark.parametrize(("number", "cvc"), [("378282246310005", "314"), (PAID_CARD, "3141")])
def test_the_security_code_has_the_brands_length(
    number: str, cvc: str, shop: Shop, shopper: Shopper
) -> None:
    assert faults(shopper.pay(shop.checkout(), number, cvc=cvc)).keys() == {"cvc"}


@pytest.mark.parametrize("text", HIDDEN_NUMBERS)
def test_a_name_that_holds_a_card_number_is_refused(
    text: str, shop: Shop, shopper: Shopper
) -> None:
    assert faults(shopper.pay(shop.checkout(), name=text)).keys() == {"name"}


@pytest.mark.parametrize(
    "email",
    [
        "4242424242424242@example.com",
        "4242-4242-4242-4242@example.com",
        "4242.4242.4242.4242@example.com",
        "4242_4242_4242_4242@example.com",
        "4242+4242+4242+4242@example.com",
        "ada4242424242424242@example.com",
        "ada+4242424242424242@example.com",
        "ada@4242424242424242.example.com",
        "ada@4242-4242-4242-4242.com",
    ],
)
def test_an_e_mail_that_holds_a_card_number_is_refused(
    email: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    assert faults(shopper.pay(checkout, email=email)).keys() == {"email"}
    assert shop.payment(checkout.id)["customer_email"] is None


def test_text_that_is_no_text_is_never_stored(shop: Shop, shopper: Shopper) -> None:
    """Half a character in the e-mail must not break the merchant's reading of the payment."""
    checkout = shop.checkout()
    url = f"{shopper.stack.url}/checkout/{checkout.id}"
    body = json.dumps(shopper.card_form(checkout, PAID_CARD, email="\ud800@example.com"))
    answer = shopper.post(url, data=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert shop.get(checkout.id).status_code == 200
    assert shop.list().status_code == 200


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
        assert charges(stack, checkout.id) == 1
        assert len(ledger(stack, checkout.id)) == 1
        assert len(stored(stack, checkout.id)["attempt_tokens"]) == 1
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
        assert (answer.headers["Location"] if as_form else answer.json()["redirect"]) == link
    (attempt_token,) = stored(stack, checkout.id)["attempt_tokens"]
    assert attempt_token.startswith(f"{token}-")
    assert charges(stack, checkout.id) == 1
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
    assert len(ledger(stack, checkout.id)) == 1


def test_the_same_token_on_two_payments_is_two_attempts(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkouts = [shop.checkout() for _ in range(2)]
    for checkout in checkouts:
        assert shopper.pay(checkout, attempt="one-rendering-17").status_code == 200
    assert [charges(stack, checkout.id) for checkout in checkouts] == [1, 1]


def test_no_rendering_makes_a_token_that_could_be_taken_for_a_card_number(
    shop: Shop, shopper: Shopper
) -> None:
    """Such a token is refused, and its shopper could do nothing about it.

    Twelve digits in a row are rare among random ones, eight are not: among sixty tokens of
    sixteen hexadecimal digits they are nearly certain.
    """
    checkout = shop.checkout()
    pages = [checkout_page(shopper, checkout) for _ in range(60)]
    tokens = [page.form("card_number").values["attempt"] for page in pages]
    assert [token for token in tokens if re.search(r"[0-9]{8}", token)] == []


def test_every_rendering_of_the_page_is_an_attempt_of_its_own(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    pages = [checkout_page(shopper, checkout) for _ in range(3)]
    assert len({page.form("card_number").values["attempt"] for page in pages}) == 3


def test_paying_and_giving_up_at_once_ends_in_one_of_the_two(shop: Shop, stack: Stack) -> None:
    payer, quitter = Shopper(stack), Shopper(stack)
    for _ in range(6):
        checkout = shop.checkout()

        paid, _ = at_once([partial(payer.pay, checkout), partial(quitter.cancel, checkout)])

        status = shop.payment(checkout.id)["status"]
        assert (paid.status_code, status, charges(stack, checkout.id)) in [
            (200, "completed", 1),
            (409, "canceled", 0),
        ]
    payer.close()
    quitter.close()


# ------------------------------------------------------------------------------ giving up


def test_the_pages_own_button_gives_up_and_leads_back_to_the_shop(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    answer = checkout_page(shopper, checkout).form("cancel").send(shopper.session)

    assert answer.status_code == 303
    link = f"https://example.com/payment-result?id_payment={checkout.id}"
    assert answer.headers["Location"] == link
    assert shop.payment(checkout.id)["status"] == "canceled"


def test_giving_up_after_a_decline_is_giving_up(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, DECLINED_CARD)
    assert shopper.cancel(checkout).status_code == 303
    assert shop.payment(checkout.id)["status"] == "canceled"


def test_giving_up_twice_is_giving_up_once(shop: Shop, shopper: Shopper, stack: Stack) -> None:
    checkout = shop.checkout()
    first = shopper.cancel(checkout)
    once = stored(stack, checkout.id)
    second = shopper.cancel(checkout)

    assert first.headers["Location"] == second.headers["Location"]
    assert stored(stack, checkout.id) == once


@pytest.mark.parametrize("arrange", [_already_paid, _in_progress, _failed])
def test_what_is_paid_or_under_way_or_failed_cannot_be_given_up(
    arrange: Callable[[Shopper, Checkout], None], shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    arrange(shopper, checkout)
    before = stored(stack, checkout.id)

    answer = shopper.cancel(checkout)

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{shopper.stack.url}/checkout/{checkout.id}?")
    assert stored(stack, checkout.id) == before


def test_giving_up_by_get_gives_nothing_up(shop: Shop, shopper: Shopper) -> None:
    """A link that somebody or something merely follows changes nothing."""
    checkout = shop.checkout()
    url = f"{shopper.stack.url}/checkout/{checkout.id}/cancel"
    answer = shopper.open(url, params={"client_secret": checkout.client_secret})
    assert answer.status_code == 404
    assert shop.payment(checkout.id)["status"] == "requires_action"


# ------------------------------------------------------------------------------ the status page

STATES: dict[str, tuple[Callable[[Shopper, Checkout], None], str]] = {
    "payable": (lambda _shopper, _checkout: None, "card number"),
    "declined": (lambda shopper, it: _void(shopper.pay(it, DECLINED_CARD)), "declined"),
    "challenged": (_in_progress, "bank"),
    "paid": (_already_paid, "complete"),
    "failed": (_failed, "failed"),
    "canceled": (_canceled, "canceled"),
}


def _void(_answer: requests.Response) -> None:
    pass


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("address", ["status", "redirect"])
def test_in_every_state_there_is_a_page_that_says_so_and_leads_on(
    state: str, address: str, shop: Shop, shopper: Shopper
) -> None:
    arrange, words = STATES[state]
    checkout = shop.checkout()
    arrange(shopper, checkout)

    is_status = address == "status"
    answer = (
        shopper.status(checkout, as_json=False) if is_status else shopper.open(checkout.redirect)
    )

    assert answer.status_code == 200
    page = Page(answer)
    assert words in page.text.lower()
    assert page.title.strip()
    assert page.headings
    assert page.forms or page.all("a"), "a dead end"
    assert ("card_number" in {name for form in page.forms for name in form.fields}) == (
        state in ("payable", "declined")
    )


@pytest.mark.parametrize("state", ["paid", "failed", "canceled"])
def test_a_payment_that_has_ended_shows_the_way_back_to_the_shop(
    state: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout(return_url="https://shop.example/d?a=1#end")
    STATES[state][0](shopper, checkout)
    page = Page(shopper.status(checkout, as_json=False))
    assert page.link("return") == f"https://shop.example/d?a=1&id_payment={checkout.id}#end"


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("payable", "requires_action"),
        ("declined", "requires_action"),
        ("challenged", "requires_challenge"),
        ("paid", "succeeded"),
        ("failed", "failed"),
        ("canceled", "canceled"),
    ],
)
def test_a_script_learns_the_status_as_json(
    state: str, status: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    STATES[state][0](shopper, checkout)

    answer = shopper.status(checkout)

    assert answer.status_code == 200
    assert answer.json()["status"] == status
    assert answer.json()["redirect"].startswith(("http://", "https://"))


NOWHERE = [
    "/checkout/",
    "/checkout",
    "/checkout/?data=",
    "/checkout/?data=garbage",
    "/checkout/?data=e30=",
    "/checkout/?data=bnVsbA==",
    "/checkout/?data=W10=",
    "/checkout/?data=%F0%9F%92%B3",
    "/checkout/pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB",
    "/checkout/pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB?client_secret=x",
    "/checkout/x?client_secret=x",
    "/checkout/static/nothing.css",
    "/3ds/nothing",
    "/3ds/nothing/return",
]


@pytest.mark.parametrize("path", NOWHERE)
def test_what_leads_nowhere_is_a_404_page_and_never_a_blank_one(
    path: str, shopper: Shopper
) -> None:
    answer = shopper.open(shopper.stack.url + path)
    assert answer.status_code == 404
    page = Page(answer)
    assert page.title.strip()
    assert [heading for heading in page.headings if heading.strip()]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b"NaN", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 20_000, "application/json", 400),
        (b"{}", "application/json", 404),
        (b"", "application/x-www-form-urlencoded", 404),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=1" for _ in range(500)), "application/x-www-form-urlencoded", 400),
        (b"{}", "text/plain", 415),
        (b"<a/>", "application/xml", 415),
        (b"--x--", "multipart/form-data; boundary=x", 415),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_an_answer_that_says_what_is_wrong(
    body: bytes, content_type: str, status: int, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    url = f"{shopper.stack.url}/checkout/{checkout.id}"

    answer = shopper.post(url, data=body, headers={"Content-Type": content_type})

    assert answer.status_code == status
    assert answer.text.strip()
    assert "Internal error" not in answer.text
    assert shop.payment(checkout.id)["status"] == "requires_action"
