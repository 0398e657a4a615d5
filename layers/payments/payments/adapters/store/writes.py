"""How a row is changed: one conditional update, or several writes that happen together.

Every change of a payment's status is an update that `payments.py` makes here; so is every change
that leaves the status alone, and every change of a work row.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from payments.adapters.aws import AwsClient, TransactionCanceledError
from payments.adapters.store.items import Values, to_item

# Two transactions that meet on a row cancel each other; botocore does not retry that.
MAX_TRANSACTION_TRIES = 5
_FIRST_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Update:
    """What one update does to a row, if its condition holds.

    `sets` assigns, `appends` adds to lists (which need not be there yet), `removes` are paths,
    `includes` and `excludes` put members into sets and take them out.
    `condition` may use the names in `sets` as `#name`, and `values` as `:name`.
    """

    sets: Values = field(default_factory=dict)
    appends: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    removes: Sequence[str] = ()
    includes: Mapping[str, str] = field(default_factory=dict)
    excludes: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""
    values: Values = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        """As UpdateItem and TransactWriteItems take it, without table and key."""
        none: dict[str, Any] = {":none": []} if self.appends else {}
        members = {name: {member} for name, member in {**self.includes, **self.excludes}.items()}
        named = {**self.sets, **self.appends, **members}
        values = {f":{name}": value for name, value in named.items()}
        parameters = {
            "UpdateExpression": self._expression(),
            "ExpressionAttributeNames": {f"#{name}": name for name in self._names()},
            "ExpressionAttributeValues": to_item({**values, **none, **self.values}),
        }
        if self.condition:
            parameters["ConditionExpression"] = self.condition
        return {name: value for name, value in parameters.items() if value}

    def _names(self) -> tuple[str, ...]:
        return (*self.sets, *self.appends, *self.includes, *self.excludes)

    def _expression(self) -> str:
        assignments = [f"#{name} = :{name}" for name in self.sets]
        assignments += [
            f"#{name} = list_append(if_not_exists(#{name}, :none), :{name})"
            for name in self.appends
        ]
        parts = [f"SET {', '.join(assignments)}"] if assignments else []
        if self.removes:
            parts.append(f"REMOVE {', '.join(self.removes)}")
        for verb, members in (("ADD", self.includes), ("DELETE", self.excludes)):
            if members:
                parts.append(f"{verb} {', '.join(f'#{name} :{name}' for name in members)}")
        return " ".join(parts)


def update(dynamodb: AwsClient, table: str, key: Values, change: Update, **options: str) -> Any:
    """One call. Raises ConditionFailedError."""
    return dynamodb.update_item(TableName=table, Key=to_item(key), **change.parameters(), **options)


def transact(
    dynamodb: AwsClient, writes: Sequence[Mapping[str, Any]], sleep: Callable[[float], None]
) -> None:
    """All of them or none, in one call: twice the write units of the same writes one by one.

    Raises TransactionCanceledError if a condition does not hold, or if other transactions were in
    the way each time.
    """
    pause_seconds = _FIRST_PAUSE_SECONDS
    for tries_left in reversed(range(MAX_TRANSACTION_TRIES)):
        try:
            dynamodb.transact_write_items(TransactItems=list(writes))
        except TransactionCanceledError as error:
            codes = {reason.get("Code") for reason in error.reasons}
            if not tries_left or "TransactionConflict" not in codes:
                raise
            sleep(pause_seconds)
            pause_seconds *= 2
        else:
            return
