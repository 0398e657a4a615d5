"""EventBridge on this machine: calls the functions that the template puts on a schedule."""

import json
import logging
import re
import threading
from collections.abc import Mapping
from typing import Any

from local.emulator.functions import Context, Handler, function_name

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_LOG = logging.getLogger("local.emulator.schedule")


class Schedule:
    """One thread per enabled rule, until it is stopped. Rules that read `cron(…)` are refused."""

    def __init__(self, rules: Mapping[str, Any], handlers: Mapping[str, Handler]) -> None:
        self._stopping = threading.Event()
        for rule in rules.values():
            if rule.get("State") == "DISABLED":
                continue
            seconds = _seconds(rule["ScheduleExpression"])
            for target in rule["Targets"]:
                handler = handlers[function_name(target["Arn"])]
                event = json.loads(target.get("Input", "{}"))
                threading.Thread(
                    target=self._run, args=(seconds, handler, event), daemon=True
                ).start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self, seconds: int, handler: Handler, event: Mapping[str, Any]) -> None:
        while not self._stopping.wait(seconds):
            try:
                handler(event, Context())
            except Exception:  # noqa: BLE001 - a run that fails is followed by the next one
                _LOG.exception("a scheduled function failed")


def _seconds(expression: str) -> int:
    match = _RATE.fullmatch(expression)
    if match is None:
        raise ValueError(f"the local stack cannot run {expression}")
    return int(match[1]) * _UNIT_SECONDS[match[2]]
