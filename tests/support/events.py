"""Recorded events: what AWS hands to each function, one file per function in `events/`."""

import json
from typing import Any

from tests.support.stack import PROJECT

EVENTS = PROJECT / "events"
# What the recorded events name; a test puts in its place what really exists.
PAYMENT = "pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB"
SECRET = "cs_test_4geeks_00112233445566778899aabbccddeeff"


def load_event(name: str) -> dict[str, Any]:
    """`name` is the function's folder: `create_payment`. Each call gives a fresh copy."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    return event


def function_id(name: str) -> str:
    """The function's logical id in the template."""
    return name.title().replace("_", "") + "Function"
