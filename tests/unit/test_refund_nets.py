"""What refunds and captures cost a merchant: any split of a payment adds up to the whole."""

import itertools
from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.model.ids import Mode
from payments.model.lifecycle import Status
from payments.model.merchant import Merchant
from payments.model.payment import Payment
from payments.model.pricing import capture_price, price, refunds_net_minor
from payments.money.exchange_rates import Rate, Rates
from tests.support.payments import a_payment

NOW = 1_795_000_000
RATES = Rates(
    {
        code: Rate(Decimal(per_usd), "test", NOW)
        for code, per_usd in {"CRC": "533.48", "EUR": "0.8", "JPY": "150", "KWD": "0.3"}.items()
    }
)
CURRENCIES = st.sampled_from(("USD", "CRC", "EUR", "JPY", "KWD"))
# The net of one refund, told the amounts before it and its own.
NetOf = Callable[[Payment, Sequence[int], int], int]


def merchant(settlement: str) -> Merchant:
    return Merchant("acme", "Acme", "acme@example.com", "CR", "ACME", "CRC", settlement)


def paid(amount_minor: int, currency: str, settlement: str) -> Payment:
    """A payment as it is created, and then paid."""
    charged = price(amount_minor, currency, merchant(settlement), Mode.LIVE, RATES, NOW)
    return a_payment(
        status=Status.SUCCEEDED,
        amount_minor=amount_minor,
        currency=currency,
        fee_minor=charged.fee_minor,
        net_minor=charged.net_minor,
        net_currency=charged.net_currency,
        quote=charged.quote,
    )


@st.composite
def split_payments(draw: st.DrawFn) -> tuple[Payment, list[int]]:
    """A payment, and the refunds that give all of it back."""
    amount_minor = draw(st.integers(min_value=20, max_value=10**9))
    cuts = draw(st.sets(st.integers(min_value=1, max_value=amount_minor - 1), max_size=19))
    borders = [0, *sorted(cuts), amount_minor]
    parts = [after - before for before, after in itertools.pairwise(borders)]
    return paid(amount_minor, draw(CURRENCIES), draw(CURRENCIES)), parts


def cumulative(*, returns_fees: bool) -> NetOf:
    """As a refund's net is made: the difference to what the refunds before have cost."""

    def net_of(payment: Payment, before: Sequence[int], part: int) -> int:
        totals = (sum(before), sum(before) + part)
        lower, upper = (
            refunds_net_minor(payment, total, returns_fees=returns_fees) for total in totals
        )
        return upper - lower

    return net_of


def part_by_part(payment: Payment, _before: Sequence[int], part: int) -> int:
    """What must not be: each refund converted and rounded for itself."""
    return refunds_net_minor(payment, part, returns_fees=False)


def nets(payment: Payment, parts: Sequence[int], net_of: NetOf) -> list[int]:
    return [net_of(payment, parts[:number], part) for number, part in enumerate(parts)]


@pytest.mark.parametrize("returns_fees", [True, False])
@given(split=split_payments())
def test_any_split_of_a_payment_adds_up_to_the_whole(
    returns_fees: bool, split: tuple[Payment, list[int]]
) -> None:
    payment, parts = split
    costs = nets(payment, parts, cumulative(returns_fees=returns_fees))
    whole = refunds_net_minor(payment, payment.amount_minor, returns_fees=returns_fees)
    assert sum(costs) == whole
    if returns_fees:
        assert whole == payment.net_minor
    else:
        assert all(cost >= 0 for cost in costs)


def test_rounding_part_by_part_does_not_add_up() -> None:
    payment, parts = paid(100, "CRC", "USD"), [50, 50]
    assert sum(nets(payment, parts, cumulative(returns_fees=False))) == 0
    payment, parts = paid(10_000, "JPY", "EUR"), [1, 1, 9_998]
    whole = refunds_net_minor(payment, 10_000, returns_fees=False)
    assert sum(nets(payment, parts, cumulative(returns_fees=False))) == whole
    assert sum(nets(payment, parts, part_by_part)) != whole


def test_a_refund_in_the_currency_of_the_settlement_costs_what_it_gives_back() -> None:
    payment = paid(50_000, "USD", "USD")
    assert refunds_net_minor(payment, 1_000, returns_fees=False) == 1_000
    assert payment.fee_minor == 2_550
    assert refunds_net_minor(payment, 1_000, returns_fees=True) == 949


def test_fees_come_back_by_what_was_captured() -> None:
    payment = paid(50_000, "USD", "USD")
    fee_minor, net_minor = capture_price(payment, merchant("USD"), 8_000)
    captured = a_payment(
        status=Status.SUCCEEDED, captured_minor=8_000, fee_minor=fee_minor, net_minor=net_minor
    )
    assert refunds_net_minor(captured, 8_000, returns_fees=True) == net_minor
    assert refunds_net_minor(captured, 4_000, returns_fees=True) == 4_000 - fee_minor // 2


@given(
    authorized_minor=st.integers(min_value=1, max_value=10**9),
    share=st.floats(min_value=0, max_value=1),
    currency=CURRENCIES,
    settlement=CURRENCIES,
)
def test_a_part_that_is_captured_costs_what_a_payment_of_that_amount_does(
    authorized_minor: int, share: float, currency: str, settlement: str
) -> None:
    captured_minor = max(1, int(authorized_minor * share))
    payment = paid(authorized_minor, currency, settlement)
    alone = paid(captured_minor, currency, settlement)
    assert capture_price(payment, merchant(settlement), captured_minor) == (
        alone.fee_minor,
        alone.net_minor,
    )
