"""Counts calls and prices DynamoDB's as AWS would: a hook on the client, from item sizes.

No emulator prices requests. A write costs a unit for each KB of the larger of the item before and
after, and again in each index it changes; moving an item within an index is a delete and a put.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3

Item = Mapping[str, Mapping[str, Any]]
WRITES = ("PutItem", "UpdateItem", "DeleteItem")
READS = ("GetItem", "Query", "Scan")


@dataclass(frozen=True)
class Call:
    """One call. `parameters` as our code gave them."""

    name: str
    parameters: Mapping[str, Any]
    read_units: float = 0
    write_units: float = 0

    @property
    def table(self) -> str:
        return str(self.parameters.get("TableName", ""))


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
        stored = _stored(asked) if model.name in WRITES else None
        context["meter"] = asked, stored

    def _after(self, model: Any, parsed: Mapping[str, Any], context: Any, **_: Any) -> None:
        asked, before = context["meter"]
        name = f"{model.service_model.service_name}.{model.name}"
        reads = writes = 0.0
        if model.name in WRITES:
            refused = "Error" in parsed
            writes = _write_units(asked["TableName"], before, before if refused else _stored(asked))
            writes = _unit(item_size(before)) if refused else writes
        elif model.name in READS:
            items = parsed.get("Items") or [parsed.get("Item", {})]
            reads = _unit(sum(map(item_size, items)), 4096)
            reads *= 1 if asked.get("ConsistentRead") else 0.5
        elif model.name == "BatchGetItem":
            reads = sum(_batch_units(*asked_for) for asked_for in _asked_and_found(asked, parsed))
        self.calls.append(Call(name, asked, reads, writes))


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
    """Of each index the attributes an item must have to be in it; ours carry all attributes."""
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
