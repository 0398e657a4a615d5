"""Every minute: ends the attempts nobody works on any more (a workflow that failed or died)."""

from collections.abc import Mapping
from typing import Any

from payments.entry import TaskFunction, outcome
from payments.wiring import Root


def reconcile(_event: Mapping[str, Any], root: Root) -> dict[str, int]:
    found = root.reconcile_attempts()
    for payment in found.ended:
        outcome(payment, root)
    counts = {"ended": len(found.ended), "left": found.left, "failed": len(found.failed)}
    root.telemetry.measure("ReconcilerBacklog", counts["failed"])
    root.telemetry.logger.info("reconciled", extra=counts)
    return counts


handler = TaskFunction(reconcile)
