"""Workflow: Authorize asks the acquirer for the money and stores the outcome."""

from collections.abc import Mapping
from typing import Any

from payments.entry import TaskFunction, outcome
from payments.use_cases.settle_attempt import Findings
from payments.wiring import Root


def authorize(event: Mapping[str, Any], root: Root) -> dict[str, Any]:
    challenge_error = event.get("challenge", {}).get("Error")
    findings = Findings.of_state(event)
    payment = root.run_attempt.authorize(event["attempt_id"], findings, challenge_error)
    return outcome(payment, root)


handler = TaskFunction(authorize)
