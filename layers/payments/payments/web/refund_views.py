"""Refunds as their own routes show them, and in the documented older spelling."""

from typing import Any

from payments.model.ids import Mode
from payments.model.refund import Refund
from payments.money.amounts import format_amount
from payments.web.views import to_the_second


def refund_view(refund: Refund) -> dict[str, Any]:
    """A refund, as its own routes and the payment's show it."""
    return {
        "id": refund.id,
        "payment_id": refund.payment_id,
        "amount": format_amount(refund.amount_minor, refund.currency),
        "currency": refund.currency,
        "status": refund.status,
        "reason": refund.reason,
        "reference": refund.reference,
        "failure_code": refund.failure_code,
        "failure_reason": refund.failure_code and refund.failure_code.replace("_", " "),
        "net": format_amount(refund.net_minor, refund.net_currency),
        "net_currency": refund.net_currency,
        "metadata": dict(refund.metadata),
        "test": refund.account.mode is Mode.TEST,
        "created_at": to_the_second(refund.created_at_us),
        "updated_at": to_the_second(refund.updated_at_us),
    }


def older_refund_view(refund: Refund) -> dict[str, Any]:
    """The documented older spelling of a refund: exactly these keys."""
    return {
        "id": refund.id,
        "provider_refund_id": refund.id,
        "charge_id": refund.payment_id,
        "amount": format_amount(refund.amount_minor, refund.currency),
        "currency": refund.currency.lower(),
        "reason": refund.reason,
        "status": refund.status,
        "test": refund.account.mode is Mode.TEST,
    }
