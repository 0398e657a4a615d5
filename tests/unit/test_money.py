"""Amounts: exact in, exact out, and never rounded on the way (contract, sections 3 and 8)."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.generate import currencies
from payments.errors import AmountError
from payments.money.amounts import (
    MAX_INTEGER_DIGITS,
    format_amount,
    parse_amount,
    rounded,
    share_of,
    to_decimal,
    to_number,
)
from payments.money.currencies import MINOR_UNIT_DIGITS
from payments.web.http import to_json

any_currency = st.sampled_from(sorted(MINOR_UNIT_DIGITS))
any_minor = st.integers(min_value=1, max_value=10**12 - 1)


@given(minor=any_minor, currency=any_currency)
def test_an_amount_shown_and_read_again_is_the_same_amount(minor: int, currency: str) -> None:
    assert parse_amount(format_amount(minor, currency), currency) == minor


@given(currency=any_currency, text=st.text(max_size=20))
def test_any_text_is_an_exact_amount_or_an_amount_error(currency: str, text: str) -> None:
    try:
        minor = parse_amount(text, currency)
    except AmountError:
        return
    assert to_decimal(minor, currency) == Decimal(text)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("500.00", "USD", 50000), ("5", "USD", 500), ("500", "JPY", 500), ("1.234", "KWD", 1234)],
)
def test_an_amount_has_the_decimals_of_its_currency(text: str, currency: str, minor: int) -> None:
    assert parse_amount(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "code"),
    [
        ("0.001", "USD", "too_many_decimals"),
        ("1.0", "JPY", "too_many_decimals"),
        ("0.00", "USD", "amount_not_positive"),
        ("1" * 13, "USD", "amount_too_large"),
        ("-1", "USD", "invalid_amount"),
        ("1e3", "USD", "invalid_amount"),
        (".5", "USD", "invalid_amount"),
        ("5.", "USD", "invalid_amount"),
        (" 5", "USD", "invalid_amount"),
        ("٥", "USD", "invalid_amount"),
    ],
)
def test_what_is_no_amount_says_what_is_wrong(text: str, currency: str, code: str) -> None:
    with pytest.raises(AmountError) as caught:
        parse_amount(text, currency)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("minor", "percentage", "share"), [(50, "5", 2), (70, "5", 4), (90, "5", 4), (110, "5", 6)]
)
def test_half_a_minor_unit_goes_to_the_even_one(minor: int, percentage: str, share: int) -> None:
    assert rounded(share_of(minor, Decimal(percentage))) == share
    assert rounded(-share_of(minor, Decimal(percentage))) == -share


@given(minor=st.integers(), digits=st.integers(min_value=0, max_value=40))
def test_rounding_moves_an_amount_by_half_a_unit_at_most(minor: int, digits: int) -> None:
    exact = Decimal((int(minor < 0), tuple(map(int, str(abs(minor)))), -digits))
    difference = Fraction(rounded(exact)) - Fraction(exact)
    assert abs(difference) <= Fraction(1, 2)
    assert abs(difference) != Fraction(1, 2) or rounded(exact) % 2 == 0


def test_the_currency_table_is_what_the_iso_list_says() -> None:
    _, table = currencies.table()
    assert table == MINOR_UNIT_DIGITS
    assert currencies.TARGET.read_text() == currencies.render()


@pytest.mark.parametrize("code", ["XXX", "XTS", "XAU", "CLF", "BOV", "CHE", "USN", "DEM"])
def test_funds_metals_and_test_codes_are_no_currencies(code: str) -> None:
    assert code not in MINOR_UNIT_DIGITS


@given(st.sampled_from(sorted(MINOR_UNIT_DIGITS)), st.data())
def test_a_json_number_is_exact_whatever_the_currency(currency: str, data: st.DataObject) -> None:
    digits = MAX_INTEGER_DIGITS + MINOR_UNIT_DIGITS[currency]
    minor = data.draw(st.integers(0, 10**digits - 1))
    written = to_json({"amount": to_number(minor, currency)})
    assert json.loads(written, parse_float=Decimal, parse_int=Decimal) == {
        "amount": to_decimal(minor, currency)
    }
