"""Workflow: Authenticate weighs the risk and asks for 3DS.

AwaitChallenge shows the shopper the way to a challenge."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from payments.entry import TaskFunction
from payments.wiring import Services


def authenticate(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    attempt_id = event["attempt_id"]
    if "task_token" in event:
        services.run_attempt.await_challenge(attempt_id, event["task_token"])
        return {}
    pre_charge = services.run_attempt.authenticate(attempt_id)
    authentication = pre_charge.authentication
    needs_challenge = authentication is not None and authentication.needs_challenge
    return {"attempt_id": attempt_id, "needs_challenge": needs_challenge, **asdict(pre_charge)}


handler = TaskFunction(authenticate)
