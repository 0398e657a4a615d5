"""Workflow: Resolve ends an attempt whose outcome is unknown, by asking the acquirer for it."""

from collections.abc import Mapping
from typing import Any

from payments.entry import TaskFunction, outcome
from payments.use_cases.settle_attempt import PreChargeResult
from payments.wiring import Services


def resolve(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    return outcome(
        services.resolve_attempt(event["attempt_id"], PreChargeResult.of_state(event)), services
    )


handler = TaskFunction(resolve)
