"""Contract, section 5: what a shopper may type into the card form, and what is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest

from payments.errors import FieldError, InvalidInputError
from payments.inputs.checkout_form import CardForm, parse_form
from payments.model.card import Card
from tests.support.actors import PAID_CARD

AMEX = "378282246310005"
TODAY = datetime(2026, 11, 28, 12, tzinfo=UTC)
YEAR = TODAY.year
REQUIRED = {"card_number", "exp_month", "exp_year", "cvc", "name"}
TYPED = {
    "card_number": PAID_CARD,
    "exp_month": "12",
    "exp_year": "2034",
    "cvc": "314",
    "name": "Ada Lovelace",
}


def no_wallet(_method: str, _token: object) -> Card:
    raise AssertionError("a typed card has no token")


def parsed(today: datetime = TODAY, /, **changes: Any) -> CardForm:
    """The form with these changes, as it is understood; a value of None leaves the field out."""
    sent = {name: value for name, value in (TYPED | changes).items() if value is not None}
    form = parse_form(sent, no_wallet, int(today.timestamp() * 1_000_000))
    assert isinstance(form, CardForm)
    return form


def faults(today: datetime = TODAY, /, **changes: Any) -> list[FieldError]:
    """Everything that is wrong with the form."""
    with pytest.raises(InvalidInputError) as caught:
        parsed(today, **changes)
    return list(caught.value.errors)


def refused(today: datetime = TODAY, /, **changes: Any) -> dict[str, str]:
    """Field -> code of everything that is wrong with the form."""
    found = faults(today, **changes)
    codes = {fault.field: fault.code for fault in found}
    assert len(codes) == len(found), "a field is named twice"
    return codes


# ------------------------------------------------------------------------------ what is typed


@pytest.mark.parametrize(
    "typed",
    [
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
        {"exp_month": f"{TODAY.month:02}", "exp_year": str(YEAR)},
        {"exp_month": f"{TODAY.month:02}", "exp_year": str(YEAR % 100)},
        {"name": "Ada Lovelace 3rd", "email": "ada.1815@example.com"},
        {"name": "Bo", "email": ""},
        {"name": " " + "x" * 45 + " "},
        {"name": "José Ñandú", "email": "jose+2026@example.com"},
        {"method": None},
    ],
    ids=repr,
)
def test_what_people_type_is_accepted(typed: dict[str, Any]) -> None:
    form = parsed(**typed)
    assert form.card_number in (PAID_CARD, AMEX)
    assert form.exp_year in (YEAR, 2034)
    assert form.exp_month in (1, TODAY.month, 12)
    assert form.name == typed.get("name", TYPED["name"]).strip()
    assert form.email == (typed.get("email") or None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
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
        ("name", "x" * 46),
        ("name", "x"),
        ("name", " x "),
        ("name", ""),
        ("name", None),
        ("name", "Ada\u202eLovelace"),
        ("name", "Ada\0Lovelace"),
        ("email", "nobody"),
        ("email", "a@b"),
        ("email", "a b@example.com"),
        ("email", "\ud800@example.com"),
        ("method", "cash"),
        ("attempt", "x"),
        ("attempt", "one rendering of the page"),
        ("attempt", "x" * 100),
    ],
    ids=ascii,
)
def test_what_cannot_be_right_is_refused_and_only_its_field_is_named(
    field: str, value: object
) -> None:
    assert refused(**{field: value}).keys() == {field}


def test_everything_that_is_wrong_is_said_at_once() -> None:
    typed = {"exp_month": "0", "exp_year": "x", "cvc": "1", "name": PAID_CARD, "email": "nobody"}
    assert refused(card_number="1", **typed).keys() == {"card_number", *typed}
    assert refused(**dict.fromkeys(REQUIRED)) == dict.fromkeys(REQUIRED, "required")


@pytest.mark.parametrize("year", ["34", "2034", "27", "2027"])
def test_a_year_in_two_digits_is_the_same_year_in_four(year: str) -> None:
    assert parsed(exp_year=year).exp_year == int(year) % 100 + 2000


# ------------------------------------------------------------------------------ hidden numbers


@pytest.mark.parametrize(
    "text",
    [
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
    ],
)
def test_a_name_that_holds_a_card_number_is_refused(text: str) -> None:
    assert refused(name=text) == {"name": "holds_card_number"}


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
        "314@example.com",  # the security code
    ],
)
def test_an_e_mail_that_holds_a_card_number_or_is_the_code_is_refused(email: str) -> None:
    assert refused(email=email) == {"email": "holds_card_number"}


def test_an_attempt_token_that_holds_a_card_number_is_refused() -> None:
    assert refused(attempt=PAID_CARD) == {"attempt": "holds_card_number"}


# ------------------------------------------------------------------------------ the security code


@pytest.mark.parametrize(
    ("number", "digits", "refused_codes"),
    [
        (AMEX, 4, ("314", "31415", "314x")),
        (PAID_CARD, 3, ("3141", "31", "31x")),
        ("6200000000000005", 3, ("3141", "31")),
    ],
)
def test_the_security_code_has_four_digits_for_amex_and_three_elsewhere(
    number: str, digits: int, refused_codes: tuple[str, ...]
) -> None:
    for cvc in refused_codes:
        assert faults(card_number=number, cvc=cvc) == [
            FieldError("cvc", "invalid_cvc", {"digits": digits})
        ]
    assert refused(card_number=number, cvc="") == {"cvc": "required"}
    assert parsed(card_number=number, cvc="3141"[:digits]).cvc == "3141"[:digits]


# ------------------------------------------------------------------------------ the expiry date


@pytest.mark.parametrize(
    ("today", "last_month", "field"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), {"exp_month": "10", "exp_year": "2026"}, "exp_month"),
        (datetime(2026, 1, 1, tzinfo=UTC), {"exp_month": "12", "exp_year": "2025"}, "exp_year"),
    ],
)
def test_a_card_that_expired_last_month_is_refused(
    today: datetime, last_month: dict[str, str], field: str
) -> None:
    assert refused(today, **last_month) == {field: "card_expired"}


@pytest.mark.parametrize(
    "today",
    [
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
    ],
)
def test_a_card_is_good_until_the_end_of_its_last_month(today: datetime) -> None:
    assert parsed(today, exp_month=str(today.month), exp_year=str(today.year))


@pytest.mark.parametrize(
    ("years_from_now", "code"), [(-1, "card_expired"), (50, None), (51, "invalid_expiry")]
)
@pytest.mark.parametrize("spelling", [str, int])
def test_a_card_expires_within_fifty_years(
    years_from_now: int, code: str | None, spelling: type
) -> None:
    expiry = {"exp_year": spelling(YEAR + years_from_now), "exp_month": spelling(12)}
    if code:
        assert refused(**expiry) == {"exp_year": code}
    else:
        assert parsed(**expiry).exp_year == YEAR + years_from_now


# ------------------------------------------------------------------------------ brands and lengths


def numbered(beginning: str, length: int) -> str:
    """A number with this beginning and length, and the check digit that belongs to it."""
    digits = beginning + "8" * (length - len(beginning) - 1)
    total = 0
    for position, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if position % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return digits + str(-total % 10)


def code_of(brand: str) -> str:
    return "3141" if brand == "amex" else "314"


LENGTHS = {
    "visa": ("4", (13, 16, 19), (12, 14, 15, 17, 18, 20)),
    "mastercard": ("51", (16,), (15, 17)),
    "amex": ("34", (15,), (14, 16)),
    "discover": ("6011", (16, 19), (15, 20)),
    "diners": ("36", (14, 19), (13, 20)),
    "jcb": ("3528", (16, 19), (15, 20)),
    "unionpay": ("62", (16, 19), (15, 20)),
}


@pytest.mark.parametrize("brand", LENGTHS)
def test_a_scheme_takes_numbers_of_the_lengths_it_issues_and_of_no_other(brand: str) -> None:
    beginning, issued, not_issued = LENGTHS[brand]
    for length in issued:
        number = numbered(beginning, length)
        card = parsed(card_number=number, cvc=code_of(brand)).card
        assert (card.brand, card.last4) == (brand, number[-4:])
    for length in not_issued:
        number = numbered(beginning, length)
        assert refused(card_number=number, cvc=code_of(brand)) == {
            "card_number": "invalid_card_number"
        }, length


BORDERS = {
    "visa": ("40", "49"),
    "mastercard": ("51", "55", "2221", "2229", "2230", "2300", "2699", "2700", "2719", "2720"),
    "amex": ("34", "37"),
    "discover": ("6011", "644", "649", "65"),
    "diners": ("300", "305", "3095", "36", "38", "39"),
    "jcb": ("3528", "3529", "3530", "3589"),
    "unionpay": ("62", "81"),
}


@pytest.mark.parametrize(
    ("brand", "beginning"),
    [(brand, beginning) for brand, found in BORDERS.items() for beginning in found],
)
def test_a_card_is_of_the_scheme_that_its_first_digits_say(brand: str, beginning: str) -> None:
    number = numbered(beginning, 15 if brand == "amex" else 16)
    assert parsed(card_number=number, cvc=code_of(brand)).card.brand == brand


NOT_ACCEPTED = (
    *("0", "1", "2220", "2721", "306", "3094", "31", "3527", "3590", "50", "56", "6010", "6012"),
    *("61", "63", "643", "66", "6759", "7", "80", "82", "9"),
)


@pytest.mark.parametrize("beginning", NOT_ACCEPTED)
def test_a_card_of_a_scheme_that_is_not_accepted_is_refused_and_says_so(beginning: str) -> None:
    assert refused(card_number=numbered(beginning, 16)) == {"card_number": "unsupported_card"}


def test_a_number_whose_check_digit_is_wrong_is_refused() -> None:
    number = numbered("4", 16)
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert refused(card_number=wrong) == {"card_number": "invalid_card_number"}
