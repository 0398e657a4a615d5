"""How a payment's row changes: conditionally, and its status by the lifecycle's table alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from payments.adapters.aws import AwsClient, ConditionFailedError
from payments.adapters.store.items import Values, from_item
from payments.adapters.store.payment_rows import from_values, history_line
from payments.adapters.store.writes import Update, update
from payments.errors import PaymentsError
from payments.model import lifecycle
from payments.model.lifecycle import Event
from payments.model.payment import Payment, StatusChange


class TransitionRefusedError(PaymentsError):
    """The payment was not where the change needed it. Carries it as it stands, None if gone."""

    def __init__(self, current: Payment | None) -> None:
        super().__init__(current.status if current else "no such payment")
        self.current = current


def transition(
    payment: Payment,
    event: Event,
    now_us: int,
    changes: Values,
    *,
    subject: str | None = None,
    appends: Mapping[str, Sequence[Any]] | None = None,
    removes: Sequence[str] = (),
    includes: Mapping[str, str] | None = None,
    excludes: Mapping[str, str] | None = None,
    condition: str = "",
    values: Values | None = None,
) -> Update:
    """The one way a status changes: a conditional write that also appends to the history.

    A change to None removes the attribute. `subject` is whose event it is, if not the payment's.
    """
    before = lifecycle.source(event)
    after = lifecycle.TRANSITIONS[before, event]
    sets = {"status": after, "status_pk": f"{payment.account}#{after}", "updated_at_us": now_us}
    line = history_line(StatusChange(after, now_us, event, subject))
    return Update(
        sets=sets | {name: value for name, value in changes.items() if value is not None},
        appends={"history": [line]} | dict(appends or {}),
        removes=(*removes, *(name for name, value in changes.items() if value is None)),
        includes=includes or {},
        excludes=excludes or {},
        condition=" AND ".join(filter(None, ("#status = :before", condition))),
        values={":before": before, **(values or {})},
    )


def change_payment(dynamodb: AwsClient, table: str, payment: Payment, change: Update) -> Payment:
    """The payment as it then stands: one call. Raises TransitionRefusedError."""
    try:
        response = update(
            dynamodb,
            table,
            {"pk": str(payment.account), "id": payment.id},
            change,
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ConditionFailedError as error:
        current = from_values(from_item(error.item)) if error.item else None
        raise TransitionRefusedError(current) from error
    return from_values(from_item(response["Attributes"]))
