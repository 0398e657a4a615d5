"""Workflow: Authorize asks the acquirer for the money and stores the outcome."""

from collections.abc import Mapping
from typing import Any

from payments.entry import TaskFunction, outcome
from payments.use_cases.settle_attempt import PreChargeResult
from payments.wiring import Services


def authorize(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    challenge_error = event.get("challenge", {}).get("Error")
    pre_charge = PreChargeResult.of_state(event)
    payment = services.run_attempt.authorize(event["attempt_id"], pre_charge, challenge_error)
    return outcome(payment, services)


handler = TaskFunction(authorize)
