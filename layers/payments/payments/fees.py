"""What a charge costs the merchant: a percentage and a fixed part, by the merchant's country."""

from dataclasses import dataclass
from decimal import Decimal

from payments.money import parse_amount, share_of


@dataclass(frozen=True, slots=True)
class FeeRate:
    """`fixed` is a decimal amount of `currency`."""

    percentage: Decimal
    fixed: str
    currency: str


# The published rates by merchant country; 3DS costs nothing extra.
FEE_RATES: dict[str, FeeRate] = {
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
COUNTRIES = EURO_COUNTRIES | FEE_RATES.keys()


def fee_minor(amount_minor: int, currency: str, country: str) -> int:
    """The fee in minor units of the charge currency.

    The fixed part is charged where it is in the charge currency; converting it needs a rate.
    """
    rate = EURO_RATE if country in EURO_COUNTRIES else FEE_RATES[country]
    fee = share_of(amount_minor, rate.percentage)
    if rate.currency == currency:
        fee += parse_amount(rate.fixed, currency)
    return fee
