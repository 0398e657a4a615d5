"""W1 to W3: warm calls, in instructions; the network is cut off below botocore, on both sides."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.built import BASELINES, Layout
from tests.benchmarks.cold import BASELINE_CODE
from tests.benchmarks.instructions import count_per_call, counters, why_not
from tests.benchmarks.rows import Row, skipped
from tests.support.events import load_event


@dataclass(frozen=True)
class Comparison:
    """One kind of request: our function against a bare one."""

    name: str
    what: str
    function: str
    event: str
    goal: float
    idempotency_key: str | None = None
    listed: int = 0


COMPARISONS = (
    Comparison("W1", "create / bare put_item", "CreatePayment", "create_payment", 1.2),
    Comparison("W2", "create with key / same", "CreatePayment", "create_payment", 2.2, "order-1"),
    Comparison("W3", "get / bare get_item", "GetPayment", "get_payment", 1.2),
    Comparison("W3", "list of 20 / bare query", "ListPayments", "list_payments", 1.5, None, 20),
)
_BARE = {"create_payment": "create", "get_payment": "get", "list_payments": "list_twenty"}


def rows(layout: Layout, item: Mapping[str, Any]) -> list[Row]:
    """`item` is a stored payment: what DynamoDB answers, and what the bare create stores."""
    if why := why_not():
        return [skipped("W1–W3", why)]
    with counters() as pool:
        ours = [pool.submit(count_ours, layout, one, item) for one in COMPARISONS]
        bare = {
            one.event: pool.submit(count_bare, one, item)
            for one in COMPARISONS
            if one.idempotency_key is None
        }
        return [
            Row(
                one.name, f"Ir of {one.what}", counted.result() / bare[one.event].result(), one.goal
            )
            for one, counted in zip(COMPARISONS, ours, strict=True)
        ]


def count_ours(layout: Layout, one: Comparison, item: Mapping[str, Any]) -> float:
    return count_in(layout.search_path(f"{one.function}Function"), one, item)


def count_in(search_path: list[Path], one: Comparison, item: Mapping[str, Any]) -> float:
    """Our function, imported from these folders."""
    return _count(search_path, ("app", "handler"), one, item)


def count_bare(one: Comparison, item: Mapping[str, Any]) -> float:
    return _count([BASELINE_CODE, BASELINES], ("bare", _BARE[one.event]), one, item)


def _count(
    search_path: list[Path], handler: tuple[str, str], one: Comparison, item: Mapping[str, Any]
) -> float:
    contents = {"event": _event(one), "answer": _answer(one, item), "item": item}
    with TemporaryDirectory() as folder:
        files = [Path(folder) / f"{name}.json" for name in contents]
        for path, content in zip(files, contents.values(), strict=True):
            path.write_text(json.dumps(content), "utf-8")
        return count_per_call("warm.py", search_path, *handler, *files)


def _event(one: Comparison) -> dict[str, Any]:
    event = load_event(one.event)
    event["headers"].pop("Idempotency-Key", None)
    if one.idempotency_key:
        event["headers"]["Idempotency-Key"] = one.idempotency_key
    return event


def _answer(one: Comparison, item: Mapping[str, Any]) -> dict[str, Any]:
    match one.event:
        case "create_payment":
            return {}
        case "get_payment":
            return {"Item": item}
        case _:
            return {"Items": [item] * one.listed, "Count": one.listed, "ScannedCount": one.listed}
