"""Amounts are integers of the currency's minor unit; decimals appear only at the edges.

Rounding is half-even, once for each amount that results and never on the way to it.
"""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal

from payments.errors import AmountError
from payments.money.currencies import MINOR_UNIT_DIGITS

_DECIMAL_AMOUNT = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
MAX_INTEGER_DIGITS = 12
# An amount has 16 digits at most, a rate 12 and a percentage 4: products are exact, and a quotient
# has far more digits than any of ours needs to tell a half from what is next to it.
PRECISE = Context(prec=60, rounding=ROUND_HALF_EVEN)


def parse_amount(text: str, currency: str) -> int:
    """What somebody is to pay: `to_minor`, and more than nothing. Raises AmountError."""
    minor = to_minor(text, currency)
    if minor == 0:
        raise AmountError("amount_not_positive")
    return minor


def to_minor(text: str, currency: str) -> int:
    """A decimal string as minor units: "5.00" USD is 500, "5" JPY is 5, "1.234" KWD is 1234.

    Nothing is rounded: more decimals than the currency has is an AmountError (contract, section 3).
    """
    match = _DECIMAL_AMOUNT.fullmatch(text)
    if match is None:
        raise AmountError("invalid_amount")
    whole, fraction = match[1], match[2] or ""
    if len(whole) > MAX_INTEGER_DIGITS:
        raise AmountError("amount_too_large")
    digits = MINOR_UNIT_DIGITS[currency]
    if len(fraction) > digits:
        raise AmountError("too_many_decimals")
    return int(whole + fraction.ljust(digits, "0"))


def to_decimal(minor: int, currency: str) -> Decimal:
    """Exact, with the currency's own number of decimals: 500 USD is Decimal("5.00")."""
    return Decimal(minor).scaleb(-MINOR_UNIT_DIGITS[currency])


def format_amount(minor: int, currency: str) -> str:
    """As the one-view shows it: "5.00", "5", "1.234"."""
    return f"{to_decimal(minor, currency):f}"


def to_number(minor: int, currency: str) -> float | Decimal:
    """For JSON: a float where it reads back as the same decimal, else the decimal itself.

    An amount has up to 16 digits, and not every 16 digits are a float's.
    """
    exact = to_decimal(minor, currency)
    as_float = float(exact)
    return as_float if Decimal(repr(as_float)) == exact else exact


def share_of(minor: int, percentage: Decimal) -> Decimal:
    """A percentage of an amount, exact: not yet whole minor units."""
    return PRECISE.multiply(Decimal(minor), percentage).scaleb(-2, PRECISE)


def rounded(minor: Decimal) -> int:
    """Whole minor units: half a unit goes to the even one."""
    return int(minor.to_integral_value(ROUND_HALF_EVEN))
