"""Recorded events: what AWS hands to each function, one file per function in `events/`."""

import json
from typing import Any

from tests.support.stack import PROJECT

EVENTS = PROJECT / "events"


def load_event(name: str) -> dict[str, Any]:
    """`name` is the function's folder: `create_payment`. Each call gives a fresh copy."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    return event
