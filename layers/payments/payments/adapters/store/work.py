"""Work rows: captures, voids and refunds under way, in the table that the reconciler scans.

They stand beside the attempts, and unlike these they never expire: a row goes only when its
outcome is known and stored.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from payments.adapters.aws import AwsClient
from payments.adapters.store.attempts import attempt_from_values
from payments.adapters.store.items import Values, from_item, to_item
from payments.model.attempt import Attempt
from payments.model.ids import Account
from payments.model.work import MoneyWork, WorkKind


class WorkStore:
    """Everything that was begun and has no end yet."""

    def __init__(self, dynamodb: AwsClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def all(self) -> Iterator[Attempt | MoneyWork]:
        """Every row, strongly consistent."""
        page: Mapping[str, Any] = {}
        while True:
            page = self._dynamodb.scan(
                TableName=self._table, ConsistentRead=True, **_continuing(page)
            )
            for values in map(from_item, page["Items"]):
                kind = WorkKind(values.get("kind", WorkKind.ATTEMPT))
                is_attempt = kind is WorkKind.ATTEMPT
                yield attempt_from_values(values) if is_attempt else _from_values(values)
            if "LastEvaluatedKey" not in page:
                return

    def adding(self, work: MoneyWork) -> dict[str, Any]:
        """The put of a row, as a part of a transaction. It is refused if the row is there."""
        put = {
            "TableName": self._table,
            "Item": to_item(work_values(work)),
            "ConditionExpression": "attribute_not_exists(id)",
        }
        return {"Put": put}

    def remove(self, work_id: str) -> None:
        """The outcome is stored. Removing twice is removing once."""
        self._dynamodb.delete_item(TableName=self._table, Key=to_item({"id": work_id}))


def work_values(work: MoneyWork) -> dict[str, Any]:
    """The row of a capture, void or refund."""
    return {
        "id": work.id,
        "kind": work.kind,
        "account": str(work.account),
        "payment_id": work.payment_id,
        "created_at_us": work.created_at_us,
    }


def _from_values(values: Values) -> MoneyWork:
    return MoneyWork(
        id=values["id"],
        kind=WorkKind(values["kind"]),
        account=Account.parse(values["account"]),
        payment_id=values["payment_id"],
        created_at_us=int(values["created_at_us"]),
    )


def _continuing(page: Mapping[str, Any]) -> dict[str, Any]:
    key = page.get("LastEvaluatedKey")
    return {"ExclusiveStartKey": key} if key else {}
