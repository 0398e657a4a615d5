"""Every minute: ends what was begun and has no outcome yet.

Attempts whose workflow failed or never started; captures, voids and refunds without a response;
and held money that nobody captured in time.
"""

from collections.abc import Mapping
from typing import Any

from payments.entry import TaskFunction, outcome
from payments.model.attempt import Attempt
from payments.model.work import MoneyWork
from payments.wiring import Services


def reconcile(_event: Mapping[str, Any], services: Services) -> dict[str, int]:
    open_work = list(services.work.all())
    found = services.reconcile_attempts(row for row in open_work if isinstance(row, Attempt))
    money = services.reconcile_money(row for row in open_work if isinstance(row, MoneyWork))
    for payment in found.ended:
        outcome(payment, services)
    counts = {
        "ended": len(found.ended),
        "left": found.left + money.left,
        "failed": len(found.failed) + money.failed,
    }
    services.telemetry.measure("ReconcilerBacklog", counts["failed"])
    services.telemetry.measure("RefundStuck", len(money.stuck))
    if money.stuck:
        services.telemetry.logger.error("no outcome for a day", extra={"ids": list(money.stuck)})
    services.telemetry.logger.info("reconciled", extra=counts)
    return counts


handler = TaskFunction(reconcile)
