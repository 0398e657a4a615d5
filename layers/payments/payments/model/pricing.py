"""What a payment costs its merchant and what is left, in which currency, at which rates."""

from dataclasses import dataclass

from payments.errors import RatesUnavailableError
from payments.model.ids import Mode
from payments.model.merchant import Merchant
from payments.money.amounts import PRECISE, rounded, share_of
from payments.money.exchange_rates import Quote, Rates
from payments.money.fees import fee_rate


@dataclass(frozen=True, slots=True)
class Price:
    """`fee_minor` is in the charge currency, and `amount - fee` too until it becomes the net."""

    fee_minor: int
    net_minor: int
    net_currency: str
    quote: Quote


def price(
    amount_minor: int, currency: str, merchant: Merchant, mode: Mode, rates: Rates, since: int
) -> Price:
    """The net is below zero if the fee is above the amount: that is what the merchant owes.

    Live money needs every rate, and where it changes currency one that is as young as `since`;
    else RatesUnavailableError. In test mode what cannot be converted stays in the charge currency,
    and a fixed part that cannot be is left out (contract, section 8).
    """
    rate = fee_rate(merchant.country, merchant.fee)
    settlement = merchant.settlement_currency
    if mode is Mode.LIVE:
        shown = {currency, merchant.local_currency, settlement, rate.currency}
        changes = {settlement, rate.currency} - {currency}
        converted = changes | {currency} if changes else set()
        if rates.lacks(shown) or rates.lacks(converted, since):
            raise RatesUnavailableError
    fixed = rates.convert(rate.fixed_minor, rate.currency, currency)
    share = share_of(amount_minor, rate.percentage)
    fee_minor = rounded(share if fixed is None else PRECISE.add(share, fixed))
    left = amount_minor - fee_minor
    net = rates.convert(left, currency, settlement)
    return Price(
        fee_minor=fee_minor,
        net_minor=left if net is None else rounded(net),
        net_currency=currency if net is None else settlement,
        quote=rates.quote(
            charge=currency, local=merchant.local_currency, net=settlement, fee=rate.currency
        ),
    )
