"""Links that leave the page: the checkout's address, cut to 6,000 characters, and the way back."""

import base64
import bisect
import json
import re
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, unquote, urlsplit

import pytest

from payments.web.checkout_link import MAX_URL_LENGTH, checkout_url, read_checkout_data
from payments.web.return_link import return_link
from tests.support.payments import a_payment

BASE_URL = "http://127.0.0.1:8000"
URL = "https://example.com/"
EMOJI = "😀"  # four bytes of UTF-8, twelve characters once they are percent-encoded


# ------------------------------------------------------------------- the checkout: 6,000 characters


def link(items: list[str], name: str, url: str = URL) -> tuple[str, tuple[list[str], str, str]]:
    """The checkout's address of such a payment, and the items, name and URL that are in it."""
    payment = a_payment(items=tuple(items), description=name, return_url=url)
    address = checkout_url(payment, BASE_URL)
    data = data_in(address)
    product = data["product"]
    return address, (product["description"], product["name"], data["return_url"])


def data_in(address: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        base64.b64decode(parse_qs(urlsplit(address).query)["data"][0], validate=True)
    )
    return found


def is_cut(shown: object, stored: list[str] | str) -> bool:
    """Whether this is the beginning of that, and not the whole of it."""
    assert isinstance(shown, type(stored))
    assert stored[: len(shown)] == shown
    return len(shown) < len(stored)


def test_the_maximum_is_6000_characters() -> None:
    assert MAX_URL_LENGTH == 6000


def test_an_address_that_fits_is_not_cut() -> None:
    facts = (["x" * 250] * 10, "x" * 500, URL + "a" * 500)
    address, shown = link(*facts)
    assert len(address) <= MAX_URL_LENGTH
    assert shown == facts


@pytest.mark.parametrize("start", [1, 2, 3])
def test_an_address_is_cut_when_it_would_exceed_6000_characters_and_not_before(start: int) -> None:
    """Three characters more of text are four more of base64, with the same padding."""
    items = ["x" * 250] * 15
    lengths = range(start, 501, 3)
    first_cut = bisect.bisect_left(
        lengths, 1, key=lambda length: link(items, "n" * length)[1][0] != items
    )
    longest, shown = link(items, "n" * lengths[first_cut - 1])
    assert shown[0] == items
    assert MAX_URL_LENGTH - 4 < len(longest) <= MAX_URL_LENGTH


def test_the_items_are_cut_first_and_no_more_of_them_than_needed() -> None:
    items, name, url = ["x" * 250] * 100, "n" * 500, URL + "a" * 500
    address, (shown, *rest) = link(items, name, url)
    assert MAX_URL_LENGTH - 500 < len(address) <= MAX_URL_LENGTH
    assert is_cut(shown, items)
    assert rest == [name, url]


def test_the_name_is_cut_when_no_item_is_left() -> None:
    name, url = EMOJI * 500, URL + "a" * 2028
    address, (shown_items, shown_name, shown_url) = link(["x" * 250] * 100, name, url)
    assert len(address) <= MAX_URL_LENGTH
    assert shown_items == []
    assert is_cut(shown_name, name)
    assert shown_name
    assert shown_url == url


def test_the_return_url_is_cut_when_no_name_is_left() -> None:
    url = URL + EMOJI * 2028
    address, (shown_items, shown_name, shown_url) = link(["x" * 250] * 100, EMOJI * 500, url)
    assert len(address) <= MAX_URL_LENGTH
    assert (shown_items, shown_name) == ([], "")
    assert is_cut(shown_url, url)
    assert shown_url


def test_the_base64_has_the_standard_alphabet_and_is_percent_encoded() -> None:
    seen = ""
    for padding in range(3):
        address, _ = link(["x"], "?>" * 12 + "ÿ" * 12 + "~" * padding)
        encoded = address.partition("data=")[2]
        assert re.fullmatch(r"(?:[A-Za-z0-9]|%2B|%2F|%3D)+", encoded)
        assert quote(unquote(encoded), safe="") == encoded
        base64.b64decode(unquote(encoded), validate=True)
        seen += unquote(encoded)
    assert {"+", "/", "="} <= set(seen)


def test_what_was_cut_still_names_its_payment() -> None:
    address, _ = link(["x" * 250] * 100, EMOJI * 500, URL + EMOJI * 2028)
    payment = a_payment()
    encoded = parse_qs(urlsplit(address).query)["data"][0]
    assert read_checkout_data(encoded) == (payment.id, payment.client_secret)


@pytest.mark.parametrize(
    "encoded",
    [
        *("", "nonsense", "garbage", "💳", "=" * 8000),
        *(
            base64.b64encode(raw).decode()
            for raw in (
                *(b"null", b"[]", b"{}", b'"text"', b"5", b"\xff\xfe", b"[" * 4000),
                b'{"id_payment": 5, "client_secret": []}',
                b'{"id_payment": "pay_1"}',
            )
        ),
    ],
    ids=lambda encoded: ascii(encoded)[:30],
)
def test_data_that_names_no_payment_is_read_as_nothing(encoded: str) -> None:
    assert read_checkout_data(encoded) == ("", "")


# ------------------------------------------------------------------------------ the way back

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
    "https://shop.example/d?a=1&&b=2": "https://shop.example/d?a=1&&b=2&id_payment={id}",
    "https://shop.example/d?": "https://shop.example/d?id_payment={id}",
    "https://straße.de/d": "https://xn--strae-oqa.de/d?id_payment={id}",
    "https://STRASSE.de:444/d": "https://STRASSE.de:444/d?id_payment={id}",
    "https://ΝΊΚΟΣ.gr/d": "https://xn--kxawhku.gr/d?id_payment={id}",
    "https://νίκος.gr/d": "https://xn--kxawhkp.gr/d?id_payment={id}",
}


@pytest.mark.parametrize(("return_url", "expected"), RETURN_URLS.items())
def test_the_way_back_is_the_return_url_with_id_payment_added(
    return_url: str, expected: str
) -> None:
    payment = a_payment(return_url=return_url)
    assert return_link(payment) == expected.format(id=payment.id)


@pytest.mark.parametrize(
    "return_url", ["https://shop.example/Pfäffikon?größe=ü#ß", 'https://shop.example/"a<b>?q="']
)
def test_a_return_url_that_no_header_can_carry_is_encoded_on_the_way_back(return_url: str) -> None:
    payment = a_payment(return_url=return_url)

    location = return_link(payment)

    assert location.isascii()
    assert not set('"<>') & set(location)
    parts, asked = urlsplit(location), urlsplit(return_url)
    assert unquote(parts.path) == asked.path
    assert parse_qsl(parts.query, keep_blank_values=True) == [
        *parse_qsl(asked.query, keep_blank_values=True),
        ("id_payment", payment.id),
    ]
    assert unquote(parts.fragment) == asked.fragment
