"""A payment's row: how it is written, and how it is read back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from payments.adapters.store.items import Values
from payments.model import lifecycle
from payments.model.card import CardSummary
from payments.model.ids import Account
from payments.model.lifecycle import Event, Status
from payments.model.operation import Operation, OperationKind
from payments.model.payment import EarlierAttempt, Payment, StatusChange
from payments.money.exchange_rates import Quote

_OPTIONAL_NUMBERS = (
    "capture_before_us",
    "captured_minor",
    "refundable_minor",
    "refunded_minor",
    "refunds_net_minor",
)
_FORM_FIELDS = ("method", "brand", "last4", "exp_month", "exp_year")


def to_values(payment: Payment) -> dict[str, Any]:
    return {
        "pk": str(payment.account),
        "id": payment.id,
        "status_pk": f"{payment.account}#{payment.status}",
        "status": payment.status,
        "client_secret": payment.client_secret,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "description": payment.description,
        "items": list(payment.items),
        "return_url": payment.return_url,
        "company_name": payment.company_name,
        "company_email": payment.company_email,
        "statement_descriptor": payment.statement_descriptor,
        "local_currency": payment.local_currency,
        "fee_minor": payment.fee_minor,
        "net_minor": payment.net_minor,
        "net_currency": payment.net_currency,
        "quote": _without_none(asdict(payment.quote)) if payment.quote else None,
        "created_at_us": payment.created_at_us,
        "updated_at_us": payment.updated_at_us,
        "history": [history_line(change) for change in payment.history],
        "attempt_tokens": list(payment.attempt_tokens),
        "customer_email": payment.customer_email,
        "shopper_email": payment.shopper_email,
        "metadata": payment.metadata,
        "card": asdict(payment.card) if payment.card else None,
        "decline_code": payment.decline_code,
        "three_d_secure": payment.three_d_secure,
        "risk": payment.risk,
        "merchant_country": payment.merchant_country,
        "enforces_fraud_rules": payment.enforces_fraud_rules or None,
        "challenge_secrets": list(payment.challenge_secrets) or None,
        "earlier_attempts": [earlier_values(one) for one in payment.earlier_attempts] or None,
        "acquirer": payment.acquirer,
        "reference": payment.reference,
        "captures": None if payment.captures else False,
    }


def history_line(change: StatusChange) -> list[Any]:
    """`[status, time]`, the event where the status does not tell it, and whose event it is."""
    if change.subject:
        return [change.status, change.at_us, change.event, change.subject]
    names_event = change.event not in (None, lifecycle.unnamed_event(change.status))
    return [change.status, change.at_us, *([change.event] if names_event else [])]


def earlier_values(attempt: EarlierAttempt) -> list[Any]:
    """What tells an attempt's form when it comes back, as short as it can be."""
    card = attempt.card
    return [*(getattr(card, name) for name in _FORM_FIELDS), attempt.decline_code]


def _without_none(values: Values) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def from_values(values: Mapping[str, Any]) -> Payment:
    fields = dict(values)
    account = Account.parse(fields.pop("pk"))
    del fields["status_pk"]
    for name in ("amount_minor", "fee_minor", "net_minor", "created_at_us", "updated_at_us"):
        fields[name] = int(fields[name])
    fields["status"] = Status(fields["status"])
    fields["items"] = tuple(fields["items"])
    for name in ("attempt_tokens", "challenge_secrets"):
        fields[name] = tuple(fields.get(name, ()))
    fields["history"] = tuple(_to_change(*line) for line in fields["history"])
    for name in _OPTIONAL_NUMBERS:
        if name in fields:
            fields[name] = int(fields[name])
    fields["refund_ids"] = tuple(fields.get("refund_ids", ()))
    for name in ("open_refunds", "failed_refunds"):
        fields[name] = frozenset(fields.get(name, ()))
    if operation := fields.get("operation"):
        fields["operation"] = to_operation(operation)
    fields["earlier_attempts"] = tuple(map(_to_earlier, fields.get("earlier_attempts", ())))
    if (risk := fields.get("risk")) and "score" in risk:
        fields["risk"] = {**risk, "score": int(risk["score"])}
    if quote := fields.get("quote"):
        fields["quote"] = _to_quote(quote)
    if card := fields.get("card"):
        fields["card"] = _to_card(card)
    return Payment(account=account, **fields)


def _to_change(
    status: str, at_us: Decimal, event: str | None = None, subject: str | None = None
) -> StatusChange:
    named = Event(event) if event else lifecycle.unnamed_event(Status(status))
    return StatusChange(Status(status), int(at_us), named, subject)


def operation_values(operation: Operation) -> dict[str, Any]:
    """A map, as the payment keeps it while the operation is under way."""
    return asdict(operation)


def to_operation(values: Values) -> Operation:
    """The inverse of `operation_values`."""
    numbers = ("created_at_us", "amount_minor", "fee_minor", "net_minor")
    return Operation(
        id=values["id"],
        kind=OperationKind(values["kind"]),
        **{name: int(values[name]) for name in numbers},
    )


def _to_earlier(values: Sequence[Any]) -> EarlierAttempt:
    card = _to_card(dict(zip(_FORM_FIELDS, values, strict=False)))
    return EarlierAttempt(card, values[len(_FORM_FIELDS)])


def _to_card(values: Values) -> CardSummary:
    years = {name: int(values[name]) for name in ("exp_month", "exp_year")}
    return CardSummary(**{**values, **years})


def _to_quote(values: Values) -> Quote:
    at = values.get("at")
    rates = {name: values.get(name) for name in ("charge", "local", "net", "fee", "source")}
    return Quote(**rates, at=None if at is None else int(at))
