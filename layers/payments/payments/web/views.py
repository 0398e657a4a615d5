"""One record, two views, key for key as the documentation shows them (contract, section 4)."""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from payments.model.authorization import CHECKED, NOT_PROVIDED
from payments.model.ids import Mode
from payments.model.lifecycle import Status
from payments.model.payment import Payment
from payments.money.amounts import format_amount, to_number
from payments.web.checkout_link import checkout_url
from payments.web.texts import text

_NAMESPACE = uuid.UUID("6f1b3c0e-5f0a-4b0e-9d57-3f0f4c1f9a11")


@dataclass(frozen=True, slots=True)
class ViewContext:
    """When and how a payment is read: expiry and links depend on it."""

    now_us: int
    lifetime_seconds: int
    base_url: str
    language: str


def created_view(payment: Payment, context: ViewContext) -> dict[str, Any]:
    """The response to a create: exactly these keys."""
    return {
        "code": 202,
        "title": text("created.title", context.language),
        "content": text("created.content", context.language),
        "data": {
            "id_payment": payment.id,
            "redirect": checkout_url(payment, context.base_url),
        },
    }


def one_view(payment: Payment, context: ViewContext) -> dict[str, Any]:
    """`GET /v1/payments/{id}`: the documented keys, then ours."""
    status = payment.status_at(context.now_us, context.lifetime_seconds)
    card = payment.card
    is_payable = status is Status.REQUIRES_ACTION
    before_us, operation = payment.capture_before_us, payment.operation
    code = payment.decline_code
    return {
        "id": payment.id,
        "amount": format_amount(payment.amount_minor, payment.currency),
        "currency": payment.currency,
        "description": payment.description,
        "status": "completed" if status is Status.SUCCEEDED else status,
        "items": list(payment.items),
        "customer_email": payment.email,
        "return_url": payment.return_url,
        "payment_method": card.method if card else None,
        "card_last4": card.last4 if card else None,
        "card_brand": card.brand if card else None,
        "created_at": to_the_second(payment.created_at_us),
        "updated_at": to_the_second(payment.updated_at_us),
        "test": payment.account.mode is Mode.TEST,
        "paid": status is Status.SUCCEEDED,
        "redirect": checkout_url(payment, context.base_url) if is_payable else None,
        "expires_at": to_the_second(payment.expires_at_us(context.lifetime_seconds)),
        "metadata": dict(payment.metadata),
        "decline_reason": text(f"decline.{code}", context.language) if code else None,
        "decline_code": code,
        "three_d_secure": payment.three_d_secure,
        "risk": _risk(payment),
        "reference": payment.reference,
        "authorized_amount": format_amount(payment.authorized_total_minor, payment.currency),
        "captured_amount": format_amount(payment.captured_total_minor, payment.currency),
        "refunded_amount": format_amount(payment.refunded_minor, payment.currency),
        "refundable_amount": format_amount(payment.refundable_total_minor, payment.currency),
        "capture_before": to_the_second(before_us) if before_us else None,
        "cancellation_reason": payment.cancellation_reason,
        "refunds": list(payment.refund_ids),
        **({"operation": {"id": operation.id, "status": "pending"}} if operation else {}),
    }


def list_view(payment: Payment, context: ViewContext) -> dict[str, Any]:
    """A row of `GET /v1/payments/`. Amounts are JSON numbers, exact to the last digit."""
    card = payment.card
    quote = payment.quote
    refunded, captured = payment.refunded_minor, payment.captured_minor
    return {
        "id": payment.id,
        "product": _uuid(payment.account.merchant_id, *payment.items),
        "customer": _uuid(str(payment.account), payment.email or ""),
        "amount": to_number(payment.amount_minor, payment.currency),
        "fee": to_number(payment.fee_minor, payment.currency),
        "currency": payment.currency,
        "description": payment.description,
        "statement_description": payment.statement_descriptor,
        "status": payment.status_at(context.now_us, context.lifetime_seconds),
        "capture": payment.captures,
        "created_on": _to_the_microsecond(payment.created_at_us),
        "refund": to_number(refunded, payment.currency) if refunded else None,
        "captured": None if captured is None else to_number(captured, payment.currency),
        "test": payment.account.mode is Mode.TEST,
        "card_last4": card.last4 if card else "",
        "card_exp_month": f"{card.exp_month:02}" if card else "",
        "card_exp_year": str(card.exp_year) if card else "",
        "card_country": card.country if card else "",
        "card_brand": card.brand if card else "",
        "exchange_usd_to_payout": 0.0,
        "exchange_original_payout_to_usd": 0.0,
        "exchange_usd_to_local": float(quote.local or 0) if quote else 0.0,
        "exchange_original_local_to_usd": float(quote.usd_per_charge or 0) if quote else 0.0,
        "currency_local": payment.local_currency,
        "net": to_number(payment.net_minor, payment.net_currency),
        "net_currency": payment.net_currency,
    }


def _risk(payment: Payment) -> dict[str, Any] | None:
    """Includes the card's funding: the one-view has no other place for it (contract, section 4)."""
    if payment.risk is None:
        return None
    risk = dict(payment.risk)
    if "checks" in risk:
        risk["checks"] = {name: risk["checks"].get(name, NOT_PROVIDED) for name in CHECKED}
    if payment.card and payment.card.funding:
        risk["funding"] = payment.card.funding
    return risk


def _uuid(*names: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, json.dumps(names)))


def to_the_second(time_us: int) -> str:
    """As the one-view shows times: UTC, without fractions."""
    return _utc(time_us).strftime("%Y-%m-%dT%H:%M:%SZ")


def _to_the_microsecond(time_us: int) -> str:
    return _utc(time_us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _utc(time_us: int) -> datetime:
    seconds, micros = divmod(time_us, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
