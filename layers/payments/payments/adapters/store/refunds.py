"""Refunds: rows `ref_…` in their payment's partition, and what the payment itself keeps of them.

The payment's row decides: what is refundable is taken from it before anybody is asked for money,
and given back only if the refund has failed. A refund's own row follows it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from payments.adapters.aws import AwsClient, ConditionFailedError, TransactionCanceledError
from payments.adapters.store.items import from_item, to_item
from payments.adapters.store.payment_rows import from_values as payment_from_values
from payments.adapters.store.payment_rows import history_line
from payments.adapters.store.transitions import (
    TransitionRefusedError,
    change_payment,
    transition,
)
from payments.adapters.store.work import WorkStore
from payments.adapters.store.writes import Update, transact, update
from payments.model.ids import REFUND_PREFIX, Account
from payments.model.lifecycle import Event, Status
from payments.model.operation_result import OperationStatus
from payments.model.payment import Payment, StatusChange
from payments.model.refund import Refund, RefundReason
from payments.model.work import MoneyWork, WorkKind

_LOWEST_ID, _HIGHEST_ID = REFUND_PREFIX, REFUND_PREFIX + "~"
_NUMBERS = ("amount_minor", "net_minor", "created_at_us", "updated_at_us")


class RefundStore:
    """Adds, reads and changes refunds. The rules are the use cases'."""

    def __init__(
        self, dynamodb: AwsClient, table: str, work: WorkStore, sleep: Callable[[float], None]
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._work = work
        self._sleep = sleep

    def get(self, account: Account, refund_id: str) -> Refund | None:
        """Strongly consistent."""
        response = self._dynamodb.get_item(
            TableName=self._table,
            Key=to_item({"pk": str(account), "id": refund_id}),
            ConsistentRead=True,
        )
        item = response.get("Item")
        return _from_values(from_item(item)) if item else None

    def of(self, payment: Payment) -> tuple[Refund, ...]:
        """All refunds of a payment, the oldest first: one call, for there are at most 20."""
        if not payment.refund_ids:
            return ()
        keys = [to_item({"pk": str(payment.account), "id": one}) for one in payment.refund_ids]
        response = self._dynamodb.batch_get_item(
            RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}}
        )
        rows = response["Responses"].get(self._table, [])
        found = {refund.id: refund for refund in (_from_values(from_item(row)) for row in rows)}
        return tuple(found[one] for one in payment.refund_ids if one in found)

    def page(
        self, account: Account, limit: int, *, newest_first: bool, after: str | None
    ) -> tuple[tuple[Refund, ...], str | None]:
        """One Query, strongly consistent; and the last id, if there are more."""
        lowest, highest = _LOWEST_ID, _HIGHEST_ID
        if after and newest_first:
            highest = after[:-1] + chr(ord(after[-1]) - 1) + "~"
        elif after:
            lowest = after + "0"
        response = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND id BETWEEN :lowest AND :highest",
            ExpressionAttributeValues=to_item(
                {":pk": str(account), ":lowest": lowest, ":highest": highest}
            ),
            ConsistentRead=True,
            ScanIndexForward=not newest_first,
            Limit=limit + 1,
        )
        rows = tuple(_from_values(from_item(item)) for item in response["Items"])
        shown = rows[:limit]
        has_more = len(rows) > limit or "LastEvaluatedKey" in response
        return shown, shown[-1].id if has_more and shown else None

    def reserve(self, payment: Payment, refund: Refund) -> None:
        """Takes the amount, puts the refund and leaves a work row: all of it or nothing.

        Raises TransitionRefusedError if the payment has changed since it was read, or the refund is
        there.
        """
        change = Update(
            sets={
                "status": Status.SUCCEEDED,
                "refundable_minor": payment.refundable_total_minor - refund.amount_minor,
                "refunds_net_minor": payment.refunds_net_minor + refund.net_minor,
                "updated_at_us": refund.created_at_us,
            },
            appends={
                "refund_ids": [refund.id],
                "history": _line(payment, Event.REFUND_RESERVED, refund, refund.created_at_us),
            },
            includes={"open_refunds": refund.id},
            **_unchanged(payment, "#status = :status"),
        )
        payment_write = {
            "TableName": self._table,
            "Key": to_item({"pk": str(payment.account), "id": payment.id}),
            **change.parameters(),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        refund_write = {
            "TableName": self._table,
            "Item": to_item(refund_values(refund)),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        work = MoneyWork(
            refund.id, WorkKind.REFUND, refund.account, refund.payment_id, refund.created_at_us
        )
        writes = [{"Update": payment_write}, {"Put": refund_write}, self._work.adding(work)]
        try:
            transact(self._dynamodb, writes, self._sleep)
        except TransactionCanceledError as error:
            item = error.reasons[0].get("Item")
            current = payment_from_values(from_item(item)) if item else None
            raise TransitionRefusedError(current) from error

    def succeed(self, payment: Payment, refund: Refund, now_us: int) -> Payment:
        """The money went back. Raises TransitionRefusedError if the payment has changed."""
        refunded_minor = payment.refunded_minor + refund.amount_minor
        is_whole = refunded_minor == payment.captured_total_minor
        excludes = {"open_refunds": refund.id}
        guard = _unchanged(payment, "contains(open_refunds, :refund_id)", refund)
        if is_whole:
            change = transition(
                payment,
                Event.REFUND,
                now_us,
                {"refunded_minor": refunded_minor},
                subject=refund.id,
                excludes=excludes,
                **guard,
            )
        else:
            change = Update(
                sets={"refunded_minor": refunded_minor, "updated_at_us": now_us},
                appends={"history": _line(payment, Event.PART_REFUND, refund, now_us)},
                excludes=excludes,
                **guard,
            )
        return change_payment(self._dynamodb, self._table, payment, change)

    def fail(self, payment: Payment, refund: Refund, now_us: int) -> Payment:
        """The refund came to nothing, at once or after it had succeeded: its amount is free.

        Raises TransitionRefusedError if the payment has changed.
        """
        is_open = refund.id in payment.open_refunds
        changes: dict[str, Any] = {
            "refundable_minor": payment.refundable_total_minor + refund.amount_minor,
            "refunds_net_minor": payment.refunds_net_minor - refund.net_minor,
        }
        if not is_open:
            changes["refunded_minor"] = payment.refunded_minor - refund.amount_minor
        was = "" if is_open else "NOT "
        guard = _unchanged(
            payment,
            f"{was}contains(open_refunds, :refund_id) AND NOT contains(failed_refunds, :refund_id)",
            refund,
        )
        guard["includes"] = {"failed_refunds": refund.id}
        guard["excludes"] = {"open_refunds": refund.id} if is_open else {}
        if payment.status is Status.REFUNDED:
            change = transition(
                payment, Event.REFUND_FAILED, now_us, changes, subject=refund.id, **guard
            )
        else:
            change = Update(
                sets={**changes, "updated_at_us": now_us},
                appends={"history": _line(payment, Event.REFUND_FAILED, refund, now_us)},
                **guard,
            )
        return change_payment(self._dynamodb, self._table, payment, change)

    def finish(
        self, refund: Refund, status: OperationStatus, failure_code: str | None, now_us: int
    ) -> Refund:
        """What became of it, on its own row. A refund that has failed stays failed."""
        code = {"failure_code": failure_code} if failure_code else {}
        change = Update(
            sets={"status": status, "updated_at_us": now_us, **code},
            condition="attribute_exists(id) AND NOT #status IN (:failed, :status)",
            values={":failed": OperationStatus.FAILED},
        )
        key = {"pk": str(refund.account), "id": refund.id}
        try:
            response = update(
                self._dynamodb,
                self._table,
                key,
                change,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailedError as error:
            return _from_values(from_item(error.item))
        return _from_values(from_item(response["Attributes"]))


def _line(payment: Payment, event: Event, refund: Refund, now_us: int) -> Sequence[Any]:
    return [history_line(StatusChange(payment.status, now_us, event, refund.id))]


def _unchanged(payment: Payment, also: str, refund: Refund | None = None) -> dict[str, Any]:
    """The condition that no refund has come or gone since the payment was read."""
    conditions = [also]
    values: dict[str, Any] = {":refund_id": refund.id} if refund else {}
    if payment.refund_ids:
        conditions.append("size(refund_ids) = :count")
        values[":count"] = len(payment.refund_ids)
    else:
        conditions.append("attribute_not_exists(refund_ids)")
    for name, seen in (
        ("refundable_minor", payment.refundable_minor),
        ("refunded_minor", payment.refunded_minor or None),
    ):
        if seen is None:
            conditions.append(f"(attribute_not_exists({name}) OR {name} = :zero)")
            values[":zero"] = 0
        else:
            conditions.append(f"{name} = :seen_{name}")
            values[f":seen_{name}"] = seen
    return {"condition": " AND ".join(conditions), "values": values}


def refund_values(refund: Refund) -> dict[str, Any]:
    """The refund's row. It has no `status_pk`, so no list of payments sees it."""
    values = asdict(refund)
    del values["account"]
    return {"pk": str(refund.account), **values}


def _from_values(values: Mapping[str, Any]) -> Refund:
    fields: dict[str, Any] = dict(values)
    account = Account.parse(fields.pop("pk"))
    for name in _NUMBERS:
        fields[name] = int(fields[name])
    fields["status"] = OperationStatus(fields["status"])
    fields["reason"] = RefundReason(fields["reason"])
    return Refund(account=account, **fields)
