"""What a function tells its operators: a log and metrics, nothing of what people typed."""

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from payments.errors import AwsUnavailableError
from payments.model.attempt import Attempt
from payments.model.ids import Mode

NAMESPACE = "Payments"


class Telemetry:
    """One function's log and metrics, named by its service."""

    def __init__(self, service: str) -> None:
        self._service = service
        self.logger = Logger(service=service)

    def count(self, metric: str, mode: Mode) -> None:
        """One more of a business metric, by mode."""
        self._emit(metric, 1, {"mode": str(mode)})

    def measure(self, metric: str, value: int) -> None:
        """How large something is now."""
        self._emit(metric, value, {})

    def report_risk_unavailable(self, error: Exception) -> None:
        """Counters, lists or fingerprints were not there: a challenge takes their place."""
        self.logger.warning("risk could not be read or counted", error=error_name(error))
        self.measure("RiskUnavailable", 1)

    def report_open_attempt(self, attempt: Attempt, error: Exception) -> None:
        """The reconciler could not end it; its next run tries again."""
        self.logger.error(
            "an attempt could not be ended", attempt=attempt.id, error=error_name(error)
        )

    def _emit(self, metric: str, value: int, dimensions: dict[str, str]) -> None:
        with single_metric(
            name=metric,
            unit=MetricUnit.Count,
            value=value,
            namespace=NAMESPACE,
            default_dimensions={"service": self._service, **dimensions},
        ):
            pass


def error_name(error: Exception) -> str:
    """Never its text, which may quote input; AWS's own code where there is one."""
    code = f" {error.code}" if isinstance(error, AwsUnavailableError) else ""
    return type(error).__name__ + code
