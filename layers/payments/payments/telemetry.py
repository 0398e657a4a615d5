"""What a function tells its operators: a log and metrics, nothing of what people typed."""

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.metrics.functions import is_metrics_disabled

from payments.model.ids import Mode

NAMESPACE = "Payments"


class Telemetry:
    """One function's log and metrics, named by its service."""

    def __init__(self, service: str) -> None:
        self._service = service
        self.logger = Logger(service=service)
        self._emits_metrics = not is_metrics_disabled()

    def count(self, metric: str, mode: Mode) -> None:
        """One more of a business metric, by mode."""
        self._emit(metric, 1, {"mode": str(mode)})

    def measure(self, metric: str, value: int) -> None:
        """How large something is now."""
        self._emit(metric, value, {})

    def _emit(self, metric: str, value: int, dimensions: dict[str, str]) -> None:
        if not self._emits_metrics:  # powertools' own switch, which single_metric overlooks
            return
        with single_metric(
            name=metric,
            unit=MetricUnit.Count,
            value=value,
            namespace=NAMESPACE,
            default_dimensions={"service": self._service, **dimensions},
        ):
            pass
