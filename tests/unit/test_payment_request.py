"""Contract, section 3: what the body of a create may hold, field by field, and what is refused."""

from typing import Any

import pytest

from payments.errors import InvalidInputError
from payments.inputs.merchant_api import PaymentRequest, parse
from payments.model.ids import Mode
from payments.money.amounts import format_amount
from payments.money.currencies import MINOR_UNIT_DIGITS
from tests.support.actors import order

REQUIRED = ("amount", "description", "currency", "items", "return_url")
URL = "https://example.com/"
EMOJI = "😀"  # four bytes of UTF-8, one character


def accepted(mode: Mode = Mode.TEST, **changes: Any) -> PaymentRequest:
    """The order of the documentation with these changes, as it is understood."""
    return parse(PaymentRequest, order(**changes), mode)


def refused(body: dict[str, Any], mode: Mode = Mode.TEST) -> dict[str, str]:
    """Field -> code of everything that is wrong with the body."""
    with pytest.raises(InvalidInputError) as caught:
        parse(PaymentRequest, body, mode)
    found = {error.field: error.code for error in caught.value.errors}
    assert len(found) == len(caught.value.errors), "a field is named twice"
    return found


# ------------------------------------------------------------------------------ amount, currency


def amount_in(currency: str) -> str:
    """An amount that uses every decimal the currency has."""
    digits = MINOR_UNIT_DIGITS[currency]
    return f"7.{'6543'[:digits]}" if digits else "765"


@pytest.mark.parametrize("currency", sorted(MINOR_UNIT_DIGITS))
def test_every_currency_is_taken_with_its_own_decimals_and_no_more(currency: str) -> None:
    amount = amount_in(currency)
    taken = accepted(amount=amount, currency=currency)
    assert (format_amount(taken.amount_minor, currency), taken.currency) == (amount, currency)

    too_fine = "1." + "0" * MINOR_UNIT_DIGITS[currency] + "1"
    assert refused(order(amount=too_fine, currency=currency)) == {"amount": "too_many_decimals"}


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
        ("007.5", "USD", "7.50"),
        ("999999999999", "JPY", "999999999999"),
        ("999999999999.99", "USD", "999999999999.99"),
        ("999999999999.999", "KWD", "999999999999.999"),
    ],
)
def test_an_amount_within_its_bounds_is_kept_to_the_last_digit(
    amount: str, currency: str, shown: str
) -> None:
    taken = accepted(amount=amount, currency=currency)
    assert format_amount(taken.amount_minor, taken.currency) == shown


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
def test_any_other_amount_is_refused(amount: object, currency: str) -> None:
    assert list(refused({**order(currency=currency), "amount": amount})) == ["amount"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        *(("USD", "USD"), ("usd", "USD"), ("uSd", "USD"), ("cad", "CAD"), ("CRC", "CRC")),
        *(("EUR", "EUR"), ("jpy", "JPY"), ("Kwd", "KWD"), ("ZWG", "ZWG"), ("xof", "XOF")),
    ],
)
def test_an_active_currency_is_taken_in_any_case_and_given_in_upper_case(
    given: str, code: str
) -> None:
    assert accepted(currency=given, amount="5").currency == code


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
def test_any_other_currency_is_refused(currency: object) -> None:
    assert list(refused({**order(), "currency": currency})) == ["currency"]


# ------------------------------------------------------------------------------ texts and lists


@pytest.mark.parametrize("description", ["x", "x" * 500, EMOJI * 500, "Café №1 <b>&\"'\n\t"])
def test_a_description_of_1_to_500_characters_is_kept_as_it_is(description: str) -> None:
    assert accepted(description=description).description == description


@pytest.mark.parametrize(
    "description", ["", "x" * 501, EMOJI * 501, 5, True, None, ["x"], {}, "a\ud800b"], ids=ascii
)
def test_any_other_description_is_refused(description: object) -> None:
    assert list(refused({**order(), "description": description})) == ["description"]


@pytest.mark.parametrize(
    "items",
    [["x"], ["x" * 250], [EMOJI * 250], [str(number) for number in range(100)], ["same", "same"]],
    ids=["one", "250-characters", "250-emoji", "100-items", "equal-items"],
)
def test_1_to_100_items_of_1_to_250_characters_are_kept_in_order(items: list[str]) -> None:
    assert accepted(items=items).items == items


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
        (["\udfff"], ["items.0"]),
        ("x", ["items"]),
        ({"0": "x"}, ["items"]),
        (5, ["items"]),
        (None, ["items"]),
    ],
)
def test_any_other_items_are_refused(items: object, fields: list[str]) -> None:
    assert list(refused({**order(), "items": items})) == fields


NOT_TEXTS = [
    *("", " ", "\n\t\u3000", "tea\x00", "tea\x1b[2J", "tea\x7f", "tea\x85", "tea\x0b"),
    *("tea\u202e", "tea\u202a", "tea\u2067"),
]


@pytest.mark.parametrize("text", NOT_TEXTS, ids=ascii)
def test_blank_texts_and_control_characters_are_refused(text: str) -> None:
    assert list(refused(order(description=text))) == ["description"]
    assert list(refused(order(items=["Tea", text]))) == ["items.1"]


@pytest.mark.parametrize(
    "text", ["Tea\nand\r\n\tcake", "\u05d0\u200f\u05d1", "नी\u200dकी"], ids=ascii
)
def test_line_breaks_tabs_and_joiners_are_text(text: str) -> None:
    request = accepted(description=text, items=[text])
    assert (request.description, list(request.items)) == (text, [text])


@pytest.mark.parametrize(("field", "absent"), [("customer_email", None), ("metadata", {})])
def test_null_is_absent(field: str, absent: object) -> None:
    taken = parse(PaymentRequest, {**order(), field: None}, Mode.TEST)
    assert getattr(taken, field) == absent


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
def test_an_address_that_browsers_accept_is_accepted(email: str) -> None:
    assert accepted(customer_email=email).customer_email == email


@pytest.mark.parametrize(
    "email",
    [
        *("email@123.123.123.123", "email@[123.123.123.123]", "a@x..com", "a..b@x.com"),
        *(".a@x.com", "a.@x.com", "a@.x.com", "a@x.com.", "a@-x.com", "a@x-.com", "a@localhost"),
        *(f"{'a' * 65}@example.com", f"a@{'b' * 64}.com", "josé@example.com"),
        "4242x4242x4242x4242@x.com",
    ],
)
def test_what_is_no_address_or_is_a_card_number_is_refused(email: str) -> None:
    assert list(refused(order(customer_email=email))) == ["customer_email"]


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
def test_a_return_url_is_kept_byte_for_byte(url: str) -> None:
    assert accepted(return_url=url).return_url == url


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
        "https://example.com/\ud800",
        *(5, True, None, [URL], {"url": URL}),
    ],
    ids=ascii,
)
def test_any_other_return_url_is_refused(url: object) -> None:
    assert list(refused({**order(), "return_url": url})) == ["return_url"]


@pytest.mark.parametrize(
    "url", ["https://example.com/", "http://localhost/", "http://localhost:3000/a?b=c"]
)
def test_a_live_return_url_is_https_or_localhost(url: str) -> None:
    assert accepted(Mode.LIVE, return_url=url).return_url == url


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
def test_any_other_live_return_url_is_refused(url: str) -> None:
    assert refused(order(return_url=url), Mode.LIVE) == {"return_url": "https_required"}


# ------------------------------------------------------------------------------ optional fields


def test_a_customer_s_email_and_metadata_are_optional() -> None:
    taken = accepted()
    assert (taken.customer_email, taken.metadata) == (None, {})


def test_a_customer_s_email_is_kept_as_it_is() -> None:
    email = "Customer+tag@mail.example.com"
    assert accepted(customer_email=email).customer_email == email


@pytest.mark.parametrize(
    "email",
    [
        *("customer", "a@", "@example.com", "a@@example.com", "a b@example.com", 5, True, ["a"]),
        "a\ud800@example.com",
    ],
    ids=ascii,
)
def test_a_customer_email_that_is_none_is_refused(email: object) -> None:
    assert list(refused(order(customer_email=email))) == ["customer_email"]


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
def test_metadata_of_up_to_20_pairs_is_kept(metadata: dict[str, str]) -> None:
    assert accepted(metadata=metadata).metadata == metadata


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
        {"key": "\ud800"},
        {"\ud800": "value"},
    ],
    ids=lambda metadata: ascii(metadata)[:40],
)
def test_any_other_metadata_is_refused(metadata: object) -> None:
    assert list(refused(order(metadata=metadata))) == ["metadata"]


# ----------------------------------------------------------------------------------- the whole


@pytest.mark.parametrize("field", REQUIRED)
def test_a_required_field_that_is_missing_is_named(field: str) -> None:
    body = {name: value for name, value in order().items() if name != field}
    assert refused(body) == {field: "required"}


def test_an_empty_body_misses_all_required_fields() -> None:
    assert refused({}) == dict.fromkeys(REQUIRED, "required")


@pytest.mark.parametrize("field", ["amount", "currency", "description", "return_url", "items"])
@pytest.mark.parametrize("number", [int("9" * 4000), float("inf"), 0, 1e-300])
def test_a_number_in_place_of_a_text_is_refused(field: str, number: float) -> None:
    assert list(refused({**order(), field: number})) == [field]


def test_a_refusal_never_repeats_what_was_sent() -> None:
    secret = "4242424242424242"
    body = order(amount=secret * 2, currency=secret, customer_email=secret, metadata={secret: 5})
    with pytest.raises(InvalidInputError) as caught:
        parse(PaymentRequest, body)
    assert len(caught.value.errors) == 4
    assert secret not in f"{caught.value!r} {caught.value.errors!r}"
