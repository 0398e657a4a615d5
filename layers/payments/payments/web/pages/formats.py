"""Amounts, times and names as people write them. For showing only: nothing is computed."""

import re
from datetime import UTC, datetime

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import parse_pattern

from payments.model.payment import Payment
from payments.money.amounts import to_decimal
from payments.money.currencies import MINOR_UNIT_DIGITS

BRAND_NAMES = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "American Express",
    "discover": "Discover",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}

# CLDR wants a space where a currency has no sign but letters ("CRC", "Cg."); Babel leaves it out.
_BETWEEN_LETTERS_AND_DIGIT = re.compile(r"(?<=[A-Za-z])(?=[0-9])|(?<=[A-Za-z]\.)(?=[0-9])")


def shown_amount(payment: Payment, language: str) -> str:
    """Shows as many decimals as ISO 4217 gives the currency; Babel's data differs."""
    locale = Locale.parse(language)
    pattern = parse_pattern(locale.currency_formats["standard"].pattern)
    digits = MINOR_UNIT_DIGITS[payment.currency]
    pattern.frac_prec = (digits, digits)
    amount = to_decimal(payment.amount_minor, payment.currency)
    shown = pattern.apply(amount, locale, currency=payment.currency, currency_digits=False)
    return _BETWEEN_LETTERS_AND_DIGIT.sub("\u00a0", shown)


def shown_time(time_us: int, language: str) -> str:
    """Shows the minute, in UTC and saying so: the server does not know the shopper's time zone."""
    moment = datetime.fromtimestamp(time_us / 1_000_000, UTC)
    date = format_date(moment, "medium", locale=language)
    return f"{date}, {format_time(moment, 'short', locale=language)} UTC"
