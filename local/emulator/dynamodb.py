"""moto's DynamoDB, made atomic and several times as fast."""

import copy
import functools
import threading
from collections.abc import Callable
from typing import Any

from moto.core import responses
from moto.core.serialize import SERVICE_SPECIFIC_SERIALIZERS, JSONSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import dynamo_json_dump
from moto.dynamodb.responses import DynamoHandler

_lock = threading.RLock()
_call_action = DynamoHandler.call_action
_method_names_from_class = responses.method_names_from_class
_transact_write_items = DynamoDBBackend.transact_write_items


def improve() -> None:
    """Changes moto for this process. Doing it again changes nothing more."""
    DynamoHandler.call_action = _locked(_call_action)
    DynamoDBBackend.transact_write_items = _undone_row_by_row
    # It asks at each request which methods a class has.
    responses.method_names_from_class = functools.cache(_method_names_from_class)
    SERVICE_SPECIFIC_SERIALIZERS["dynamodb"] = {"json": _Serializer}


class _Serializer(JSONSerializer):  # type: ignore[misc]  # no types in moto
    """Rows are in the shape of the wire already.

    For each of their attributes moto would look for each of ten types, under every name that it
    might have: half of the time that the tests of the whole product took.
    """

    def _serialize_type_structure(self, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue":
            serialized[key] = value
        else:
            super()._serialize_type_structure(serialized, value, shape, key)

    def _serialize_body(self, body: Any) -> Any:
        return dynamo_json_dump(body)


def _locked(method: Callable[..., Any]) -> Callable[..., Any]:
    """One request at a time: moto checks, writes and copies a row for its answer, unguarded."""

    @functools.wraps(method)
    def locked(*args: Any, **kwargs: Any) -> Any:
        with _lock:
            try:
                return method(*args, **kwargs)
            finally:
                # moto's dashboard would list every copy of every row there ever was.
                Item.instances_tracked.clear()

    return locked


def _undone_row_by_row(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """A transaction that keeps copies of its own rows, in case it is refused.

    moto copies each table as a whole, which takes seconds once it holds some thousand rows, and
    puts the copy in the table's place. The lock is held, so nobody sees a half of it.
    """
    undo = [_row_as_it_is(backend, op) for item in transact_items for op in item.values()]
    Table.__deepcopy__ = lambda table, _memo: table
    try:
        _transact_write_items(backend, transact_items)
    except Exception:
        for put_back in undo:
            put_back()
        raise
    finally:
        del Table.__deepcopy__


def _row_as_it_is(backend: DynamoDBBackend, op: dict[str, Any]) -> Callable[[], None]:
    """What puts the row of one write back."""
    table = backend.get_table(op["TableName"])
    values = op.get("Key") or op["Item"]
    hash_key = DynamoType(values[table.hash_key_attr])
    range_key = DynamoType(values[table.range_key_attr]) if table.range_key_attr else None
    before = copy.deepcopy(table.get_item(hash_key, range_key))
    shard = table.stream_shard
    streamed = len(shard.items) if shard else 0

    def put_back() -> None:
        rows, key = (table.items[hash_key], range_key) if range_key else (table.items, hash_key)
        if before is None:
            rows.pop(key, None)
        else:
            rows[key] = before
        if shard:
            del shard.items[streamed:]

    return put_back
