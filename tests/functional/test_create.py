"""Contract, section 3 (without Idempotency-Key): what a create takes, refuses and answers."""

import base64
import bisect
import json
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import pytest
import requests
from ulid import ULID

from payments.model.ids import Mode
from tests.conftest import StackFor
from tests.support.actors import Checkout, Shop, Shopper, open_shop, order
from tests.support.documentation import CHECKOUT_DATA, NOT_FOUND, envelope, faults
from tests.support.html import Page
from tests.support.stack import Stack

REQUIRED = ("amount", "description", "currency", "items", "return_url")
URL = "https://example.com/"
EMOJI = "😀"  # four bytes of UTF-8, one character
MAX_BODY_BYTES = 64 * 1024
MAX_URL_LENGTH = 6000


@pytest.fixture
def live_shop(stack_for: StackFor) -> Iterator[Shop]:
    shop = open_shop(stack_for(LiveAcquirer="simulator", AuthorizerCacheSeconds="1"), Mode.LIVE)
    yield shop
    shop.close()


def accept(shop: Shop, **changes: Any) -> dict[str, Any]:
    """The one-view of the payment that this create made."""
    return shop.payment(shop.checkout(**changes).id)


def refuse(shop: Shop, body: object) -> dict[str, str]:
    """What was found wrong with this body. Nothing is stored of it."""
    found = faults(shop.request("POST", "/v1/payments/", json=body))
    assert shop.list().json() == []
    return found


# ------------------------------------------------------------------------------ amount, currency


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("500.00", "USD", "500.00"),
        ("99.99", "CRC", "99.99"),
        ("0.01", "USD", "0.01"),
        ("5", "USD", "5.00"),
        ("5.5", "EUR", "5.50"),
        ("1", "JPY", "1"),
        ("0.001", "KWD", "0.001"),
        ("1.234", "KWD", "1.234"),
        ("1.2", "KWD", "1.200"),
        ("999999999999", "JPY", "999999999999"),
        ("999999999999.99", "USD", "999999999999.99"),
        ("999999999999.999", "KWD", "999999999999.999"),
    ],
)
def test_an_amount_within_its_bounds_is_kept_to_the_last_digit(
    shop: Shop, amount: str, currency: str, shown: str
) -> None:
    payment = accept(shop, amount=amount, currency=currency)
    assert (payment["amount"], payment["currency"]) == (shown, currency)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("0", "USD"),
        ("0.00", "USD"),
        ("0", "JPY"),
        ("0.000", "KWD"),
        ("-1.00", "USD"),
        ("-0.01", "USD"),
        ("1.001", "USD"),
        ("1.000", "USD"),
        ("1.0", "JPY"),
        ("1.", "JPY"),
        ("1.0000", "KWD"),
        ("1000000000000", "USD"),
        ("1000000000000.00", "USD"),
        ("1000000000000", "JPY"),
        ("9" * 5000, "USD"),
        ("", "USD"),
        (" ", "USD"),
        ("1.", "USD"),
        (".5", "USD"),
        ("+1.00", "USD"),
        (" 1.00", "USD"),
        ("1.00 ", "USD"),
        ("1.00\n", "USD"),
        ("1,00", "USD"),
        ("1,000.00", "USD"),
        ("1_000", "USD"),
        ("1 000", "USD"),
        ("1e3", "USD"),
        ("0x10", "USD"),
        ("$5", "USD"),
        ("5 USD", "USD"),
        ("1.0.0", "USD"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
        ("five", "USD"),
        ("٥.٠٠", "USD"),
        ("5.٠٠", "USD"),
        ("５", "USD"),
        ("²", "USD"),
        (5, "USD"),
        (5.0, "USD"),
        (True, "USD"),
        (None, "USD"),
        (["5.00"], "USD"),
        ({"value": "5.00"}, "USD"),
    ],
)
def test_any_other_amount_is_refused(shop: Shop, amount: object, currency: str) -> None:
    assert list(refuse(shop, {**order(currency=currency), "amount": amount})) == ["amount"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        *(("USD", "USD"), ("usd", "USD"), ("uSd", "USD"), ("cad", "CAD"), ("CRC", "CRC")),
        *(("EUR", "EUR"), ("jpy", "JPY"), ("Kwd", "KWD"), ("ZWG", "ZWG"), ("xof", "XOF")),
    ],
)
def test_an_active_currency_is_taken_in_any_case_and_given_in_upper_case(
    shop: Shop, given: str, code: str
) -> None:
    checkout = shop.checkout(currency=given, amount="5")
    assert shop.payment(checkout.id)["currency"] == code
    assert shop.list().json()[0]["currency"] == code
    assert checkout.data["product"]["currency"] == code


FUNDS_CODES = ("BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI")
METALS = ("XAU", "XAG", "XPT", "XPD")
WITHDRAWN = ("DEM", "FRF", "HRK", "BGN", "ANG", "SLL", "ZWL", "VEF", "CUC", "BYR")


@pytest.mark.parametrize(
    "currency",
    [
        *FUNDS_CODES,
        *METALS,
        *WITHDRAWN,
        *("XXX", "XTS", "ZZZ", "BTC"),
        *("", "US", "USDD", " USD", "USD ", "USD\n", "$", "US$", "840", "dollar"),
        *("uſd", "ＵＳＤ"),  # upper-cased they look like USD
        *(840, True, None, ["USD"], {"code": "USD"}),
    ],
)
def test_any_other_currency_is_refused(shop: Shop, currency: object) -> None:
    assert list(refuse(shop, {**order(), "currency": currency})) == ["currency"]


# ------------------------------------------------------------------------------ texts and lists


@pytest.mark.parametrize("description", ["x", "x" * 500, EMOJI * 500, "Café №1 <b>&\"'\u202e\n\t"])
def test_a_description_of_1_to_500_characters_is_kept_as_it_is(
    shop: Shop, description: str
) -> None:
    assert accept(shop, description=description)["description"] == description
    assert shop.list().json()[0]["description"] == description


@pytest.mark.parametrize("description", ["", "x" * 501, EMOJI * 501, 5, True, None, ["x"], {}])
def test_any_other_description_is_refused(shop: Shop, description: object) -> None:
    assert list(refuse(shop, {**order(), "description": description})) == ["description"]


@pytest.mark.parametrize(
    "items",
    [["x"], ["x" * 250], [EMOJI * 250], [str(number) for number in range(100)], ["same", "same"]],
    ids=["one", "250-characters", "250-emoji", "100-items", "equal-items"],
)
def test_1_to_100_items_of_1_to_250_characters_are_kept_in_order(
    shop: Shop, items: list[str]
) -> None:
    assert accept(shop, items=items)["items"] == items


@pytest.mark.parametrize(
    ("items", "fields"),
    [
        ([], ["items"]),
        (["x"] * 101, ["items"]),
        ([""], ["items.0"]),
        (["x", "x" * 251], ["items.1"]),
        (["x", EMOJI * 251, "x", 5, None], ["items.1", "items.3", "items.4"]),
        ([["x"]], ["items.0"]),
        ([{"name": "x"}], ["items.0"]),
        ("x", ["items"]),
        ({"0": "x"}, ["items"]),
        (5, ["items"]),
        (None, ["items"]),
    ],
)
def test_any_other_items_are_refused(shop: Shop, items: object, fields: list[str]) -> None:
    assert list(refuse(shop, {**order(), "items": items})) == fields


# ---------------------------------------------------------------------------------- return_url


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://example.com/",
        "HTTPS://Example.COM/Path",
        "https://example.com:8443/a;b/c?d=e&f=%20%2F&&g#h?i",
        "https://example.com/a//b/../c/./d",
        "https://example.com/%zz?x=%E4&y=+",
        "https://example.com/?id_payment=mine#fragment",
        "https://bücher.example/ä?ö=ü",
        "https://xn--bcher-kva.example/",
        "https://example.com./",
        "https://192.0.2.1/",
        f"https://{'a' * 63}.example/",
        "https://straße.de/",
        "http://localhost:3000/back",
        f"https://example.com/{'a' * 2028}",
        f"https://example.com/{EMOJI * 2028}",
    ],
)
def test_a_return_url_is_kept_byte_for_byte(shop: Shop, url: str) -> None:
    assert accept(shop, return_url=url)["return_url"] == url


@pytest.mark.parametrize(
    "url",
    [
        f"https://example.com/{'a' * 2029}",
        f"https://example.com/{EMOJI * 2029}",
        *("", "example.com", "/back", "//example.com/back", "?a=b", "#a"),
        *("https:", "https://", "https:///back", "https:example.com", "https:/example.com"),
        *("ftp://example.com/", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd"),
        *("httpsx://example.com", "app://back", "mailto:a@example.com"),
        *("https://user@example.com/", "https://user:pass@example.com/", "https://@example.com/"),
        *("https://:@example.com/", "https://example.com:x/", "https://example.com:99999/"),
        *("https://[2001:db8::1]:8443/x", "http://[::1]:3000/", "https://x.com:/", "https://-/"),
        *(
            "https://a..b/",
            "https://.a.b/",
            "https://a.b../",
            "https://a-.b/",
            "https://my_shop.b/",
        ),
        *(f"https://{'a' * 64}.example/", f"https://{'ä' * 64}.example/"),
        f"https://{'a.' * 127}b/",
        *("https://1.2.3/", "https://1.2.3.256/", "https://1.2.3.04/", "https://shop.0x7f/"),
        *("https://a\u0378.example/", "https://☕.example/", "https://xn--/"),
        *("https://[::1/", "https://exam ple.com/", "https://?a", " https://example.com/"),
        "https://example.com\\@evil.example/",
        *(f"https://example.com/a{chr(code)}b" for code in (0, 9, 10, 13, 27, 31, 127, 128, 159)),
        "https://example.com/\n",
        "https://example.com\r\nSet-Cookie: a=b",
        *(5, True, None, [URL], {"url": URL}),
    ],
    ids=ascii,
)
def test_any_other_return_url_is_refused(shop: Shop, url: object) -> None:
    assert list(refuse(shop, {**order(), "return_url": url})) == ["return_url"]


@pytest.mark.parametrize(
    "url", ["https://example.com/", "http://localhost/", "http://localhost:3000/a?b=c"]
)
def test_a_live_return_url_is_https_or_localhost(live_shop: Shop, url: str) -> None:
    assert accept(live_shop, return_url=url)["return_url"] == url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "HTTP://example.com/",
        "http://localhost.example.com/",
        "http://notlocalhost/",
        "http://example.com/localhost",
    ],
)
def test_any_other_live_return_url_is_refused(live_shop: Shop, url: str) -> None:
    assert list(refuse(live_shop, order(return_url=url))) == ["return_url"]


# ------------------------------------------------------------------------------ texts

NOT_TEXTS = [
    *("", " ", "\n\t\u3000", "tea\x00", "tea\x1b[2J", "tea\x7f", "tea\x85", "tea\x0b"),
    *("tea\u202e", "tea\u202a", "tea\u2067"),
]


@pytest.mark.parametrize("text", NOT_TEXTS, ids=ascii)
def test_blank_texts_and_control_characters_are_refused(shop: Shop, text: str) -> None:
    assert list(refuse(shop, order(description=text))) == ["description"]
    assert list(refuse(shop, order(items=["Tea", text]))) == ["items.1"]


@pytest.mark.parametrize(
    "text", ["Tea\nand\r\n\tcake", "\u05d0\u200f\u05d1", "नी\u200dकी"], ids=ascii
)
def test_line_breaks_tabs_and_joiners_are_text(shop: Shop, text: str) -> None:
    view = accept(shop, description=text, items=[text])
    assert (view["description"], view["items"]) == (text, [text])


# ------------------------------------------------------------------------------ optional fields


@pytest.mark.parametrize("field", ["customer_email", "metadata"])
def test_null_is_absent(shop: Shop, field: str) -> None:
    answer = shop.request("POST", "/v1/payments/", json={**order(), field: None})
    view = shop.payment(Checkout.of(answer).id)
    assert view[field] == {"customer_email": None, "metadata": {}}[field]


def test_a_customer_s_email_is_optional_and_kept(shop: Shop) -> None:
    assert accept(shop)["customer_email"] is None
    email = "Customer+tag@mail.example.com"
    assert accept(shop, customer_email=email)["customer_email"] == email


@pytest.mark.parametrize(
    "email",
    [
        "sean.o'brien@example.com",
        "13800138000@163.com",
        "13912345678@139.com",
        "customer+tag@example.co.uk",
        "!#$%&'*+/=?^_`{|}~-@example.com",
        "ada@bücher.example",
        "ada@xn--bcher-kva.xn--p1ai",
        "a@1-2.example.com",
        f"{'a' * 64}@example.com",
    ],
)
def test_an_address_that_browsers_accept_is_accepted(shop: Shop, email: str) -> None:
    assert accept(shop, customer_email=email)["customer_email"] == email


@pytest.mark.parametrize(
    "email",
    [
        "customer",
        "a@",
        "@example.com",
        "a@@example.com",
        "a b@example.com",
        "email@123.123.123.123",
        "email@[123.123.123.123]",
        "a@x..com",
        "a..b@x.com",
        ".a@x.com",
        "a.@x.com",
        "a@.x.com",
        "a@x.com.",
        "a@-x.com",
        "a@x-.com",
        "a@localhost",
        f"{'a' * 65}@example.com",
        f"a@{'b' * 64}.com",
        "josé@example.com",
        "4242x4242x4242x4242@x.com",
        5,
        True,
        ["a"],
    ],
)
def test_a_customer_email_that_is_none_is_refused(shop: Shop, email: object) -> None:
    assert list(refuse(shop, order(customer_email=email))) == ["customer_email"]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"order": "6735"},
        {f"key-{number}": "value" for number in range(20)},
        {"k" * 40: "v" * 250, EMOJI * 40: EMOJI * 250, "empty": ""},
    ],
    ids=["none", "one", "20-pairs", "longest"],
)
def test_metadata_is_kept_and_returned_in_the_one_view(
    shop: Shop, metadata: dict[str, str]
) -> None:
    assert accept(shop, metadata=metadata)["metadata"] == metadata


def test_metadata_is_optional(shop: Shop) -> None:
    assert accept(shop)["metadata"] == {}


@pytest.mark.parametrize(
    "metadata",
    [
        {f"key-{number}": "value" for number in range(21)},
        {"k" * 41: "value"},
        {"key": "v" * 251},
        {EMOJI * 41: "value"},
        {"key": 5},
        {"key": None},
        {"key": True},
        {"key": ["value"]},
        {"key": {"deep": "value"}},
        ["key", "value"],
        [["key", "value"]],
        "key=value",
        5,
    ],
    ids=lambda metadata: str(metadata)[:40],
)
def test_any_other_metadata_is_refused(shop: Shop, metadata: object) -> None:
    assert list(refuse(shop, order(metadata=metadata))) == ["metadata"]


def test_unknown_fields_are_ignored(shop: Shop) -> None:
    unknown = {
        "id": "pay_1ABC123XYZ456",
        "status": "succeeded",
        "test": False,
        "mode": "live",
        "merchant": "4geeks",
        "account": "4geeks#live",
        "client_secret": "known",
        "amount_minor": 1,
        "fee": 0,
        "nothing-we-know": {"deep": [1, 2.5, None]},
    }
    checkout = shop.checkout(**unknown)
    payment = shop.payment(checkout.id)
    (row,) = [row for row in shop.stack.rows("PaymentsTable") if row["id"]["S"] == checkout.id]

    assert checkout.id != unknown["id"]
    assert checkout.client_secret != unknown["client_secret"]
    assert (payment["status"], payment["test"]) == ("requires_action", True)
    assert payment["amount"] == "500.00"
    assert not {"nothing-we-know", "mode", "merchant", "fee"} & row.keys()


# ----------------------------------------------------------------------------------- the body


@pytest.mark.parametrize("field", REQUIRED)
def test_a_required_field_that_is_missing_is_named(shop: Shop, field: str) -> None:
    body = {name: value for name, value in order().items() if name != field}
    assert refuse(shop, body) == {field: "required"}


def test_everything_that_is_wrong_is_said_at_once(shop: Shop) -> None:
    wrong = {
        "amount": "-1",
        "description": "",
        "currency": "XXX",
        "items": ["", "fine", 5],
        "return_url": "nowhere",
        "customer_email": "nobody",
        "metadata": {"k" * 41: "v"},
    }
    found = refuse(shop, wrong)
    assert set(found) == (set(wrong) - {"items"}) | {"items.0", "items.2"}


def test_an_empty_body_misses_all_required_fields(shop: Shop) -> None:
    assert refuse(shop, {}) == dict.fromkeys(REQUIRED, "required")


def test_a_body_of_64_KiB_is_taken_and_one_byte_more_is_not(shop: Shop) -> None:  # noqa: N802
    body = json.dumps(order()).encode().ljust(MAX_BODY_BYTES)
    headers = {"Content-Type": "application/json"}
    taken = shop.request("POST", "/v1/payments/", data=body, headers=headers)
    refused = shop.request("POST", "/v1/payments/", data=body + b" ", headers=headers)

    assert taken.status_code == 202
    envelope(refused, 413)
    assert len(shop.list().json()) == 1


def test_a_body_is_measured_in_bytes(shop: Shop) -> None:
    characters = MAX_BODY_BYTES // 4
    body = json.dumps(order(unknown=EMOJI * characters), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    envelope(shop.request("POST", "/v1/payments/", data=body, headers=headers), 413)


def test_a_refused_create_writes_to_no_table(live_shop: Shop) -> None:
    before = live_shop.stack.row_counts()
    key = {"Idempotency-Key": f"refused-{time.time_ns()}"}
    refused: list[dict[str, Any]] = [
        {"amount": "0"},
        {"currency": "XXX"},
        {"items": []},
        {"return_url": "nowhere"},
    ]
    for changes in refused:
        faults(live_shop.create(headers=key, **changes))
    assert live_shop.stack.row_counts() == before


# ----------------------------------------------------------------------------------- the answer


def test_the_answer_is_202_with_exactly_the_documented_keys(shop: Shop) -> None:
    answer = shop.create()
    assert answer.status_code == 202
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert set(body) == {"code", "title", "content", "data"}
    assert (body["code"], body["title"], body["content"]) == (
        202,
        "Action required",
        "Show the checkout page to complete payment.",
    )
    assert set(body["data"]) == {"id_payment", "redirect"}


def test_an_id_is_pay_and_26_upper_case_characters_that_hold_the_time(shop: Shop) -> None:
    before_ms = time.time_ns() // 1_000_000
    payment_id = shop.checkout().id
    after_ms = time.time_ns() // 1_000_000

    assert re.fullmatch(r"pay_[0-7][0-9A-HJKMNP-TV-Z]{25}", payment_id)
    made_ms = ULID.from_str(payment_id.removeprefix("pay_")).milliseconds
    assert before_ms <= made_ms <= after_ms


def test_ids_sort_by_creation_and_never_repeat(shop: Shop) -> None:
    made = []
    for _ in range(20):
        made.append(shop.checkout().id)
        time.sleep(0.001)  # order is promised from one millisecond to the next
    assert made == sorted(set(made))


def test_the_redirect_is_the_checkout_with_base64_json_that_has_the_documented_keys(
    shop: Shop,
) -> None:
    items = ["Premium Plan - Monthly", "Support"]
    checkout = shop.checkout(items=items, description="Two things", amount="12.5", currency="eur")
    data = checkout.data

    assert checkout.redirect.startswith(f"{shop.stack.url}/checkout/?data=")
    assert set(data) == {*CHECKOUT_DATA, "id_payment", "client_secret"}
    assert set(data["product"]) == set(CHECKOUT_DATA["product"])
    for name, documented in CHECKOUT_DATA.items():
        assert type(data[name]) is type(documented)
    assert data["id_payment"] == checkout.id
    assert data["return_url"] == "https://example.com/payment-result"
    assert data["product"] == {
        "total_price": 12.5,
        "price": 12.5,
        "currency": "EUR",
        "name": "Two things",
        "description": items,
    }
    assert data["statement_descriptor"] == ["CORNER"]
    assert (data["company_name"], data["company_email"]) == ("Corner Shop", "shop@example.com")


def test_the_base64_has_the_standard_alphabet_and_is_percent_encoded(shop: Shop) -> None:
    seen = ""
    for padding in range(3):
        description = "?>" * 12 + "ÿ" * 12 + "~" * padding
        encoded = shop.checkout(description=description).redirect.partition("data=")[2]
        assert re.fullmatch(r"(?:[A-Za-z0-9]|%2B|%2F|%3D)+", encoded)
        assert quote(unquote(encoded), safe="") == encoded
        base64.b64decode(unquote(encoded), validate=True)
        seen += unquote(encoded)
    assert {"+", "/", "="} <= set(seen)


# -------------------------------------------------------------------------------- 6,000 characters


def _is_cut(shown: object, stored: list[str] | str) -> bool:
    """Whether this is the beginning of that, and not the whole of it."""
    assert isinstance(shown, type(stored))
    assert stored[: len(shown)] == shown
    return len(shown) < len(stored)


def _shown(checkout: Checkout) -> tuple[list[str], str, str]:
    product = checkout.data["product"]
    return product["description"], product["name"], checkout.data["return_url"]


def test_a_redirect_that_fits_is_not_cut(shop: Shop) -> None:
    items = ["x" * 250] * 10
    url = URL + "a" * 500
    checkout = shop.checkout(items=items, description="x" * 500, return_url=url)
    assert len(checkout.redirect) <= MAX_URL_LENGTH
    assert _shown(checkout) == (items, "x" * 500, url)


@pytest.mark.parametrize("start", [1, 2, 3])
def test_a_redirect_is_cut_when_it_would_exceed_6000_characters_and_not_before(
    shop: Shop, start: int
) -> None:
    """Three characters more of text are four more of base64, with the same padding."""
    items = ["x" * 250] * 15

    def created(length: int) -> Checkout:
        return shop.checkout(items=items, description="n" * length)

    lengths = range(start, 501, 3)
    first_cut = bisect.bisect_left(
        lengths, 1, key=lambda length: _shown(created(length))[0] != items
    )
    longest = created(lengths[first_cut - 1])
    assert _shown(longest)[0] == items
    assert MAX_URL_LENGTH - 4 < len(longest.redirect) <= MAX_URL_LENGTH


def test_the_items_are_cut_first_and_no_more_of_them_than_needed(shop: Shop) -> None:
    items, name, url = ["x" * 250] * 100, "n" * 500, URL + "a" * 500
    checkout = shop.checkout(items=items, description=name, return_url=url)
    shown, *rest = _shown(checkout)

    assert MAX_URL_LENGTH - 500 < len(checkout.redirect) <= MAX_URL_LENGTH
    assert _is_cut(shown, items)
    assert rest == [name, url]


def test_the_name_is_cut_when_no_item_is_left(shop: Shop) -> None:
    items, name, url = ["x" * 250] * 100, EMOJI * 500, URL + "a" * 2028
    checkout = shop.checkout(items=items, description=name, return_url=url)
    shown_items, shown_name, shown_url = _shown(checkout)

    assert len(checkout.redirect) <= MAX_URL_LENGTH
    assert shown_items == []
    assert _is_cut(shown_name, name)
    assert shown_name
    assert shown_url == url


def test_the_return_url_is_cut_when_no_name_is_left(shop: Shop) -> None:
    items, name, url = ["x" * 250] * 100, EMOJI * 500, URL + EMOJI * 2028
    checkout = shop.checkout(items=items, description=name, return_url=url)
    shown_items, shown_name, shown_url = _shown(checkout)

    assert len(checkout.redirect) <= MAX_URL_LENGTH
    assert (shown_items, shown_name) == ([], "")
    assert _is_cut(shown_url, url)
    assert shown_url


@pytest.mark.parametrize(
    "changes",
    [
        {"items": ["x" * 250] * 100},
        {"items": [EMOJI * 40] * 100, "description": EMOJI * 500},
        {"description": EMOJI * 500, "return_url": URL + "?" * 2028},
        {"description": "?" * 500, "return_url": URL + EMOJI * 2028},
        {
            "items": ['"\\\n' * 80] * 80,
            "description": '"\\\n' * 166,
            "return_url": URL + "~" * 2028,
        },
    ],
    ids=["items", "emoji", "name", "url", "escapes"],
)
def test_a_cut_redirect_opens_the_whole_payment(
    shop: Shop, shopper: Shopper, changes: dict[str, Any]
) -> None:
    checkout = shop.checkout(**changes)
    assert len(checkout.redirect) <= MAX_URL_LENGTH
    page = shopper.open(checkout.redirect)
    assert page.status_code == 200
    payment = shop.payment(checkout.id)
    assert {name: payment[name] for name in changes} == changes
    assert payment["redirect"] == checkout.redirect


# ------------------------------------------------------------------ the page and its client_secret


def _edited(checkout: Checkout, **changes: Any) -> str:
    """The redirect with other things in its data."""
    data = json.dumps({**checkout.data, **changes})
    encoded = quote(base64.b64encode(data.encode()).decode(), safe="")
    return checkout.redirect.partition("data=")[0] + "data=" + encoded


def test_editing_the_data_changes_nothing(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout(description="As stored")
    product = {**checkout.data["product"], "total_price": 0.01, "price": 0.01, "name": "Edited"}
    edited = _edited(
        checkout,
        product=product,
        return_url="https://evil.example/",
        company_name="Evil Shop",
        statement_descriptor=["EVIL"],
        test=False,
        has_customer=True,
    )
    page = Page(shopper.open(edited))
    original = Page(shopper.open(checkout.redirect))
    paid = page.form("card_number").send(
        shopper.session, card_number="4242424242424242", exp_month="12", exp_year="34", cvc="314"
    )

    assert page.text == original.text
    assert "500.00" in page.text
    back = f"https://example.com/payment-result?id_payment={checkout.id}"
    assert shopper.way_out(paid) == back
    payment = shop.payment(checkout.id)
    assert (payment["amount"], payment["status"]) == ("500.00", "completed")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?data=",
        "?data=nonsense",
        "?data=" + base64.b64encode(b"null").decode(),
        "?data=" + base64.b64encode(b"[]").decode(),
        "?data=" + base64.b64encode(b"{}").decode(),
        "?data=" + base64.b64encode(b'{"id_payment": 5, "client_secret": []}').decode(),
        "?data=" + base64.b64encode(b"\xff\xfe").decode(),
        "?data=" + base64.b64encode(b"[" * 4000).decode(),
    ],
)
def test_data_that_names_no_payment_is_a_404_page(shopper: Shopper, query: str) -> None:
    answer = shopper.open(f"{shopper.stack.url}/checkout/{query}")
    assert answer.status_code == 404
    assert Page(answer).title


def test_the_client_secret_names_merchant_and_mode_and_is_random(live_shop: Shop) -> None:
    merchant = f"named-{time.time_ns()}"
    for mode in Mode:
        shop = open_shop(live_shop.stack, mode, merchant)
        secrets = [shop.checkout().client_secret for _ in range(20)]
        pattern = rf"\w+_{mode}_{merchant}_([0-9a-f]{{32}})"  # 32 hexadecimal digits: 128 bits
        found = [re.fullmatch(pattern, secret) for secret in secrets]
        random = [match[1] for match in found if match]
        assert len(set(random)) == len(secrets)
        for position in range(32):
            assert len({digits[position] for digits in random}) > 1, "a digit never changes"


def test_with_the_client_secret_the_checkout_finds_its_payment_without_a_key(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    assert shopper.status(checkout).json()["status"] == "requires_action"
    assert shopper.pay(checkout).status_code == 200


def test_the_client_secret_is_stored_with_the_payment(live_shop: Shop) -> None:
    checkout = live_shop.checkout()
    (row,) = [row for row in live_shop.stack.rows("PaymentsTable") if row["id"]["S"] == checkout.id]
    assert row["client_secret"] == {"S": checkout.client_secret}


def _wrong_secrets(shop: Shop, checkout: Checkout) -> dict[str, str]:
    own = checkout.client_secret
    return {
        "last digit": own[:-1] + ("0" if own[-1] != "0" else "1"),
        "first digit": own[:-32] + ("0" if own[-32] != "0" else "1") + own[-31:],
        "cut": own[:-1],
        "longer": own + "0",
        "upper case": own.upper(),
        "another payment's": shop.checkout().client_secret,
        "another merchant's": open_shop(shop.stack).checkout().client_secret,
        "other mode": own.replace("_test_", "_live_"),
        "empty": "",
        "nonsense": "nonsense",
        "beyond ASCII": own[:-1] + "é",
    }


@pytest.mark.parametrize("act", ["status", "page", "pay", "pay_by_form", "cancel"])
def test_a_wrong_secret_is_the_same_404_as_a_wrong_id(
    shop: Shop, shopper: Shopper, act: str
) -> None:
    checkout = shop.checkout()

    def answer_to(payment_id: str, secret: str) -> requests.Response:
        claimed = Checkout(payment_id, secret, checkout.redirect, checkout.data)
        if act == "page":
            return shopper.status(claimed, as_json=False)
        answer: requests.Response = getattr(shopper, act)(claimed)
        return answer

    wrong_id = answer_to("pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB", checkout.client_secret)
    assert wrong_id.status_code == 404
    if wrong_id.headers["Content-Type"] == "application/json":
        assert wrong_id.json() == NOT_FOUND
    for name, secret in _wrong_secrets(shop, checkout).items():
        wrong_secret = answer_to(checkout.id, secret)
        assert wrong_secret.status_code == 404, name
        assert wrong_secret.text == wrong_id.text, name
        assert set(wrong_secret.headers) == set(wrong_id.headers), name
    assert shop.payment(checkout.id)["status"] == "requires_action"


@pytest.mark.parametrize(
    "changes", [{"client_secret": "cs_test_x_0"}, {"id_payment": "pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB"}]
)
def test_a_redirect_with_a_wrong_secret_or_id_is_a_404_page(
    shop: Shop, shopper: Shopper, stack: Stack, changes: dict[str, str]
) -> None:
    answer = shopper.open(_edited(shop.checkout(), **changes))
    assert answer.status_code == 404
    assert answer.text == shopper.open(f"{stack.url}/checkout/").text
