"""Held money: the lock under which it is captured or let go, and when it falls due.

Due rows stand in the payments table in a partition of their own, in the order in which acquirers
let go of the money: one Query finds those whose time is over. A row goes only with its hold.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from payments.adapters.aws import AwsClient, TransactionCanceledError
from payments.adapters.store.items import from_item, to_item
from payments.adapters.store.payment_rows import from_values, operation_values
from payments.adapters.store.transitions import (
    TransitionRefusedError,
    change_payment,
    transition,
)
from payments.adapters.store.work import WorkStore
from payments.adapters.store.writes import Update, transact
from payments.model.ids import Account
from payments.model.lifecycle import Event, Status
from payments.model.operation import Operation
from payments.model.payment import Payment
from payments.model.work import MoneyWork, WorkKind

_DUE = "due"  # the key of no account: these have a # in theirs


@dataclass(frozen=True, slots=True)
class DueHold:
    """A hold, and when the acquirer lets go of it. Microseconds since 1970, UTC."""

    account: Account
    payment_id: str
    capture_before_us: int


class HoldStore:
    """Changes payments whose money is held."""

    def __init__(
        self, dynamodb: AwsClient, table: str, work: WorkStore, sleep: Callable[[float], None]
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._work = work
        self._sleep = sleep

    def begin(self, payment: Payment, operation: Operation) -> None:
        """Takes the lock and leaves a work row, in one transaction.

        Raises TransitionRefusedError if the money is no longer held, or another has the lock.
        """
        change = Update(
            sets={"operation": operation_values(operation), "status": Status.AUTHORIZED},
            condition="#status = :status AND attribute_not_exists(#operation)",
        )
        write = {
            "TableName": self._table,
            "Key": to_item({"pk": str(payment.account), "id": payment.id}),
            **change.parameters(),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        work = MoneyWork(
            operation.id,
            WorkKind.OPERATION,
            payment.account,
            payment.id,
            operation.created_at_us,
        )
        try:
            transact(self._dynamodb, [{"Update": write}, self._work.adding(work)], self._sleep)
        except TransactionCanceledError as error:
            raise TransitionRefusedError(_current(error.reasons[0])) from error

    def conclude(
        self, payment: Payment, operation: Operation, event: Event, now_us: int, **changes: Any
    ) -> Payment:
        """The money was captured, or let go. Raises TransitionRefusedError if that was known."""
        change = transition(
            payment,
            event,
            now_us,
            {**changes, "operation": None},
            subject=operation.id,
            **_while_under_way(operation),
        )
        return change_payment(self._dynamodb, self._table, payment, change)

    def release(self, payment: Payment, operation: Operation, now_us: int) -> Payment:
        """The acquirer refused: the money is still held. Raises TransitionRefusedError."""
        change = Update(
            sets={"updated_at_us": now_us}, removes=("operation",), **_while_under_way(operation)
        )
        return change_payment(self._dynamodb, self._table, payment, change)

    def add_due(self, due: DueHold) -> None:
        """One call, before the payment turns `authorized`. Adding twice is adding once."""
        self._dynamodb.put_item(
            TableName=self._table, Item=to_item({**_due_key(due), "account": str(due.account)})
        )

    def due_at(self, now_us: int) -> Iterator[DueHold]:
        """The holds whose time is over, the oldest first; strongly consistent."""
        page: Mapping[str, Any] = {}
        while True:
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}
            page = self._dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND id < :now",
                ExpressionAttributeValues=to_item({":pk": _DUE, ":now": f"{now_us:016}"}),
                ConsistentRead=True,
                **start,
            )
            for row in map(from_item, page["Items"]):
                before_us, _, payment_id = row["id"].partition("#")
                yield DueHold(Account.parse(row["account"]), payment_id, int(before_us))
            if "LastEvaluatedKey" not in page:
                return

    def remove_due(self, due: DueHold) -> None:
        """The hold has ended, one way or the other."""
        self._dynamodb.delete_item(TableName=self._table, Key=to_item(_due_key(due)))


def _while_under_way(operation: Operation) -> dict[str, Any]:
    return {
        "condition": "operation.id = :operation_id",
        "values": {":operation_id": operation.id},
    }


def _due_key(due: DueHold) -> dict[str, str]:
    return {"pk": _DUE, "id": f"{due.capture_before_us:016}#{due.payment_id}"}


def _current(reason: Mapping[str, Any]) -> Payment | None:
    item = reason.get("Item")
    return from_values(from_item(item)) if item else None
