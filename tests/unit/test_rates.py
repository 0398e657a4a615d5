"""Exchange rates: conversion, what a feed is believed, and the shipped snapshot."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.generate import rates as generator
from payments.money.amounts import rounded
from payments.money.currencies import MINOR_UNIT_DIGITS
from payments.money.exchange_rates import SNAPSHOT, Quote, Rate, Rates, merge

NOW = 1_795_000_000
any_code = st.sampled_from(sorted(MINOR_UNIT_DIGITS))
any_minor = st.integers(min_value=-(10**16), max_value=10**16)
any_rate = st.decimals(
    min_value=Decimal("0.0001"), max_value=Decimal(2_000_000), places=6, allow_nan=False
)


def rates(at: int = NOW, **per_usd: str) -> Rates:
    return Rates({code: Rate(Decimal(rate), "test", at) for code, rate in per_usd.items()})


def unit_of(wanted: str, given_code: str, per_usd: dict[str, Fraction]) -> Fraction:
    """How many minor units of `given_code` one minor unit of `wanted` is worth."""
    shift = Fraction(10) ** (MINOR_UNIT_DIGITS[given_code] - MINOR_UNIT_DIGITS[wanted])
    return per_usd[given_code] / per_usd[wanted] * shift


@given(minor=any_minor, here=any_code, there=any_code, here_rate=any_rate, there_rate=any_rate)
def test_a_conversion_is_exact_before_it_is_rounded_and_back_within_one_unit(
    minor: int, here: str, there: str, here_rate: Decimal, there_rate: Decimal
) -> None:
    known = Rates({here: Rate(here_rate, "any", NOW), there: Rate(there_rate, "any", NOW)})
    per_usd = {code: Fraction(known.per_usd(code) or 0) for code in (here, there)}

    converted = known.convert(minor, here, there)
    assert converted is not None
    exact = minor / unit_of(there, here, per_usd)
    assert abs(Fraction(converted) - exact) <= abs(exact) / 10**50
    assert abs(Fraction(rounded(converted)) - exact) <= Fraction(1, 2)

    back = known.convert(rounded(converted), there, here)
    assert back is not None
    coarser = max(Fraction(1), unit_of(there, here, per_usd))
    assert abs(rounded(back) - minor) <= coarser


def test_a_dollar_is_a_dollar_without_any_rates() -> None:
    assert Rates({}).convert(12345, "USD", "USD") == 12345
    assert Rates({}).quote(charge="USD", local="USD", net="USD", fee="USD") == Quote(
        charge=Decimal(1), local=Decimal(1), net=Decimal(1), fee=Decimal(1)
    )


def test_without_a_rate_nothing_is_converted() -> None:
    assert rates(EUR="0.8").convert(100, "EUR", "CRC") is None
    assert rates(EUR="0.8").convert(100, "AED", "EUR") is None


def test_minor_units_are_converted_with_the_decimals_of_both_currencies() -> None:
    known = rates(JPY="150", KWD="0.3", UYW="7.5")
    assert known.convert(10000, "USD", "JPY") == 15000
    assert known.convert(15000, "JPY", "KWD") == 30000
    assert known.convert(100, "USD", "UYW") == 75000


def test_a_quote_has_the_source_and_time_of_its_oldest_rate() -> None:
    old, new = Rate(Decimal("0.8"), "old", 1), Rate(Decimal(500), "new", 2)
    quote = Rates({"EUR": old, "CRC": new}).quote(charge="EUR", local="CRC", net="USD", fee="AED")
    assert quote == Quote(
        charge=Decimal("0.8"), local=Decimal(500), net=Decimal(1), fee=None, source="old", at=1
    )
    assert quote.usd_per_charge == Decimal("1.25")


# ------------------------------------------------------------------------------ merging


@pytest.mark.parametrize("rate", ["0.8", "1.0", "1.2"])
def test_a_rate_may_move_by_a_fifth(rate: str) -> None:
    merged = merge(rates(EUR="1.0", at=1), rates(EUR=rate, at=2))
    assert merged.rates.per_usd("EUR") == Decimal(rate)
    assert (merged.taken, merged.kept) == (1, {})


@pytest.mark.parametrize("rate", ["0.79", "1.21", "0.01", "100"])
def test_a_rate_that_jumps_stays_as_it_was_and_grows_old(rate: str) -> None:
    merged = merge(rates(EUR="1.0", CRC="500", at=1), rates(EUR=rate, CRC="501", at=2))
    assert merged.rates.known["EUR"] == Rate(Decimal("1.0"), "test", 1)
    assert merged.rates.known["CRC"] == Rate(Decimal(501), "test", 2)
    assert (merged.taken, merged.kept) == (1, {"EUR": "jump"})


def test_a_jump_that_somebody_has_looked_at_is_taken() -> None:
    known, offered = rates(EUR="1", CRC="500", at=1), rates(EUR="2", CRC="1000", at=2)
    merged = merge(known, offered, accepted=["EUR"])
    assert merged.rates.per_usd("EUR") == 2
    assert merged.kept == {"CRC": "jump"}


def test_a_currency_that_is_missing_keeps_its_rate() -> None:
    merged = merge(rates(EUR="1", CRC="500", at=1), rates(CRC="500", at=2))
    assert merged.rates.known["EUR"].at == 1
    assert merged.kept == {"EUR": "missing"}


def test_a_currency_that_is_new_is_taken() -> None:
    merged = merge(rates(at=1), rates(EUR="1", at=2))
    assert (merged.taken, merged.kept) == (1, {})


def test_an_older_answer_changes_nothing() -> None:
    merged = merge(rates(EUR="1", at=2), rates(EUR="1.1", at=1))
    assert merged.rates == rates(EUR="1", at=2)
    assert (merged.taken, merged.kept) == (0, {})


# ------------------------------------------------------------------------------ the snapshot


def test_the_snapshot_is_what_the_central_bank_s_package_says() -> None:
    assert generator.TARGET.read_text() == generator.render()


def test_the_snapshot_has_the_central_bank_s_currencies_and_the_documentation_s() -> None:
    assert len(SNAPSHOT.known) == 30  # 29 beside the dollar, and CRC
    assert SNAPSHOT.per_usd("CRC") == Decimal("533.48")
    assert {rate.source for rate in SNAPSHOT.known.values()} == {"snapshot 2026-10-30"}
    assert SNAPSHOT.known.keys() < MINOR_UNIT_DIGITS.keys()
