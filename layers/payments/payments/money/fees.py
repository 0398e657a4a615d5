"""What a charge costs the merchant: a percentage and a fixed part, by the merchant's country."""

import re
from dataclasses import dataclass
from decimal import Decimal

from payments.money.amounts import to_minor
from payments.money.currencies import MINOR_UNIT_DIGITS

_AGREED = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,2})?) ?% ?\+ ?([0-9.]+) ?([A-Z]{3})")
COUNTRY_PATTERN = r"[A-Z]{2}"


@dataclass(frozen=True, slots=True)
class FeeRate:
    """`fixed` is a decimal amount of `currency`."""

    percentage: Decimal
    fixed: str
    currency: str

    @property
    def fixed_minor(self) -> int:
        return to_minor(self.fixed, self.currency)


# The published rates by merchant country; 3DS costs nothing extra.
PUBLISHED: dict[str, FeeRate] = {
    "CR": FeeRate(Decimal("5"), "0.50", "USD"),
    "AU": FeeRate(Decimal("3.65"), "0.30", "AUD"),
    "CA": FeeRate(Decimal("2.9"), "0.60", "CAD"),
    "DK": FeeRate(Decimal("2.15"), "2.50", "DKK"),
    "JP": FeeRate(Decimal("3.60"), "30", "JPY"),
    "MX": FeeRate(Decimal("4.35"), "4.70", "MXN"),
    "NO": FeeRate(Decimal("3.15"), "2.50", "NOK"),
    "NZ": FeeRate(Decimal("3.65"), "0.30", "NZD"),
    "PL": FeeRate(Decimal("2.90"), "1.00", "PLN"),
    "SG": FeeRate(Decimal("3.40"), "0.50", "SGD"),
    "US": FeeRate(Decimal("2.9"), "0.60", "USD"),
}
EURO_RATE = FeeRate(Decimal("2.15"), "0.25", "EUR")
# fmt: off
EURO_COUNTRIES = frozenset({
    "AT", "BE", "BG", "CY", "DE", "EE", "ES", "FI", "FR", "GR", "HR",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PT", "SI", "SK",
})
# fmt: on
# A country without a published fee pays the highest published one.
DEFAULT_RATE = PUBLISHED["CR"]


def fee_rate(country: str, agreed: str = "") -> FeeRate:
    """What was agreed with the merchant, else what its country pays."""
    if agreed:
        return parse_fee(agreed)
    if country in EURO_COUNTRIES:
        return EURO_RATE
    return PUBLISHED.get(country, DEFAULT_RATE)


def parse_fee(text: str) -> FeeRate:
    """Reads "2.9% + 0.30 USD". Raises ValueError; a fixed part of zero is written "0"."""
    match = _AGREED.fullmatch(text)
    if match is None or match[3] not in MINOR_UNIT_DIGITS:
        raise ValueError('a fee reads like "2.9% + 0.30 USD"')
    rate = FeeRate(Decimal(match[1]), match[2], match[3])
    to_minor(rate.fixed, rate.currency)  # raises an AmountError, which is a ValueError
    return rate
