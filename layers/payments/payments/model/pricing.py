"""What a payment costs its merchant and what is left, in which currency, at which rates."""

from dataclasses import dataclass
from decimal import Decimal

from payments.errors import RatesUnavailableError
from payments.model.ids import Mode
from payments.model.merchant import Merchant
from payments.model.payment import Payment
from payments.money.amounts import PRECISE, rounded, share_of
from payments.money.exchange_rates import Quote, Rates, converted
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


def refunds_net_minor(payment: Payment, refunded_minor: int, *, returns_fees: bool) -> int:
    """What the merchant's settlement loses in all when so much in all is refunded.

    The rates are those of the payment. A refund's own net is the difference that it makes, so any
    split of the whole adds up to the whole (contract, "Money after the payment").
    """
    lost = Decimal(refunded_minor)
    captured_minor = payment.captured_total_minor
    if returns_fees and captured_minor:
        share = PRECISE.multiply(Decimal(payment.fee_minor), lost)
        lost = PRECISE.subtract(lost, PRECISE.divide(share, Decimal(captured_minor)))
    return rounded(_in_settlement(payment, lost))


def capture_price(payment: Payment, merchant: Merchant, captured_minor: int) -> tuple[int, int]:
    """Fee and net, in minor units, once only so much of the authorized amount is captured.

    The rates are those of the payment; a fixed part of the fee that they do not convert is left
    out, as it was at the creation.
    """
    if captured_minor == payment.amount_minor:
        return payment.fee_minor, payment.net_minor
    rate, quote = fee_rate(merchant.country, merchant.fee), payment.quote
    fixed = Decimal(0)
    if rate.currency == payment.currency:
        fixed = Decimal(rate.fixed_minor)
    elif quote and quote.fee and quote.charge:
        fixed = converted(
            Decimal(rate.fixed_minor), rate.currency, quote.fee, payment.currency, quote.charge
        )
    fee_minor = rounded(PRECISE.add(share_of(captured_minor, rate.percentage), fixed))
    return fee_minor, rounded(_in_settlement(payment, Decimal(captured_minor - fee_minor)))


def _in_settlement(payment: Payment, minor: Decimal) -> Decimal:
    quote = payment.quote
    if payment.net_currency == payment.currency or not (quote and quote.net and quote.charge):
        return minor
    return converted(minor, payment.currency, quote.charge, payment.net_currency, quote.net)
