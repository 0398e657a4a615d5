"""Section 5 of the contract: what the checkout shows, from the first look to the end."""

import base64
import json
import re
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest

from payments.model.ids import Mode
from tests.conftest import StackFor
from tests.support.actors import (
    DECLINED_CARD,
    TYPED_CARD,
    Checkout,
    Shop,
    Shopper,
    open_shop,
)
from tests.support.html import Page
from tests.support.records import ledger
from tests.support.stack import Stack
from tests.support.states import bring_to
from tests.support.walking import checkout_page, leave

AUTOCOMPLETE = {
    "card_number": "cc-number",
    "exp_month": "cc-exp-month",
    "exp_year": "cc-exp-year",
    "cvc": "cc-csc",
    "name": "cc-name",
    "email": "email",
}


# ------------------------------------------------------------------------------ the page


def test_the_page_shows_what_is_to_be_paid_and_to_whom(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout(amount="12.30", description="Two books", items=["Emma", "Persuasion"])

    text = checkout_page(shopper, checkout).text

    for shown in ("Corner Shop", "$12.30 USD", "Two books", "Emma", "Persuasion"):
        assert shown in text


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
        statement_descriptor=["SOMEBODY"],
        has_customer=True,
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

    answer = form.send(shopper.session, **TYPED_CARD)

    assert leave(shopper, answer).startswith("https://example.com/payment-result?")
    (entry,) = ledger(stack, checkout)
    assert (entry["charge"]["amount_minor"], entry["charge"]["currency"]) == (50000, "USD")


@pytest.mark.parametrize("key", ["id_payment", "client_secret"])
def test_data_with_another_id_or_secret_opens_no_page(
    key: str, shop: Shop, shopper: Shopper
) -> None:
    checkout, other = shop.checkout(), shop.checkout()

    unknown = shopper.open(f"{shopper.stack.url}/checkout/")
    for value in (other.data[key], "cs_test_x_0", "pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB"):
        answer = shopper.open(edited(checkout, **{key: value}))
        assert (answer.status_code, answer.text) == (404, unknown.text)


def test_the_forms_fields_have_the_contracts_names(shop: Shop, shopper: Shopper) -> None:
    fields = checkout_page(shopper, shop.checkout()).form("card_number").fields
    assert {"client_secret", "method", *AUTOCOMPLETE} <= fields.keys()


def test_the_forms_fields_have_the_standard_autocomplete_tokens(
    shop: Shop, shopper: Shopper
) -> None:
    fields = checkout_page(shopper, shop.checkout()).form("card_number").fields
    tokens = {name: fields[name].attributes["autocomplete"] for name in AUTOCOMPLETE}
    assert tokens == AUTOCOMPLETE


def test_an_e_mail_address_from_the_merchant_is_shown_and_not_asked_for(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout(customer_email="ada+shop@example.com")
    page = checkout_page(shopper, checkout)
    assert "ada+shop@example.com" in page.text
    assert "email" not in page.form("card_number").fields

    refused = Page(shopper.pay_by_form(checkout, "1", email="someone.else@example.com"))
    assert "ada+shop@example.com" in refused.text
    assert "someone.else@example.com" not in refused.text


def test_an_e_mail_address_that_a_shopper_typed_is_asked_for_again(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, DECLINED_CARD, email="ada@example.com")
    assert "email" in checkout_page(shopper, checkout).form("card_number").fields


def test_every_field_that_is_typed_in_has_a_label(shop: Shop, shopper: Shopper) -> None:
    page = checkout_page(shopper, shop.checkout())
    fields = page.form("card_number").fields
    for name in AUTOCOMPLETE:
        field_id = fields[name].attributes["id"]
        labels = [label for label in page.all("label") if label.attributes.get("for") == field_id]
        assert [bool(label.text.strip()) for label in labels] == [True], name


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


# ------------------------------------------------------------------------------ the status page


# What the page says in each state.
WORDS = {
    "unpaid": "card number",
    "declined": "declined",
    "challenged": "bank",
    "paid": "complete",
    "failed": "failed",
    "canceled": "canceled",
}


@pytest.mark.parametrize("state", WORDS)
@pytest.mark.parametrize("address", ["status", "redirect"])
def test_in_every_state_there_is_a_page_that_says_so_and_leads_on(
    state: str, address: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    bring_to(state, shopper, checkout)

    is_status = address == "status"
    answer = (
        shopper.status(checkout, as_json=False) if is_status else shopper.open(checkout.redirect)
    )

    assert answer.status_code == 200
    page = Page(answer)
    assert WORDS[state] in page.text.lower()
    assert page.title.strip()
    assert page.headings
    assert page.forms or page.all("a"), "a dead end"
    assert ("card_number" in {name for form in page.forms for name in form.fields}) == (
        state in ("unpaid", "declined")
    )


@pytest.mark.parametrize("state", ["paid", "failed", "canceled"])
def test_a_payment_that_has_ended_shows_the_way_back_to_the_shop(
    state: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout(return_url="https://shop.example/d?a=1#end")
    bring_to(state, shopper, checkout)
    page = Page(shopper.status(checkout, as_json=False))
    assert page.link("return") == f"https://shop.example/d?a=1&id_payment={checkout.id}#end"


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("unpaid", "requires_action"),
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
    bring_to(state, shopper, checkout)

    answer = shopper.status(checkout)

    assert answer.status_code == 200
    assert answer.json()["status"] == status
    assert answer.json()["redirect"].startswith(("http://", "https://"))


# ------------------------------------------------------------------------------ what leads nowhere


NOWHERE = [
    "/checkout/",
    "/checkout",
    "/checkout/?data=",
    "/checkout/?data=garbage",
    "/checkout/?data=e30=",
    "/checkout/?data=bnVsbA==",
    "/checkout/?data=W10=",
    "/checkout/?data=" + base64.b64encode(b'{"id_payment": 5, "client_secret": []}').decode(),
    "/checkout/?data=" + base64.b64encode(b"\xff\xfe").decode(),
    "/checkout/?data=" + base64.b64encode(b"[" * 4000).decode(),
    "/checkout/?data=%F0%9F%92%B3",
    "/checkout/pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB",
    "/checkout/pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB?client_secret=x",
    "/checkout/x?client_secret=x",
    "/checkout/static/nothing.css",
    "/3ds/nothing",
    "/3ds/nothing/return",
]


@pytest.mark.parametrize("path", NOWHERE, ids=lambda path: path[:40])
def test_what_leads_nowhere_is_a_404_page_and_never_a_blank_one(
    path: str, shopper: Shopper
) -> None:
    answer = shopper.open(shopper.stack.url + path)
    assert answer.status_code == 404
    page = Page(answer)
    assert page.title.strip()
    assert page.headings
