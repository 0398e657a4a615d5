"""Workflow: Authorize asks the acquirer for the money and stores the outcome."""

from collections.abc import Mapping
from typing import Any

from payments.acquirer.port import Authentication, CardProfile
from payments.entry import TaskFunction, outcome
from payments.risk import Risk
from payments.use_cases.settle_attempt import Findings
from payments.wiring import Root


def authorize(event: Mapping[str, Any], root: Root) -> dict[str, Any]:
    challenge_error = event.get("challenge", {}).get("Error")
    payment = root.run_attempt.authorize(event["attempt_id"], _findings(event), challenge_error)
    return outcome(payment, root)


def _findings(event: Mapping[str, Any]) -> Findings:
    """As Authenticate left them in the workflow's state."""
    authentication, risk, profile = (
        event.get(name) for name in ("authentication", "risk", "profile")
    )
    return Findings(
        authentication and Authentication(**authentication),
        risk and Risk(**risk),
        profile and CardProfile(**profile),
    )


handler = TaskFunction(authorize)
