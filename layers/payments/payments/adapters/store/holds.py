"""Held money: the lock under which it is captured or let go, and when it falls due.

A hold's due row stands in the payments table under the minute in which the acquirer lets go of the
money, so that nobody has to scan for holds that nobody captured.
"""

from collections.abc import Callable, Mapping
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

_MINUTE_US = 60_000_000
_CURSOR = {"pk": "due", "id": "next"}


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

    def add_due(self, account: Account, payment_id: str, capture_before_us: int) -> None:
        """One call, before the payment turns `authorized`. Adding twice is adding once."""
        key = {"pk": _minute_key(capture_before_us // _MINUTE_US), "id": payment_id}
        self._dynamodb.put_item(
            TableName=self._table, Item=to_item({**key, "account": str(account)})
        )

    def due_in(self, minute: int) -> list[tuple[Account, str]]:
        """Whose holds fall due in this minute (counted since 1970): account and payment id."""
        found: list[tuple[Account, str]] = []
        page: Mapping[str, Any] = {}
        while True:
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}
            page = self._dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=to_item({":pk": _minute_key(minute)}),
                ConsistentRead=True,
                **start,
            )
            rows = map(from_item, page["Items"])
            found += [(Account.parse(row["account"]), row["id"]) for row in rows]
            if "LastEvaluatedKey" not in page:
                return found

    def remove_due(self, minute: int, payment_id: str) -> None:
        """The hold has ended, one way or the other."""
        key = {"pk": _minute_key(minute), "id": payment_id}
        self._dynamodb.delete_item(TableName=self._table, Key=to_item(key))

    def next_due_minute(self) -> int | None:
        """The first minute that was not looked through yet; None before the first run."""
        response = self._dynamodb.get_item(
            TableName=self._table, Key=to_item(_CURSOR), ConsistentRead=True
        )
        row = from_item(response.get("Item", {}))
        return int(row["minute"]) if row else None

    def note_next_due_minute(self, minute: int) -> None:
        """So that no minute is missed, however long nobody looked."""
        self._dynamodb.put_item(TableName=self._table, Item=to_item({**_CURSOR, "minute": minute}))


def _while_under_way(operation: Operation) -> dict[str, Any]:
    return {
        "condition": "operation.id = :operation_id",
        "values": {":operation_id": operation.id},
    }


def _minute_key(minute: int) -> str:
    return f"due#{minute}"


def _current(reason: Mapping[str, Any]) -> Payment | None:
    item = reason.get("Item")
    return from_values(from_item(item)) if item else None
