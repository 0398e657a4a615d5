"""Every hour: refreshes the exchange rates from the feed.

`{"accept": ["ARS"]}` as the event takes a jump that somebody has looked at.
"""

from collections.abc import Mapping
from typing import Any

from payments.adapters.rates_feed import RatesFeedError
from payments.entry import TaskFunction
from payments.wiring import Services


def refresh_rates(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    try:
        merged = services.refresh_rates(event.get("accept", ()))
    except RatesFeedError as error:
        services.telemetry.measure("RatesRefreshed", 0)
        services.telemetry.logger.error("the feed gave no rates", reason=str(error))
        raise
    services.telemetry.measure("RatesRefreshed", merged.taken)
    services.telemetry.measure("RatesRejected", len(merged.kept))
    services.telemetry.logger.info("rates refreshed", taken=merged.taken, kept=merged.kept)
    return {"taken": merged.taken, "kept": dict(merged.kept)}


handler = TaskFunction(refresh_rates)
