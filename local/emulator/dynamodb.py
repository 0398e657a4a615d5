"""moto's DynamoDB, made atomic and several times as fast."""

import functools
import threading
from collections.abc import Callable
from typing import Any

from moto.core.serialize import SERVICE_SPECIFIC_SERIALIZERS, JSONSerializer
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.utilities import dynamo_json_dump
from moto.dynamodb.responses import DynamoHandler

_lock = threading.RLock()
_call_action = DynamoHandler.call_action


def improve() -> None:
    """Changes moto for this process. Doing it again changes nothing more."""
    DynamoHandler.call_action = _locked(_call_action)
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
