"""What each function asks of AWS, seen at its clients: the test of its permissions reads it."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local.emulator.functions import Context, Handler

# The parameters that name what a call is about. No other parameter is looked at.
_NAMING = ("TableName", "KeyId", "stateMachineArn", "executionArn")
_caller: ContextVar[str] = ContextVar("caller")


@dataclass(frozen=True, slots=True)
class Call:
    """`operation` is like "dynamodb.GetItem"; `resource` has logical ids where AWS has names."""

    function: str
    operation: str
    resource: str


Note = Callable[[Call], None]


class CallLog:
    """Keeps calls in a file, a line of JSON each, at once: whoever reads need not wait."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)

    def __call__(self, call: Call) -> None:
        self._file.write(json.dumps(asdict(call)) + "\n")


@contextmanager
def called_by(function: str) -> Iterator[None]:
    """Calls made in here, in this thread, are this function's."""
    token = _caller.set(function)
    try:
        yield
    finally:
        _caller.reset(token)


def caller() -> str:
    """The function that is running in this thread; empty outside of functions."""
    return _caller.get("")


def calling(function: str, handler: Handler) -> Handler:
    """The handler, known by its function's name while it runs."""

    def named(event: Mapping[str, Any], context: Context) -> Any:
        with called_by(function):
            return handler(event, context)

    return named


def watch(session: Any, logical_ids: Mapping[str, str], note: Note) -> None:
    """Has `note` told of every call of the session's clients that a function makes."""

    def before_build(model: Any, params: Mapping[str, Any], **_: Any) -> None:
        function = caller()
        if function:
            for name, about in _asked(model.name, params):
                operation = f"{model.service_model.service_name}.{name}"
                note(Call(function, operation, _resource(about, logical_ids)))

    session.events.register("before-parameter-build", before_build)


def _asked(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Of a transaction its writes: AWS asks for the permission of each, and has none for all."""
    if operation != "TransactWriteItems":
        yield operation, params
        return
    for entry in params["TransactItems"]:
        for verb, write in entry.items():
            yield f"{verb}Item", write


def _resource(params: Mapping[str, Any], logical_ids: Mapping[str, str]) -> str:
    """What the call is about. Of an execution, the state machine it belongs to."""
    tables = [{"TableName": table} for table in params.get("RequestItems", ())]
    params = {**params, **(tables[0] if tables else {})}
    named = next((str(params[key]) for key in _NAMING if key in params), "")
    if "executionArn" in params:
        named = named.rpartition(":")[0] + ":*"
    parts = [logical_ids.get(part, part) for part in named.split(":")]
    index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
    return ":".join(parts) + index
