"""What a charge costs: the published table, agreements, and what is left for the merchant."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.errors import RatesUnavailableError
from payments.model.ids import Mode
from payments.model.merchant import Merchant
from payments.model.pricing import Price, price
from payments.money.amounts import parse_amount
from payments.money.currencies import MINOR_UNIT_DIGITS
from payments.money.exchange_rates import SNAPSHOT, Rate, Rates
from payments.money.fees import EURO_COUNTRIES, FeeRate, fee_rate, parse_fee

NOW = 1_795_000_000
TWO_DAYS = 48 * 3600
# The facts' figures once more, so that no slip in the table goes unseen.
PUBLISHED = {
    "CR": ("5", "0.50", "USD"),
    "AU": ("3.65", "0.30", "AUD"),
    "CA": ("2.9", "0.60", "CAD"),
    "JP": ("3.60", "30", "JPY"),
    "MX": ("4.35", "4.70", "MXN"),
    "NZ": ("3.65", "0.30", "NZD"),
    "NO": ("3.15", "2.50", "NOK"),
    "DK": ("2.15", "2.50", "DKK"),
    "PL": ("2.90", "1.00", "PLN"),
    "SG": ("3.40", "0.50", "SGD"),
    "US": ("2.9", "0.60", "USD"),
    "DE": ("2.15", "0.25", "EUR"),
    "BG": ("2.15", "0.25", "EUR"),
}
DOCUMENTED_RATES = {
    "CRC": "533.48",
    "EUR": "0.8",
    "JPY": "150",
    "KWD": "0.3",
    "MXN": "20",
    "UYW": "7.5",
}


def merchant(**changes: Any) -> Merchant:
    """The documentation's, with changes."""
    profile = {
        "id": "acme",
        "name": "Acme",
        "email": "acme@example.com",
        "country": "CR",
        "statement_descriptor": "ACME",
        "local_currency": "CRC",
        "settlement_currency": "USD",
    }
    return Merchant(**(profile | changes))


def rates(at: int = NOW, **per_usd: str) -> Rates:
    chosen = per_usd or DOCUMENTED_RATES
    return Rates({code: Rate(Decimal(rate), "test", at) for code, rate in chosen.items()})


def priced(
    amount: str,
    currency: str,
    whose: Merchant | None = None,
    known: Rates | None = None,
    mode: Mode = Mode.LIVE,
) -> Price:
    return price(
        parse_amount(amount, currency),
        currency,
        whose or merchant(),
        mode,
        rates() if known is None else known,
        NOW - TWO_DAYS,
    )


@pytest.mark.parametrize(("country", "published"), PUBLISHED.items())
def test_a_country_pays_what_is_published(country: str, published: tuple[str, str, str]) -> None:
    percentage, fixed, currency = published
    assert fee_rate(country) == FeeRate(Decimal(percentage), fixed, currency)


def test_all_euro_countries_pay_the_same() -> None:
    assert len(EURO_COUNTRIES) == 21
    assert len({fee_rate(country) for country in EURO_COUNTRIES}) == 1


def test_a_country_without_a_published_fee_pays_the_highest_published_one() -> None:
    unpublished = fee_rate("BR")
    assert unpublished == fee_rate("CR")
    assert unpublished.percentage == max(fee_rate(code).percentage for code in PUBLISHED)


def test_an_agreement_goes_before_the_country() -> None:
    agreed = merchant(fee="1.5% + 0.10 EUR")
    fixed = priced("100.00", "EUR", agreed)
    assert fixed.fee_minor == 160
    assert priced("100.00", "EUR").fee_minor == 540  # 5 % and half a dollar at 0.8


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.9% + 0.30 USD", FeeRate(Decimal("2.9"), "0.30", "USD")),
        ("0%+0JPY", FeeRate(Decimal(0), "0", "JPY")),
        ("10 % + 1.234 KWD", FeeRate(Decimal(10), "1.234", "KWD")),
    ],
)
def test_an_agreement_is_read_as_it_is_written(text: str, expected: FeeRate) -> None:
    assert parse_fee(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2.9",
        "2.9%",
        "0.30 USD",
        "2.9% + 0.301 USD",
        "2.9% + 0.3 XXX",
        "100% + 0 USD",
        "-1% + 0 USD",
        "2.9% + . USD",
        "2.9% + 0.30 usd",
        "1.234% + 0 USD",
        "2.9% + 0.30 USD ",
    ],
)
def test_what_is_no_fee_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_fee(text)


def test_the_documented_charge_comes_out_to_the_digit() -> None:
    documented = priced("100.00", "USD", known=SNAPSHOT)
    assert (documented.fee_minor, documented.net_minor, documented.net_currency) == (
        550,
        9450,
        "USD",
    )
    assert documented.quote.local == Decimal("533.48")
    assert documented.quote.usd_per_charge == 1
    assert documented.quote.source == "snapshot 2026-10-30"


def test_the_fixed_part_is_converted_and_the_whole_fee_rounded_once() -> None:
    # 5 % of 10.01 is 0.5005, half a dollar is 0.40: 0.9005, and not 0.50 + 0.40.
    assert priced("10.01", "EUR").fee_minor == 90
    # 5 % of 0.10 is 0.005 and half a dollar 0.15: 0.155 is 0.155, though each part alone is not.
    assert priced("0.100", "KWD").fee_minor == 155
    assert priced("100", "JPY").fee_minor == 80


def test_the_net_is_what_is_left_and_then_converted() -> None:
    fixed = priced("100.00", "EUR")
    assert (fixed.fee_minor, fixed.net_minor, fixed.net_currency) == (540, 11825, "USD")
    assert fixed.quote.usd_per_charge == Decimal("1.25")


def test_an_amount_below_its_fee_leaves_less_than_nothing() -> None:
    fixed = priced("0.10", "USD")
    assert (fixed.fee_minor, fixed.net_minor) == (50, -40)  # 0.505 is 0.50: half to the even


# ------------------------------------------------------------------------------ rates that lack


@pytest.mark.parametrize(
    ("currency", "whose"),
    [
        ("AED", {}),
        ("USD", {"local_currency": "AED"}),
        ("USD", {"settlement_currency": "AED"}),
        ("USD", {"fee": "1% + 1.00 AED"}),
    ],
    ids=["charge", "local", "settlement", "fee"],
)
def test_live_money_is_refused_where_a_rate_is_missing(
    currency: str, whose: dict[str, str]
) -> None:
    with pytest.raises(RatesUnavailableError):
        priced("100.00", currency, merchant(**whose))


@pytest.mark.parametrize("age_seconds", [0, TWO_DAYS])
def test_live_money_changes_currency_at_rates_up_to_the_limit(age_seconds: int) -> None:
    assert priced("100.00", "EUR", known=rates(NOW - age_seconds, EUR="0.8", CRC="500"))


@pytest.mark.parametrize(
    ("currency", "whose"),
    [
        ("EUR", {}),
        ("USD", {"settlement_currency": "EUR"}),
        ("USD", {"fee": "1% + 1.00 EUR"}),
        ("EUR", {"settlement_currency": "EUR"}),  # its fixed part is in dollars
    ],
)
def test_live_money_does_not_change_currency_at_older_rates(
    currency: str, whose: dict[str, str]
) -> None:
    old = rates(NOW - TWO_DAYS - 1, EUR="0.8", CRC="500")
    with pytest.raises(RatesUnavailableError):
        priced("100.00", currency, merchant(**whose), old)


@pytest.mark.parametrize(
    ("currency", "whose"),
    [
        ("USD", {}),
        ("EUR", {"country": "DE", "settlement_currency": "EUR", "local_currency": "EUR"}),
    ],
)
def test_live_money_that_stays_in_its_currency_does_not_mind_old_rates(
    currency: str, whose: dict[str, str]
) -> None:
    old = rates(1, EUR="0.8", CRC="500")
    fixed = priced("100.00", currency, merchant(**whose), old)
    assert fixed.net_minor + fixed.fee_minor == 10000
    assert fixed.quote.at == 1


def test_one_old_rate_does_not_hold_up_the_others() -> None:
    mixed = Rates({**rates(1, MXN="20").known, **rates(EUR="0.8", CRC="500").known})
    assert priced("100.00", "EUR", known=mixed).quote.at == NOW
    with pytest.raises(RatesUnavailableError):
        priced("100.00", "MXN", known=mixed)


def test_a_test_payment_in_a_currency_without_a_rate_stays_in_it() -> None:
    fixed = priced("100.00", "AED", mode=Mode.TEST)
    assert (fixed.fee_minor, fixed.net_minor, fixed.net_currency) == (500, 9500, "AED")
    assert fixed.quote.usd_per_charge is None


@pytest.mark.parametrize(
    "currency", sorted(MINOR_UNIT_DIGITS.keys() - SNAPSHOT.known.keys() - {"USD"})
)
def test_what_the_snapshot_has_no_rate_for_stays_in_its_currency_in_test_mode(
    currency: str,
) -> None:
    amount = parse_amount("765", currency)
    fixed = price(amount, currency, merchant(), Mode.TEST, SNAPSHOT, NOW)
    assert fixed.net_currency == currency
    assert fixed.fee_minor + fixed.net_minor == amount
    assert fixed.quote.usd_per_charge is None


def test_a_test_payment_does_not_mind_old_rates() -> None:
    fixed = priced("100.00", "EUR", known=rates(1, EUR="0.8"), mode=Mode.TEST)
    assert (fixed.net_minor, fixed.net_currency) == (11825, "USD")
    assert (fixed.quote.local, fixed.quote.at) == (None, 1)


# ------------------------------------------------------------------------------ properties

any_code = st.sampled_from(sorted(MINOR_UNIT_DIGITS))
any_minor = st.integers(min_value=1, max_value=10**16 - 1)
any_rate = st.decimals(
    min_value=Decimal("0.0001"), max_value=Decimal(2_000_000), places=6, allow_nan=False
)


@given(
    amount=any_minor,
    charge=any_code,
    net=any_code,
    country=st.sampled_from(sorted([*PUBLISHED, "BR"])),
    some=st.dictionaries(any_code, any_rate, max_size=8),
    mode=st.sampled_from(Mode),
)
def test_no_input_creates_or_destroys_a_minor_unit(
    amount: int, charge: str, net: str, country: str, some: dict[str, Decimal], mode: Mode
) -> None:
    known = Rates({code: Rate(rate, "any", NOW) for code, rate in some.items() if code != "USD"})
    whose = merchant(country=country, settlement_currency=net)
    try:
        fixed = price(amount, charge, whose, mode, known, NOW)
    except RatesUnavailableError:
        assert mode is Mode.LIVE
        return
    left = amount - fixed.fee_minor
    assert type(fixed.fee_minor) is type(fixed.net_minor) is int
    assert fixed.fee_minor >= 0
    if fixed.net_currency == charge:
        assert fixed.fee_minor + fixed.net_minor == amount
    else:
        assert fixed.net_currency == net
        exact = known.convert(left, charge, net)
        assert exact is not None
        assert abs(fixed.net_minor - exact) <= Decimal("0.5")
