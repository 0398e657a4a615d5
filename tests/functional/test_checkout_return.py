"""Section 5 of the contract: the way back to the shop, and giving up."""

from urllib.parse import unquote, urlsplit

import pytest
import requests

from tests.support.actors import (
    DECLINED_CARD,
    Shop,
    Shopper,
)
from tests.support.records import stored
from tests.support.stack import Stack
from tests.support.states import bring_to
from tests.support.walking import checkout_page

# ------------------------------------------------------------------------------ the way back
# What is made of which return_url is tested in tests/unit/test_links.py.

RETURN_URL = "https://shop.example/d?a=%20%26&id_payment=old&b=x+y#end"
WAY_BACK = "https://shop.example/d?a=%20%26&b=x+y&id_payment={id}#end"
BEYOND_ASCII = "https://shop.example/Pfäffikon?größe=ü#ß"


@pytest.mark.parametrize("act", ["pay", "pay_by_form", "cancel"])
def test_the_shopper_is_led_to_the_return_url_with_id_payment_added(
    act: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout(return_url=RETURN_URL)
    answer: requests.Response = getattr(shopper, act)(checkout)
    led = answer.json()["redirect"] if act == "pay" else shopper.way_out(answer)
    assert led == WAY_BACK.format(id=checkout.id)


def test_a_return_url_beyond_ascii_is_kept_for_the_merchant_and_encoded_for_the_header(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout(return_url=BEYOND_ASCII)
    location = shopper.way_out(shopper.cancel(checkout))
    assert location.isascii()
    assert unquote(urlsplit(location).path) == "/Pfäffikon"
    assert shop.payment(checkout.id)["return_url"] == BEYOND_ASCII


# ------------------------------------------------------------------------------ giving up


def test_the_pages_own_button_gives_up_and_leads_back_to_the_shop(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    answer = checkout_page(shopper, checkout).form("cancel").send(shopper.session)

    assert answer.status_code == 303
    link = f"https://example.com/payment-result?id_payment={checkout.id}"
    assert shopper.way_out(answer) == link
    assert shop.payment(checkout.id)["status"] == "canceled"


def test_giving_up_after_a_decline_is_giving_up(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, DECLINED_CARD)
    assert shopper.cancel(checkout).status_code == 303
    assert shop.payment(checkout.id)["status"] == "canceled"


def test_giving_up_twice_is_giving_up_once(shop: Shop, shopper: Shopper, stack: Stack) -> None:
    checkout = shop.checkout()
    first = shopper.cancel(checkout)
    once = stored(stack, checkout)
    second = shopper.cancel(checkout)

    assert shopper.way_out(first) == shopper.way_out(second)
    assert stored(stack, checkout) == once


@pytest.mark.parametrize("state", ["paid", "challenged", "failed"])
def test_what_is_paid_or_under_way_or_failed_cannot_be_given_up(
    state: str, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    bring_to(state, shopper, checkout)
    before = stored(stack, checkout)

    answer = shopper.cancel(checkout)

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{shopper.stack.url}/checkout/{checkout.id}?")
    assert stored(stack, checkout) == before


def test_giving_up_by_get_gives_nothing_up(shop: Shop, shopper: Shopper) -> None:
    """A link that somebody or something merely follows changes nothing."""
    checkout = shop.checkout()
    url = f"{shopper.stack.url}/checkout/{checkout.id}/cancel"
    answer = shopper.open(url, params={"client_secret": checkout.client_secret})
    assert answer.status_code == 404
    assert shop.payment(checkout.id)["status"] == "requires_action"
