"""Workflow: Resolve ends an attempt whose outcome is unknown, by asking the acquirer for it."""

from collections.abc import Mapping
from typing import Any

from payments.entry import TaskFunction, outcome
from payments.use_cases.settle_attempt import Findings
from payments.wiring import Root


def resolve(event: Mapping[str, Any], root: Root) -> dict[str, Any]:
    return outcome(root.resolve_attempt(event["attempt_id"], Findings.of_state(event)), root)


handler = TaskFunction(resolve)
