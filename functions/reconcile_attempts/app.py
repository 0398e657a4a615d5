"""Every minute: ends the attempts whose workflow failed or never started."""

from collections.abc import Mapping
from typing import Any

from payments.entry import TaskFunction, outcome
from payments.wiring import Services


def reconcile(_event: Mapping[str, Any], services: Services) -> dict[str, int]:
    found = services.reconcile_attempts()
    for payment in found.ended:
        outcome(payment, services)
    counts = {"ended": len(found.ended), "left": found.left, "failed": len(found.failed)}
    services.telemetry.measure("ReconcilerBacklog", counts["failed"])
    services.telemetry.logger.info("reconciled", extra=counts)
    return counts


handler = TaskFunction(reconcile)
