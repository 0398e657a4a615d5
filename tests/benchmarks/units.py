"""Counts calls and prices DynamoDB's as AWS would: a hook on the client, from item sizes.

No emulator prices requests. A write costs a unit for each KB of the larger of the item before and
after, and again in each index it changes; moving an item within an index is a delete and a put.
A write in a transaction costs twice as much.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3

from local.emulator.calls import caller

Item = Mapping[str, Mapping[str, Any]]
WRITES = ("PutItem", "UpdateItem", "DeleteItem")
READS = ("GetItem", "Query", "Scan")
# Of calls that run at the same time: which of them, and of which group.
Branch = tuple[int, int]
_branch: ContextVar[Branch | None] = ContextVar("branch", default=None)
_groups = itertools.count(1)


@dataclass(frozen=True)
class Call:
    """One call. `parameters` as our code gave them, `function` the Lambda function it came from."""

    name: str
    parameters: Mapping[str, Any]
    read_units: float = 0
    write_units: float = 0
    function: str = ""
    branch: Branch | None = None

    @property
    def table(self) -> str:
        return str(self.parameters.get("TableName", ""))

    @property
    def written_tables(self) -> set[str]:
        operation = self.name.rpartition(".")[2]
        return {str(write["TableName"]) for write in _writes(operation, self.parameters)}


@dataclass
class Meter:
    """Watches every client made from a session."""

    session: boto3.session.Session
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        events: Any = self.session.events
        events.register("before-parameter-build", self._before)
        events.register("after-call", self._after)

    def take(self) -> list[Call]:
        """What was called since the last time."""
        taken, self.calls = self.calls, []
        return taken

    def _before(self, model: Any, params: Mapping[str, Any], context: Any, **_: Any) -> None:
        asked = dict(params)
        context["meter"] = asked, [_stored(write) for write in _writes(model.name, asked)]

    def _after(self, model: Any, parsed: Mapping[str, Any], context: Any, **_: Any) -> None:
        asked, before = context["meter"]
        name = f"{model.service_model.service_name}.{model.name}"
        reads = writes = 0.0
        if before:
            writes = _price_of_writes(model.name, asked, before, is_refused="Error" in parsed)
        elif model.name in READS:
            items = parsed.get("Items") or [parsed.get("Item", {})]
            reads = _unit(sum(map(item_size, items)), 4096)
            reads *= 1 if asked.get("ConsistentRead") else 0.5
        elif model.name == "BatchGetItem":
            reads = sum(_batch_units(*asked_for) for asked_for in _asked_and_found(asked, parsed))
        elif name.startswith("dynamodb."):
            raise NotImplementedError(f"{name} has no price here yet")
        self.calls.append(Call(name, asked, reads, writes, caller(), _branch.get()))


def _writes(operation: str, asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The single writes that a call consists of, none if it only reads."""
    if operation == "TransactWriteItems":
        return [write for entry in asked["TransactItems"] for write in entry.values()]
    return [asked] if operation in WRITES else []


def _price_of_writes(
    operation: str, asked: Mapping[str, Any], before: Sequence[Item], *, is_refused: bool
) -> float:
    writes = zip(_writes(operation, asked), before, strict=True)
    units = sum(
        _unit(item_size(old))
        if is_refused
        else _write_units(write["TableName"], old, _stored(write))
        for write, old in writes
    )
    return units * (2 if operation == "TransactWriteItems" else 1)


def run_together(actions: Sequence[Callable[[], Any]]) -> list[Any]:
    """One after another, because simulated actors have no threads; counted as at the same time."""
    group = next(_groups)
    answers = []
    for number, action in enumerate(actions):
        token = _branch.set((group, number))
        try:
            answers.append(action())
        finally:
            _branch.reset(token)
    return answers


def in_sequence(calls: Iterable[Call]) -> int:
    """How many calls wait for one another. Of a group, its longest branch counts."""
    alone, longest = 0, Counter[int]()
    for branch, count in Counter(call.branch for call in calls).items():
        if branch is None:
            alone = count
        else:
            longest[branch[0]] = max(longest[branch[0]], count)
    return alone + longest.total()


def _asked_and_found(
    asked: Mapping[str, Any], parsed: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Any], list[Item]]]:
    for table, wanted in asked["RequestItems"].items():
        yield wanted, parsed["Responses"].get(table, [])


def _batch_units(wanted: Mapping[str, Any], found: list[Item]) -> float:
    """Each item is priced for itself, one that is not there like a small one."""
    missing = len(wanted["Keys"]) - len(found)
    units = missing + sum(_unit(item_size(item), 4096) for item in found)
    return units * (1 if wanted.get("ConsistentRead") else 0.5)


def item_size(item: Item) -> int:
    """Bytes, as DynamoDB counts them: names and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(attribute: Mapping[str, Any]) -> int:
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return math.ceil(len(value.lstrip("-").replace(".", "").strip("0")) / 2) + 1
        case "B":
            return len(value)
        case "L":
            return 3 + sum(1 + _value_size(inner) for inner in value)
        case "M":
            return 3 + sum(1 for _ in value) + item_size(value)
        case _:
            return 1


def _unit(size: int, unit_bytes: int = 1024) -> int:
    return max(1, math.ceil(size / unit_bytes))


def _write_units(table: str, before: Item, after: Item) -> float:
    units = _unit(max(item_size(before), item_size(after)))
    for keys in _index_keys(table):
        old = before if keys <= before.keys() else None
        new = after if keys <= after.keys() else None
        if old and new and all(old[key] == new[key] for key in keys):
            units += _unit(max(item_size(old), item_size(new))) if old != new else 0
        else:
            units += sum(_unit(item_size(item)) for item in (old, new) if item)
    return units


@cache
def _outside() -> Any:
    """A connection of our own: what it asks is not counted."""
    return boto3.session.Session().client("dynamodb")


@cache
def _description(table: str) -> Mapping[str, Any]:
    described: Mapping[str, Any] = _outside().describe_table(TableName=table)["Table"]
    return described


def _index_keys(table: str) -> list[frozenset[str]]:
    """The attributes that an item must have to be in each index; ours carry all attributes."""
    indexes = _description(table).get("GlobalSecondaryIndexes", [])
    assert all(index["Projection"]["ProjectionType"] == "ALL" for index in indexes)
    return [frozenset(key["AttributeName"] for key in index["KeySchema"]) for index in indexes]


def _stored(asked: Mapping[str, Any]) -> Item:
    """The item a write is about, as it stands."""
    source = asked.get("Key") or asked["Item"]
    names = [key["AttributeName"] for key in _description(asked["TableName"])["KeySchema"]]
    key = {name: source[name] for name in names}
    answer = _outside().get_item(TableName=asked["TableName"], Key=key, ConsistentRead=True)
    found: Item = answer.get("Item", {})
    return found
